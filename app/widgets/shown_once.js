// A secret that is shown this once, or a link, with a button that copies it.

import { copyText } from "./copying.js"

/** A link of this server from the end of its address; other text stays as it is.
 * @param {string} text @param {boolean} isLink @param {string} here address of the page */
export function shownText(text, isLink, here) {
  return isLink ? new URL(text, here).href : text
}

/** @param {{ model: any }} given */
export function render({ model }) {
  const box = document.createElement("div")
  box.className = "once"
  const value = document.createElement("input")
  const copy = document.createElement("button")
  const note = document.createElement("p")
  value.readOnly = true
  value.addEventListener("focus", () => value.select())
  copy.type = "button"

  function draw() {
    value.value = model.text ? shownText(model.text, model.is_link, location.href) : ""
    value.setAttribute("aria-label", model.label)
    copy.textContent = "Copy"
    note.textContent = model.note
    box.hidden = !model.text
  }

  copy.addEventListener("click", async () => {
    const copied = await copyText(value.value)
    if (!copied) value.select()
    copy.textContent = copied ? "Copied" : "Press Ctrl+C"
  })
  model.on(["text", "is_link", "note", "label"], draw)
  box.append(value, copy, note)
  draw()
  return box
}
