// <lt-term>: a word with its meaning behind it, shown over the page when the pointer rests on it, when the
// keyboard comes to it, or at a click; Escape takes it away. `meaning` is what it means; without one it is looked
// up in the glossary, by `of` or else by the word itself.

const REST_MS = 150
const GAP_PX = 6
const CSS = `
:host { display: inline; }
button { all: unset; display: inline; cursor: help; text-decoration: underline dotted 1px; text-underline-offset: 3px; }
button:focus-visible { outline: 2px solid var(--lt-accent); outline-offset: 2px; border-radius: 2px; }
[role="tooltip"] { position: fixed; inset: auto; margin: 0; max-width: min(320px, 90vw); padding: 7px 11px; border-radius: 7px;
  border: 1px solid var(--lt-line); background: var(--lt-surface); color: var(--lt-text); box-shadow: 0 4px 18px rgb(0 0 0 / 22%);
  font: 400 12.5px/1.45 Roboto, Helvetica, Arial, sans-serif; text-align: left; white-space: normal; letter-spacing: 0; }
`

/** @type {Record<string, string>} */
let glossary = {}

/** @param {Record<string, string>} terms */
export function learn(terms) { glossary = terms }

// Where a box of some size stands: below a word, or above it where there is no room; within the window.
export function placeOf(word, size, view) {
  const below = word.bottom + GAP_PX
  const top = below + size.height <= view.height ? below : Math.max(0, word.top - GAP_PX - size.height)
  return {left: Math.max(GAP_PX, Math.min(word.left, view.width - size.width - GAP_PX)), top}
}

export function defineTerm() {
  if (customElements.get("lt-term")) { return }
  customElements.define("lt-term", class extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) { return }
      const root = this.attachShadow({mode: "open"})
      root.innerHTML = `<style>${CSS}</style><button type="button" aria-describedby="meaning"><slot></slot></button>`
        + "<span id=\"meaning\" role=\"tooltip\" popover=\"manual\"></span>"
      this.button = root.querySelector("button")
      this.tip = /** @type {HTMLElement} */ (root.querySelector("[role=tooltip]"))
      this.onScroll = () => this.hide()
      this.addEventListener("pointerenter", () => { this.timer = setTimeout(() => this.show(), REST_MS) })
      this.addEventListener("pointerleave", () => this.hide())
      this.button.addEventListener("focus", () => { if (this.button.matches(":focus-visible")) { this.show() } })
      this.button.addEventListener("blur", () => this.hide())
      this.button.addEventListener("click", (event) => {
        event.stopPropagation()
        this.show()
      })
      this.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && this.tip.matches(":popover-open")) {
          event.stopPropagation()
          this.hide()
        }
      })
    }

    disconnectedCallback() { this.hide() }

    get meaning() {
      return this.getAttribute("meaning") ?? glossary[this.getAttribute("of") ?? this.textContent] ?? ""
    }

    show() {
      clearTimeout(this.timer)
      if (!this.meaning || this.tip.matches(":popover-open")) { return }
      this.tip.textContent = this.meaning
      this.tip.showPopover()
      const place = placeOf(this.button.getBoundingClientRect(), this.tip.getBoundingClientRect(),
        {width: innerWidth, height: innerHeight})
      this.tip.style.left = `${place.left}px`
      this.tip.style.top = `${place.top}px`
      window.addEventListener("scroll", this.onScroll, {capture: true, once: true})
    }

    hide() {
      clearTimeout(this.timer)
      window.removeEventListener("scroll", this.onScroll, {capture: true})
      if (this.tip?.matches(":popover-open")) { this.tip.hidePopover() }
    }
  })
}
