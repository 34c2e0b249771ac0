// The keyboard: sections of keys say what they do, and the page that explains them is made of them.

import { h } from "./dom.js"

// A section is a title and its keys: what `event.key` says (with "Shift+" before names longer than one
// character), what people read, the action, what it does.
export const LIST_KEYS = {title: "List", keys: [
  {keys: ["j", "ArrowDown"], shown: "j ↓", action: "next", text: "Next candidate"},
  {keys: ["k", "ArrowUp"], shown: "k ↑", action: "previous", text: "Previous candidate"},
  {keys: ["]", "PageDown"], shown: "]", action: "nextPage", text: "Next page of the list"},
  {keys: ["[", "PageUp"], shown: "[", action: "previousPage", text: "Previous page of the list"},
  {keys: ["Home"], shown: "Home", action: "first", text: "First candidate"},
  {keys: ["/"], shown: "/", action: "search", text: "Search by object id"},
  {keys: ["d"], shown: "d", action: "charts", text: "Show or hide the diagrams of the list"},
]}
export const HELP_KEYS = {title: "Help", keys: [
  {keys: ["?"], shown: "?", action: "help", text: "Show or hide these keys"},
]}
const SLIDER_KEYS = new Set(
  ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "PageDown", "PageUp"])

// Whether a key belongs to the element that has the focus: text being typed, a slider moved.
export function isTyping(event) {
  const target = event.composedPath()[0]
  if (!(target instanceof HTMLElement)) { return false }
  if (target.isContentEditable || target.matches("textarea, select")) { return true }
  if (!target.matches("input")) { return false }
  if (target.type === "checkbox") { return false }
  return target.type !== "range" || SLIDER_KEYS.has(event.key)
}

// Space and Enter press the button, or follow the link, that has the focus.
function pressesButton(event) {
  const target = event.composedPath()[0]
  return (event.key === " " || event.key === "Enter") && target instanceof HTMLElement
    && target.matches("button, summary, a, input[type=checkbox]")
}

function keyName(event) {
  return event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key
}

export class Keyboard {
  // `actions`: for each action of the sections, a function of the key and the event's time; `active()`: whether
  // the page is in the mode that these keys are for; `change(sections)`: the sections as the person wants them.
  constructor(given, actions, active = () => true, change = (sections) => sections) {
    const sections = change(given)
    const known = new Map(sections.flatMap((section) =>
      section.keys.flatMap(({keys, action}) => keys.map((key) => [key, action]))))
    this.dialog = h(
      "dialog", {className: "keys", "aria-label": "Keys"},
      h("h2", {}, "Keys"),
      h("div", {className: "key-sections"}, sections.map(({title, keys}) => h("section", {},
        h("h3", {}, title),
        h("dl", {}, keys.map(({shown, text}) => h("div", {},
          h("dt", {}, shown.split(" ").map((key) => key === "…" ? "…" : h("kbd", {}, key))),
          h("dd", {}, text))))))),
      h("p", {className: "faint"}, "Keys are ignored while you type in a field."),
      h("button", {type: "button", onclick: () => this.dialog.close()}, "Close"),
    )
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) { this.dialog.close() } // on the backdrop
    })
    this.onKey = (event) => {
      if (!active() || pressesButton(event)) { return }
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event)) {
        return
      }
      const action = known.get(keyName(event))
      if (action === undefined || (this.dialog.open && action !== "help")) { return }
      event.preventDefault()
      if (action === "help") {
        this.toggleHelp()
      } else {
        actions[action](keyName(event), event.timeStamp)
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
