// Label events on their way to the server. Each is kept in the browser's storage, under a key of its own
// so that no tab overwrites another's, until the server has said what became of it: written or refused.
//
// Nothing here knows the page: what sends, where events are kept, and the clock are given.

const OUTBOX_KEY = "lens-triage-event"
const SEND_AT_ONCE = 100
const SEND_LETTERS = 500000 // of one request; a single event that is longer goes alone
const RETRY_MS = [300, 600, 1200, 2500, 5000]
const LATE_MS = 1000 // an event that waits longer than this is spoken of
const REFUSED = new Set([400, 413, 422]) // of HTTP: what was sent will never be taken
const SIGNED_OUT = new Set([401, 403])
const REMARKS = new Set(["note", "tag", "untag", "stage"]) // events that are no grades

export class Outbox {
  /**
   * @param {object} parts
   * @param {string} parts.place where events of this kind and grader are kept
   * @param {(events: object[]) => Promise<{written: string[], refused: Object<string, string>, feedback?: object}>}
   *   parts.send rejects with an error that has the HTTP `status`, if there was an answer, and `retryAfterMs`
   * @param {Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">} parts.storage
   * @param {(outbox: Outbox) => void} parts.onChange called when what is told of the events changes
   * @param {(event: object, told: {refused?: string, feedback?: object}) => void} parts.onSettled
   * @param {{now(): number, later(action: () => void, ms: number): any, cancel(timer: any): void}} parts.clock
   */
  constructor({place, send, storage, onChange, onSettled, clock}) {
    this.prefix = `${OUTBOX_KEY}:${place}:`
    this.send = send
    this.storage = storage
    this.onChange = onChange
    this.onSettled = onSettled
    this.clock = clock
    this.waiting = new Map() // by UUID, in the order in which they were given
    this.refused = new Map()
    this.failures = 0
    this.problem = null // why the last try failed
    this.sending = false
    this.timer = null
    this.lateTimer = null
    this.stored = true
    this.count = 0
    this.atOnce = SEND_AT_ONCE
    this.closed = false
  }

  get unsent() { return this.waiting.size }

  // Whether events wait so long that the person should know.
  get late() {
    const oldest = this.waiting.values().next().value
    return oldest !== undefined && (this.failures > 0 || this.clock.now() - oldest.order >= LATE_MS)
  }

  // Whether the last try got no answer: the server is away, or stands still.
  get unanswered() { return this.problem !== null && this.problem.status === undefined }

  get signedOut() { return this.problem !== null && SIGNED_OUT.has(this.problem.status) }

  // Take over what a closed tab or an earlier visit left behind.
  takeOver() {
    const kept = []
    try {
      for (let k = 0; k < this.storage.length; k++) {
        const key = this.storage.key(k)
        if (key.startsWith(this.prefix)) { kept.push(readKept(this.storage.getItem(key))) }
      }
    } catch {
      this.stored = false
    }
    for (const entry of kept.filter((one) => one !== null).sort((a, b) => a.order - b.order)) {
      const {uuid} = entry.event
      if (entry.refused) {
        this.refused.set(uuid, entry)
      } else if (!this.waiting.has(uuid)) {
        this.waiting.set(uuid, entry)
      }
    }
    this.changed()
    this.flush()
  }

  // Keep events, then send them.
  add(events) {
    for (const event of events) {
      // By the clock, so that events of several tabs keep their order; the count breaks ties.
      const entry = {event, order: this.clock.now() + (this.count++ % 1000) / 1000}
      this.waiting.set(event.uuid, entry)
      this.store(entry)
    }
    this.changed()
    this.flush()
  }

  store(entry) {
    try {
      this.storage.setItem(this.prefix + entry.event.uuid, JSON.stringify(entry))
      this.stored = true
    } catch {
      this.stored = false // off or full: they wait in this tab alone, and the page says so
    }
  }

  forget(uuid) {
    try {
      this.storage.removeItem(this.prefix + uuid)
    } catch {
      // it was never there
    }
  }

  // What the next request sends.
  batch() {
    const events = []
    let letters = 0
    for (const {event} of this.waiting.values()) {
      letters += JSON.stringify(event).length
      if (events.length && (letters > SEND_LETTERS || events.length >= this.atOnce)) { break }
      events.push(event)
    }
    return events
  }

  // Try now, whatever pause was meant.
  async flush() {
    if (this.sending || this.closed || !this.waiting.size) { return }
    this.sending = true
    this.clock.cancel(this.timer)
    const events = this.batch()
    let pause = 0
    try {
      this.take(await this.send(events), events)
      this.failures = 0
      this.problem = null
      this.atOnce = SEND_AT_ONCE
    } catch (error) {
      pause = this.fail(error, events)
    }
    this.sending = false
    this.changed()
    if (this.waiting.size && !this.closed) { this.timer = this.clock.later(() => this.flush(), pause) }
  }

  // What the server says of each event that it was sent.
  take({written, refused, feedback = {}}, sent) {
    const settled = written.length + Object.keys(refused).length
    if (sent.length && !settled) { throw new Error("The server did not confirm the grades.") }
    for (const uuid of written) { this.settle(uuid, {feedback: feedback[uuid]}) }
    for (const [uuid, reason] of Object.entries(refused)) { this.refuse(uuid, reason) }
  }

  settle(uuid, told) {
    const entry = this.waiting.get(uuid)
    this.waiting.delete(uuid)
    this.forget(uuid)
    if (entry !== undefined) { this.onSettled(entry.event, told) }
  }

  refuse(uuid, reason) {
    const entry = this.waiting.get(uuid)
    if (entry === undefined) { return }
    this.waiting.delete(uuid)
    const kept = {...entry, refused: reason}
    this.refused.set(uuid, kept)
    this.store(kept)
    this.onSettled(entry.event, {refused: reason})
  }

  // After a try that failed: how long to wait for the next one, in ms.
  fail(error, events) {
    const {status} = error
    if (REFUSED.has(status) && events.length === 1) {
      this.refuse(events[0].uuid, error.message)
      return 0
    }
    this.failures += 1
    this.problem = error
    // One bad event must not hold up the others: what fails together is sent in smaller parts.
    const divisible = events.length > 1 && (REFUSED.has(status) || status === 500)
    if (divisible) {
      this.atOnce = Math.ceil(events.length / 2)
      return 0
    }
    const pause = RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1]
    return Math.max(pause, error.retryAfterMs ?? 0)
  }

  // The person has seen that these will not be written.
  dismiss() {
    for (const uuid of this.refused.keys()) { this.forget(uuid) }
    this.refused.clear()
    this.changed()
  }

  changed() {
    this.clock.cancel(this.lateTimer)
    if (this.waiting.size && !this.late) {
      this.lateTimer = this.clock.later(() => this.changed(), LATE_MS)
    }
    this.onChange(this)
  }

  close() {
    this.closed = true
    this.clock.cancel(this.timer)
    this.clock.cancel(this.lateTimer)
  }
}

// An entry of the storage; null for what is damaged: it holds no grade that could be sent.
function readKept(text) {
  try {
    const entry = JSON.parse(text)
    return typeof entry?.event?.uuid === "string" ? entry : null
  } catch {
    return null
  }
}

// Whether an event says something of a candidate beside a grade.
export const isRemark = ({kind}) => REMARKS.has(kind)

// How many grades there are among entries, in words; changes, where some are no grades.
function counted(entries) {
  const what = [...entries.values()].some(({event}) => isRemark(event)) ? "change" : "grade"
  return `${entries.size} ${what}${entries.size === 1 ? "" : "s"}`
}

// What the page says of events that are not saved; empty: there is nothing to say.
export function unsavedText({waiting, late, stored, signedOut}) {
  const words = []
  if (waiting.size && (late || !stored)) {
    words.push(`${counted(waiting)} not yet saved`)
    if (signedOut) { words.push("sign in again, and they are sent") }
  }
  if (!stored) { words.push("this browser does not store anything: do not close the tab before everything is saved") }
  return words.join("; ")
}

// Why events were refused, each reason once; empty: none was.
export function refusedText(refused) {
  if (!refused.size) { return "" }
  const reasons = [...new Set([...refused.values()].map((entry) => entry.refused))].join(" ")
  return `${counted(refused)} ${refused.size === 1 ? "was" : "were"} not taken: ${reasons}`
}
