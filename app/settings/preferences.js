// Preferences of a person: each is kept as soon as it is chosen.

import { h } from "../widgets/dom.js"
import { keepPreferences, preferencesOf } from "../widgets/preferences.js"

const capital = (text) => text[0].toUpperCase() + text.slice(1)
const NOT_ALLOWED = "This browser does not allow notifications of this site; its settings say why."
const NONE_HERE = "This browser has no notifications for pages without TLS."

class PreferencesForm {
  constructor({stored, presets}) {
    this.stored = stored
    this.values = preferencesOf(stored)
    this.said = h("p", {role: "status"}, this.place)
    const none = globalThis.Notification === undefined
    this.notify = h("input", {type: "checkbox", checked: this.values.notify && !none, disabled: none,
      onchange: () => this.switchNotifying()})
    this.node = h("form", {onsubmit: (event) => event.preventDefault()},
      this.select("theme", "Colors", {"": "As last used, else that of the system", system: "As the system", light: "Light", dark: "Dark"}),
      this.select("stretch", "Initial stretch of pictures", {"": "As it was left",
        ...Object.fromEntries(presets.map((name) => [name, capital(name)]))}),
      this.select("advance", "After a grade in Review", {"": "As it was left", on: "Go to the next candidate", off: "Stay"}),
      this.select("grade_keys", "Keys that grade in Review", {review: "a, then the letter; or Shift and the letter",
        label: "One key, as in Label"}),
      h("label", {className: "box", title: none ? NONE_HERE : null}, this.notify,
        h("span", {}, "Notifications of the browser when a run ends")),
      this.said)
  }

  get place() {
    return this.stored === null ? "Kept in this browser." : "Kept with your name."
  }

  select(name, title, texts) {
    const box = h("select", {"aria-label": title, onchange: () => this.keep({[name]: box.value})},
      Object.entries(texts).map(([value, text]) => h("option", {value}, text)))
    box.value = this.values[name]
    return h("label", {}, h("span", {}, title), box)
  }

  async switchNotifying() {
    if (this.notify.checked && await Notification.requestPermission() !== "granted") {
      this.notify.checked = false
      this.say(NOT_ALLOWED, true)
      return
    }
    await this.keep({notify: this.notify.checked})
  }

  async keep(changes) {
    try {
      this.values = await keepPreferences(changes, this.stored)
      if (this.stored !== null) { this.stored = this.values }
      this.say(`Saved. ${this.place}`)
    } catch (error) {
      this.say(error.message, true)
    }
  }

  say(text, fault = false) {
    this.said.textContent = text
    this.said.classList.toggle("fault", fault)
  }
}

export function render({model}) { return new PreferencesForm(model.start).node }
