// Events on their way to the server. Each is kept in the browser's storage, under a key of its own so
// that no tab overwrites another's, until the server has said that it is written.

import { post } from "../http/requests.js"

const OUTBOX_KEY = "lens-triage-event"
const SEND_AT_ONCE = 100
const SEND_LETTERS = 500000 // of one request; a single event that is longer goes alone
const UNREADABLE = [400, 413] // the server can make nothing of the request as a whole
const RETRY_MS = [300, 600, 1200, 2500, 5000]
const RESCAN_MS = 15000

export class Outbox {
  // `onChange` is called when numbers change; `onFeedback` with what the server tells by UUID.
  constructor(session, grader, {onChange, onFeedback}) {
    this.path = `labeling/${session}/events`
    this.grader = grader
    this.prefix = `${OUTBOX_KEY}:${session}:${grader}:`
    this.onChange = onChange
    this.onFeedback = onFeedback
    this.waiting = new Map() // by UUID, in the order in which they were given
    this.refused = new Map()
    this.failures = 0
    this.problem = ""
    this.sending = false
    this.alone = false // whether events are sent one by one
    this.timer = null
    this.stored = true
    this.count = 0
    this.written = 0
    this.adopt()
    this.rescan = setInterval(() => this.adopt(), RESCAN_MS)
    this.onOnline = () => this.flush()
    this.onHide = () => this.leave()
    window.addEventListener("online", this.onOnline)
    window.addEventListener("pagehide", this.onHide)
  }

  get unsent() { return this.waiting.size }

  // Take over what a closed tab or an earlier visit left behind.
  adopt() {
    const found = []
    try {
      for (let k = 0; k < localStorage.length; k++) {
        const key = localStorage.key(k)
        if (key.startsWith(this.prefix)) { found.push(JSON.parse(localStorage.getItem(key))) }
      }
    } catch {
      this.stored = false
    }
    for (const entry of found.sort((a, b) => a.order - b.order)) {
      if (entry.refused) {
        this.refused.set(entry.event.uuid, entry)
      } else if (!this.waiting.has(entry.event.uuid)) {
        this.waiting.set(entry.event.uuid, entry)
      }
    }
    this.changed()
    this.flush()
  }

  // Keep events, then send them.
  add(events) {
    for (const event of events) {
      // By the clock, so that events of several tabs keep their order; the count breaks ties.
      const entry = {event, order: Date.now() + (this.count++ % 1000) / 1000}
      this.waiting.set(event.uuid, entry)
      this.store(entry)
    }
    this.changed()
    this.flush()
  }

  store(entry) {
    try {
      localStorage.setItem(this.prefix + entry.event.uuid, JSON.stringify(entry))
      this.stored = true
    } catch {
      this.stored = false // off or full: they wait in this tab alone, and the page says so
    }
  }

  forget(uuid) {
    try {
      localStorage.removeItem(this.prefix + uuid)
    } catch {
      // it was never there
    }
  }

  batch() {
    const events = []
    let letters = 0
    for (const {event} of this.waiting.values()) {
      letters += JSON.stringify(event).length
      if (events.length && (this.alone || letters > SEND_LETTERS || events.length === SEND_AT_ONCE)) { break }
      events.push(event)
    }
    return events
  }

  async flush() {
    if (this.sending || !this.waiting.size) { return }
    this.sending = true
    clearTimeout(this.timer)
    const events = this.batch()
    try {
      this.take(await post(this.path, {grader: this.grader, events}))
      this.failures = 0
      this.problem = ""
    } catch (error) {
      if (UNREADABLE.includes(error.status)) {
        this.isolate(events, error.message)
      } else {
        this.failures += 1
        this.problem = error.message
      }
    }
    this.sending = false
    this.changed()
    if (this.waiting.size) {
      const pause = this.failures ? RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1] : 0
      this.timer = setTimeout(() => this.flush(), pause)
    }
  }

  // A request that was refused as a whole: its events go one by one, so that one that the server
  // cannot read holds up none of the others.
  isolate(events, reason) {
    if (events.length === 1) {
      this.refuse(events[0].uuid, reason)
    }
    this.alone = true
  }

  // Put aside what will never be written; it stays in the browser's storage until it is dismissed.
  refuse(uuid, reason) {
    const entry = this.waiting.get(uuid)
    this.waiting.delete(uuid)
    if (entry !== undefined) {
      const kept = {...entry, refused: reason}
      this.refused.set(uuid, kept)
      this.store(kept)
    }
  }

  take({written, refused, feedback}) {
    for (const uuid of written) {
      this.written += this.waiting.delete(uuid) ? 1 : 0
      this.forget(uuid)
    }
    for (const [uuid, reason] of Object.entries(refused)) { this.refuse(uuid, reason) }
    this.alone = this.alone && this.waiting.size > 0
    for (const [uuid, told] of Object.entries(feedback)) { this.onFeedback(uuid, told) }
  }

  // The user has seen that these will not be written.
  dismiss() {
    for (const uuid of this.refused.keys()) { this.forget(uuid) }
    this.refused.clear()
    this.changed()
  }

  changed() { this.onChange(this) }

  // The tab closes: a last try; what it does not reach is sent at the next visit.
  leave() {
    const events = this.batch()
    if (events.length) {
      fetch(this.path, {method: "POST", keepalive: true, headers: {"Content-Type": "application/json"},
        body: JSON.stringify({grader: this.grader, events})}).catch(() => {})
    }
  }

  remove() {
    clearTimeout(this.timer)
    clearInterval(this.rescan)
    window.removeEventListener("online", this.onOnline)
    window.removeEventListener("pagehide", this.onHide)
    this.leave()
  }
}
