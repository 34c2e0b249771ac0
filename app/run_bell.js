// Runs that have ended: a notice with a link to each, a mark in the title of the tab until somebody has seen it, and a
// notification of the browser where the person wants one.

import { h } from "./widgets/dom.js"
import { CHANGED, preferencesOf } from "./widgets/preferences.js"

const MOST_NOTICES = 3
const SEEN_MS = 15000 // so long a notice stands after it was seen
const SAYS = {succeeded: "has ended", failed: "has failed", cancelled: "was cancelled", lost: "has lost its process"}
const MARK = /^\(\d+\) /

// The title of a tab with the number of ends that nobody has seen.
export function marked(title, unseen) {
  const bare = title.replace(MARK, "")
  return unseen ? `(${unseen}) ${bare}` : bare
}

export function sentenceOf({title, status, error}) {
  return `${title} ${SAYS[status] ?? `is ${status}`}${error ? `: ${error}` : "."}`
}

class RunBell {
  constructor(model) {
    this.model = model
    this.last = 0
    this.unseen = 0
    this.wants = preferencesOf(model.preferences).notify
    this.node = h("div", {className: "bell", role: "status", "aria-label": "Runs that have ended"})
    this.onEnds = () => this.hear(model.ends)
    this.onSeen = () => { if (!document.hidden) this.see() }
    this.onPreferences = (/** @type {any} */ event) => { this.wants = event.detail.notify }
    model.on("ends", this.onEnds)
    for (const name of ["pointerdown", "keydown"]) window.addEventListener(name, this.onSeen, true)
    document.addEventListener(CHANGED, this.onPreferences)
    // another page has a title of its own, which gets the mark, too
    this.titles = new MutationObserver(() => this.markTitle())
    this.titles.observe(document.head, {childList: true, subtree: true, characterData: true})
  }

  hear(ends) {
    const told = ends.filter(({number}) => number > this.last)
    for (const end of told) {
      this.last = end.number
      this.unseen += 1
      this.notice(end)
      this.notify(end)
    }
    this.markTitle()
  }

  notice(end) {
    const node = h("div", {className: end.status}, h("p", {}, `${sentenceOf(end)} `,
      h("a", {href: `runs?run=${encodeURIComponent(end.id)}`, onclick: () => node.remove()}, "Open the run")),
    h("button", {type: "button", "aria-label": "Dismiss", title: "Dismiss", onclick: () => node.remove()}, "×"))
    this.node.append(node)
    while (this.node.children.length > MOST_NOTICES) this.node.firstChild.remove()
  }

  // By the browser, where the person wants it and does not look at the page.
  notify(end) {
    if (!this.wants || !document.hidden || globalThis.Notification?.permission !== "granted") return
    const shown = new Notification("lens-triage", {body: sentenceOf(end), tag: end.id})
    shown.onclick = () => {
      window.focus()
      location.assign(`runs?run=${encodeURIComponent(end.id)}`)
    }
  }

  see() {
    if (!this.unseen) return
    this.unseen = 0
    this.markTitle()
    for (const node of this.node.children) setTimeout(() => node.remove(), SEEN_MS)
  }

  markTitle() {
    const title = marked(document.title, this.unseen)
    if (title !== document.title) document.title = title
  }

  remove() {
    for (const name of ["pointerdown", "keydown"]) window.removeEventListener(name, this.onSeen, true)
    document.removeEventListener(CHANGED, this.onPreferences)
    this.titles.disconnect()
  }
}

export function render({model}) {
  const bell = new RunBell(model)
  model.on("remove", () => bell.remove())
  return bell.node
}
