// The keyboard: one table gives the keys, what they do, and the page that explains them.

const KEY_MAP = [
  {keys: ["j", "ArrowDown"], shown: "j ↓", action: "next", text: "Next candidate"},
  {keys: ["k", "ArrowUp"], shown: "k ↑", action: "previous", text: "Previous candidate"},
  {keys: ["]", "PageDown"], shown: "]", action: "nextPage", text: "Next page of the list"},
  {keys: ["[", "PageUp"], shown: "[", action: "previousPage", text: "Previous page of the list"},
  {keys: ["Home"], shown: "Home", action: "first", text: "First candidate"},
  {keys: [..."123456789"], shown: "1 … 9", action: "band", text: "Show that band large; again: colour"},
  {keys: ["0"], shown: "0", action: "colour", text: "Show the colour picture"},
  {keys: ["b"], shown: "b", action: "blink", text: "Blink through the bands; again: stop"},
  {keys: ["i"], shown: "i", action: "invert", text: "Invert the pictures"},
  {keys: ["s"], shown: "s", action: "smooth", text: "Smooth between pixels"},
  {keys: ["r"], shown: "r", action: "reset", text: "Reset stretch and view"},
  {keys: ["/"], shown: "/", action: "search", text: "Search by object id"},
  {keys: ["?"], shown: "?", action: "help", text: "Show or hide these keys"},
]
const ACTIONS = new Map(KEY_MAP.flatMap(({keys, action}) => keys.map((key) => [key, action])))
const SLIDER_KEYS = new Set(["ArrowDown", "ArrowUp", "Home", "PageDown", "PageUp"])

// Whether a key belongs to the element that has the focus: text being typed, a slider moved.
function isTyping(event) {
  const target = event.composedPath()[0]
  if (!(target instanceof Element)) { return false }
  if (target.isContentEditable || target.matches("textarea, select")) { return true }
  if (!target.matches("input")) { return false }
  if (target.type === "checkbox") { return false }
  return target.type !== "range" || SLIDER_KEYS.has(event.key)
}

class Keyboard {
  constructor(actions) {
    this.dialog = h(
      "dialog", {className: "keys", "aria-label": "Keys"},
      h("h2", {}, "Keys"),
      h("dl", {}, KEY_MAP.map(({shown, text}) => h("div", {},
        h("dt", {}, shown.split(" ").map((key) => key === "…" ? "…" : h("kbd", {}, key))),
        h("dd", {}, text)))),
      h("p", {className: "faint"}, "Keys are ignored while you type in a field."),
      h("button", {type: "button", onclick: () => this.dialog.close()}, "Close"),
    )
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) { this.dialog.close() } // on the backdrop
    })
    this.onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event)) {
        return
      }
      const action = ACTIONS.get(event.key)
      if (action === undefined || (this.dialog.open && action !== "help")) { return }
      event.preventDefault()
      if (action === "help") {
        this.toggleHelp()
      } else {
        actions[action](event.key, event.timeStamp)
      }
    }
    document.addEventListener("keydown", this.onKey)
  }

  toggleHelp() {
    if (this.dialog.open) {
      this.dialog.close()
    } else {
      this.dialog.showModal()
    }
  }

  remove() { document.removeEventListener("keydown", this.onKey) }
}
