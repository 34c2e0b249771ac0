// Brings a field of a form into sight and gives it the keyboard, as soon as it is drawn; shows the end of
// paths that are longer than their field.

const PATIENCE_MS = 5000
const AGAIN_MS = 150
const TRIES = 4
const INPUTS = "input:not([type=hidden]):not([aria-hidden=true]), textarea:not([aria-hidden=true]), [role=combobox]"

/** All elements below one, its own and other shadow roots included, that match.
 * @param {Document | ShadowRoot | Element} root @param {string} selector
 * @returns {Generator<HTMLElement>} */
export function* deepAll(root, selector) {
  if (root instanceof Element && root.shadowRoot) { yield* deepAll(root.shadowRoot, selector) }
  for (const element of root.querySelectorAll("*")) {
    if (element.matches(selector)) { yield /** @type {HTMLElement} */ (element) }
    if (element.shadowRoot) { yield* deepAll(element.shadowRoot, selector) }
  }
}

/** What of a field takes the keyboard, once it is there and seen.
 * @param {string} name @returns {HTMLElement | null} */
function inputOf(name) {
  for (const field of deepAll(document, `.field-${name}`)) {
    for (const input of deepAll(field, INPUTS)) {
      // Not that of another tab, nor of a fold that is about to open.
      if (input.getClientRects().length && getComputedStyle(input).visibility === "visible") { return input }
    }
  }
  return null
}

/** Calls `use` with a field's input as soon as there is one.
 * @param {string} name @param {(input: HTMLElement) => void} use */
function whenDrawn(name, use) {
  const until = performance.now() + PATIENCE_MS
  const look = () => {
    const input = inputOf(name)
    if (input) {
      use(input)
    } else if (performance.now() < until) {
      requestAnimationFrame(look)
    }
  }
  look()
}

/** Focuses an input again where what opens around it takes the keyboard for itself.
 * @param {HTMLElement} input @param {number} tries */
function hold(input, tries) {
  input.focus()
  if (tries > 0) {
    setTimeout(() => { if (input.isConnected && !input.matches(":focus")) { hold(input, tries - 1) } }, AGAIN_MS)
  }
}

/** @param {HTMLElement} input */
function keepEndInSight(input) {
  const show = () => {
    if (!input.matches(":focus")) { input.scrollLeft = input.scrollWidth }
  }
  show()
  if (input.dataset.keepsEnd) { return }
  input.dataset.keepsEnd = "true"
  input.addEventListener("blur", () => requestAnimationFrame(show))
  new MutationObserver(show).observe(input, { attributes: true, attributeFilter: ["value"] })
}

/** @param {{ model: any }} given */
export function render({ model }) {
  const place = document.createElement("span")
  place.hidden = true
  const focus = () => {
    const [name] = model.wanted
    if (name) {
      whenDrawn(name, (input) => {
        input.scrollIntoView({ block: "center" })
        hold(input, TRIES)
      })
    }
  }
  model.on("wanted", focus)
  focus() // within a dialog, whose contents are drawn when it opens
  const followEnds = () => { for (const name of model.ends) { whenDrawn(name, keepEndInSight) } }
  model.on(["ends", "drawn"], followEnds)
  followEnds()
  return place
}
