// A drawer with lenses and other objects whose class is known, to compare with while grading.

import { h, picture } from "../widgets/dom.js"

const NONE = "No other object of this survey has a class that is known by a spectrum, the consensus of two graders or an imported label."

export const REFERENCE_KEYS = {keys: ["R"], shown: "R", action: "references", text: "Show or hide lenses and other objects to compare with"}

export class ReferenceDrawer {
  /**
   * @param {(then: (references: any[]) => void, failed: (sentence: string) => void) => void} ask for what is shown now
   */
  constructor(ask) {
    this.ask = ask
    this.asked = 0
    this.body = h("div", {className: "reference-rows"})
    this.node = h("section", {className: "references", hidden: true, "aria-label": "References"},
      h("header", {}, h("h2", {}, "References"), h("span", {className: "spacer"}),
        h("button", {type: "button", className: "icon", title: "Close (key R)", "aria-label": "Close", onclick: () => this.toggle()}, "×")),
      this.body)
  }

  get shown() { return !this.node.hidden }

  toggle() {
    this.node.hidden = !this.node.hidden
    this.refresh()
  }

  // Another candidate, or none: other references, while the drawer is open.
  refresh() {
    if (!this.shown) { return }
    const number = ++this.asked
    this.ask((references) => { if (number === this.asked) { this.show(references) } },
      (sentence) => { if (number === this.asked) { this.body.replaceChildren(h("p", {className: "faint"}, sentence)) } })
  }

  show(references) {
    const rows = [["Lenses", true], ["Not lenses", false]].map(([title, isLens]) => [title,
      references.filter((one) => one.is_lens === isLens)])
    this.body.replaceChildren(...(references.length ? rows.map(([title, ones]) => h("div", {className: "reference-row"},
      h("h3", {}, title), ones.length ? h("ul", {}, ones.map((one) => this.one(one))) : h("p", {className: "faint"}, "None is known.")))
      : [h("p", {className: "faint"}, NONE)]))
  }

  one({object_id: name, source, picture: address}) {
    const button = h("button", {type: "button", title: `${name}: ${source}`, "aria-pressed": "false", onclick: () => {
      const large = button.getAttribute("aria-pressed") !== "true"
      for (const other of this.body.querySelectorAll("button[aria-pressed]")) { other.setAttribute("aria-pressed", "false") }
      button.setAttribute("aria-pressed", String(large))
      button.blur()
    }}, picture({src: address, alt: name, loading: "lazy"}), h("small", {}, source))
    return h("li", {}, button)
  }
}
