// Keys of the labeling view: presets for either hand, own choices, and what they leave to the viewer.

import { h } from "../widgets/dom.js"
import { labelKeys, shownKey, yieldKeys } from "../widgets/grade_keys.js"

const HANDS = {own: "Letters of the grades", left: "Left hand", right: "Right hand"}
const VIEW_ACTIONS = {
  undo: "Undo; again: further back",
  back: "Back one cutout, to inspect it again or change the grade",
  forward: "Forward one cutout",
  front: "To the first cutout without a grade",
  skip: "Skip",
  flag: "Flag for discussion; again: remove the flag",
  reason: "No lens, with a reason: a second key gives the reason",
  note: "Write a note",
  mode: "One at a time, or mosaic",
  rest: "Mosaic: set the rest of the page and go on",
  help: "Show or hide these keys",
}
export const SECOND_KEYS = {ring: "r", spiral: "s", merger: "m", tidal: "t", edge_on: "e", companion: "c",
  artifact: "a", alignment: "l", other: "o"}

// Sections for the keyboard and its page: grades, view, then the viewer's, which yield.
export function keySections(scheme, keys, viewerSections) {
  const one = (action, text) => ({keys: keys[action] ? [keys[action]] : [], shown: shownKey(keys[action]), action, text})
  const left = yieldKeys(viewerSections, new Set(Object.values(keys)))
  return [
    {title: "Grades", keys: scheme.grades.map(({key, title}) => one(`grade:${key}`, `${key}: ${title}`))},
    {title: "Labeling view", keys: Object.entries(VIEW_ACTIONS).filter(([action]) => keys[action])
      .map(([action, text]) => one(action, text))},
    {title: "Reasons, after the key for no lens and why", keys: Object.entries(SECOND_KEYS).map(
      ([reason, key]) => ({keys: [], shown: key, action: "none", text: reason.replace("_", "-")}))},
    ...left,
  ]
}

// The dialog to choose keys; `onSave` gets {hand, own}.
export class KeyChooser {
  constructor(scheme, onSave) {
    this.scheme = scheme
    this.onSave = onSave
    this.dialog = h("dialog", {className: "keys chooser", tabIndex: -1,
      "aria-label": "Choose keys"})
    this.dialog.addEventListener("keydown", (event) => this.press(event))
  }

  open(hand, own) {
    this.hand = hand
    this.own = {...own}
    this.waiting = null
    this.draw()
    this.dialog.showModal()
  }

  draw(problem = "") {
    const keys = labelKeys(this.scheme, this.hand, this.own)
    const row = (action, text) => h("div", {}, h("dt", {}, h("button", {type: "button",
      className: this.waiting === action ? "waiting" : "", "aria-label": `Key for ${text}`,
      onclick: () => { this.waiting = action; this.draw() }},
    this.waiting === action ? "press a key" : shownKey(keys[action]) || "–")), h("dd", {}, text))
    this.dialog.replaceChildren(
      h("h2", {}, "Keys"),
      h("div", {className: "segments", role: "group", "aria-label": "Preset"},
        Object.entries(HANDS).map(([hand, title]) => h("button", {type: "button",
          "aria-pressed": String(hand === this.hand),
          onclick: () => { this.hand = hand; this.own = {}; this.waiting = null; this.draw() }}, title))),
      h("dl", {}, this.scheme.grades.map(({key, title}) => row(`grade:${key}`, `${key}: ${title}`)),
        Object.entries(VIEW_ACTIONS).map(([action, text]) => row(action, text))),
      h("p", {className: "fault", role: "alert"}, problem),
      h("footer", {}, h("button", {type: "button", onclick: () => this.dialog.close()}, "Cancel"),
        h("button", {type: "button", className: "primary", onclick: () => {
          this.dialog.close()
          this.onSave({hand: this.hand, own: this.own})
        }}, "Save")))
    this.dialog.focus() // the button that had it is gone: the next key is for this dialog
  }

  press(event) {
    event.stopPropagation()
    if (this.waiting === null || ["Shift", "Control", "Alt", "Meta", "CapsLock"].includes(event.key)) { return }
    event.preventDefault()
    const action = this.waiting
    this.waiting = null
    if (event.key === "Escape") { this.draw(); return }
    const keys = labelKeys(this.scheme, this.hand, this.own)
    const other = Object.keys(keys).find((name) => name !== action && keys[name] === event.key)
    if (other !== undefined) {
      this.draw(`“${shownKey(event.key)}” is the key for ${VIEW_ACTIONS[other] ?? other.replace(":", " ")}.`)
      return
    }
    this.own[action] = event.key
    this.draw()
  }
}
