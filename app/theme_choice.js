// Light or dark: as the person prefers, as the system is, or as the page was left.

export const THEME_EVENT = "lens-triage-theme"

export class ThemeChoice {
  /**
   * @param {object} parts
   * @param {string} parts.theme what the person prefers: "", "system", "light" or "dark"
   * @param {boolean} parts.dark whether the page is dark
   * @param {boolean} parts.left whether a cookie says how the page was left
   * @param {{matches: boolean}} parts.system whether the system is dark
   * @param {(dark: boolean) => void} parts.ask asks for a page that is dark, or light
   * @param {(theme: string) => void} parts.keep keeps what the person chose on the page
   */
  constructor({theme, dark, left, system, ask, keep}) {
    this.theme = theme
    this.dark = dark
    this.left = left
    this.system = system
    this.ask = ask
    this.keep = keep
    /** @type {boolean | null} */
    this.asked = null // what the page was asked to be, until it is
    this.follow()
  }

  get wanted() {
    if (this.theme === "light" || this.theme === "dark") return this.theme === "dark"
    return this.theme === "" && this.left ? this.dark : this.system.matches
  }

  // The system, or what the person prefers, has changed.
  follow() {
    const {wanted} = this
    if (wanted === this.dark) return
    this.asked = wanted
    this.ask(wanted)
  }

  prefer(theme) {
    this.theme = theme
    this.follow()
  }

  // The page has turned dark, or light: because it was asked to, or by the button of the page.
  turned(dark) {
    this.dark = dark
    this.left = true
    if (dark !== this.asked && this.theme !== "") {
      this.theme = dark ? "dark" : "light"
      this.keep(this.theme)
    }
    this.asked = null
  }
}
