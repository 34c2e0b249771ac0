// The outbox of a page: the browser's storage and clock, what is said of unsaved grades, and closing the tab.

import { h } from "../widgets/dom.js"
import { Outbox, refusedText, unsavedText } from "./outbox.js"
import { post } from "./requests.js"

const RESCAN_MS = 15000
const SEND_PATIENCE_MS = 30000
const LEAVING_BYTES = 60000 // a browser sends 64 kB of what a closing page leaves

// `localStorage` throws where storage is switched off: only when it is used.
export const browserStorage = {
  get length() { return localStorage.length },
  key: (k) => localStorage.key(k),
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, text) => localStorage.setItem(key, text),
  removeItem: (key) => localStorage.removeItem(key),
}

export class PageOutbox extends Outbox {
  // `path`: where events are posted; `about`: what goes with them; `isBusy()`: whether keys are still to
  // become grades; the rest as of Outbox.
  constructor({place, path, about, onChange, onSettled, isBusy = () => false}) {
    super({
      place, onChange, onSettled, storage: browserStorage,
      send: (events) => post(path, {...about, events}, SEND_PATIENCE_MS),
      clock: {
        now: () => Date.now(),
        later: (action, ms) => setTimeout(action, ms),
        cancel: (timer) => clearTimeout(timer),
      },
    })
    this.path = path
    this.about = about
    this.leaving = false
    const keep = (/** @type {Event} */ event) => {
      if (!this.leaving && (this.unsent || isBusy())) { event.preventDefault() }
    }
    /** @type {[EventTarget, string, (event: Event) => void][]} */
    this.listeners = [
      [window, "online", () => this.flush()],
      [window, "pagehide", () => this.leave()],
      [window, "beforeunload", keep],
      [document, "lens-triage-leave", keep], // another page is to take this one's place
      // The page reloads itself after signing in: what is kept is sent then.
      [document, "lens-triage-reload", () => { this.leaving = this.stored }],
    ]
    for (const [target, kind, action] of this.listeners) { target.addEventListener(kind, action) }
    this.rescan = setInterval(() => this.takeOver(), RESCAN_MS)
  }

  // The tab closes: a last try; what it does not reach is sent at the next visit.
  leave() {
    let events = this.batch()
    while (events.length) {
      const body = JSON.stringify({...this.about, events})
      if (body.length < LEAVING_BYTES) {
        fetch(this.path, {method: "POST", keepalive: true, headers: {"Content-Type": "application/json"}, body})
          .catch(() => {})
        return
      }
      events = events.slice(0, Math.floor(events.length / 2))
    }
  }

  remove() {
    this.close()
    clearInterval(this.rescan)
    for (const [target, kind, action] of this.listeners) { target.removeEventListener(kind, action) }
    this.leave()
  }
}

// What is not saved, in one line, and what was refused, until the person has seen it.
export class OutboxStatus {
  constructor() {
    this.words = h("span", {})
    this.signIn = h("button", {type: "button", className: "text", hidden: true,
      onclick: () => document.dispatchEvent(new CustomEvent("lens-triage-sign-in"))}, "Sign in")
    this.node = h("span", {className: "outbox", role: "status"}, this.words, this.signIn)
    this.refusal = h("span", {})
    this.refused = h("p", {className: "fault", role: "alert", hidden: true}, this.refusal,
      h("button", {type: "button", className: "icon", "aria-label": "Dismiss", onclick: () => this.outbox?.dismiss()}, "×"))
  }

  show(outbox) {
    this.outbox = outbox
    this.words.textContent = unsavedText(outbox)
    this.node.title = outbox.problem?.message ?? ""
    this.node.classList.toggle("trouble", outbox.failures > 0 || !outbox.stored)
    this.signIn.hidden = !outbox.signedOut || outbox.unsent === 0
    const refusal = refusedText(outbox.refused)
    if (this.refusal.textContent !== refusal) { this.refusal.textContent = refusal }
    this.refused.hidden = refusal === ""
  }
}
