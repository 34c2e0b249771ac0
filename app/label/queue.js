// The cutouts of a session as this grader meets them: those done, the present one, those to come.

import { ask } from "../http/requests.js"

const FEW_LEFT = 60
const RETRY_QUEUE_MS = 2000

export class LabelQueue {
  // `start` has history, items, n_left and n_done; `onMore` is called when cutouts have come.
  constructor(session, start, onMore) {
    this.session = session
    this.onMore = onMore
    this.entries = [...start.history, ...start.items.map(blank)]
    this.at = start.history.length
    this.byToken = new Map(this.entries.map((entry) => [entry.token, entry]))
    this.total = start.n_left + start.n_done
    this.nDone = start.n_done
    this.exhausted = start.items.length >= start.n_left
    this.asking = false
    this.failed = false
    this.offered = false // whether what was skipped has come again
    // Other tabs say what they grade, so that nobody is asked twice.
    this.channel = new BroadcastChannel(`lens-triage-label-${session}`)
    this.channel.onmessage = ({data}) => this.hear(data)
  }

  get current() { return this.entries[this.at] }

  // Skipped cutouts; once the others are done, they come again.
  get skipped() { return this.entries.filter(({response}) => response?.kind === "skip") }

  // The entries from the present one on that are to be graded, at most `n`.
  ahead(n) {
    const found = []
    for (let k = this.at; k < this.entries.length && found.length < n; k++) {
      if (isOpen(this.entries[k])) { found.push(this.entries[k]) }
    }
    return found
  }

  // What this tab, or an event still on its way, says of a cutout.
  say(entry, response, tell = true) {
    this.nDone += Number(response !== null) - Number(entry.response !== null)
    entry.response = response
    entry.again = false
    if (tell) { this.channel.postMessage({token: entry.token, response}) }
  }

  hear({token, response}) {
    const entry = this.byToken.get(token)
    if (entry !== undefined && entry !== this.current) { this.say(entry, response, false) }
  }

  // Go to the next cutout to grade: forwards from here, over those that are done.
  advance() {
    this.at += 1
    while (this.current !== undefined && !isOpen(this.current)) { this.at += 1 }
    this.fetchMore()
  }

  move(step) {
    this.at = Math.min(Math.max(0, this.at + step), this.entries.length)
    this.fetchMore()
  }

  goTo(entry) {
    const found = this.entries.indexOf(entry)
    if (found >= 0) { this.at = found }
  }

  // To the first cutout that is not done.
  toFront() {
    const found = this.entries.findIndex(isOpen)
    this.at = found < 0 ? this.entries.length : found
    this.fetchMore()
  }

  // Offer again what was skipped and still needs a grade. Called when all events have arrived.
  async offerSkipped() {
    if (this.asking || this.removed) { return }
    this.asking = true
    try {
      const {items} = await ask(`labeling/${this.session}/skipped`)
      for (const item of items) {
        let entry = this.byToken.get(item.token)
        if (entry === undefined) { // skipped long ago, and not among what was fetched
          entry = {...item}
          this.byToken.set(entry.token, entry)
          this.entries.push(entry)
        }
        entry.again = entry.response?.kind === "skip"
      }
      this.offered = true
      this.failed = false
      this.asking = false
      this.onMore()
    } catch {
      this.failed = true
      this.onMore()
      this.retry(() => this.offerSkipped())
    }
  }

  async fetchMore(few = FEW_LEFT) {
    if (this.asking || this.exhausted || this.entries.length - this.at > few) { return }
    this.asking = true
    const last = Math.max(-1, ...this.entries.map(({number}) => number))
    try {
      const answer = await ask(`labeling/${this.session}/queue?after=${last}`)
      const fresh = answer.items.filter(({token}) => !this.byToken.has(token)).map(blank)
      for (const entry of fresh) { this.byToken.set(entry.token, entry) }
      this.entries.push(...fresh)
      this.exhausted = answer.items.length === 0
      this.failed = false
      this.asking = false
      this.onMore()
    } catch {
      this.failed = true
      this.onMore()
      this.retry(() => this.fetchMore(few))
    }
  }

  // Ask again in a while, and not before.
  retry(action) {
    setTimeout(() => {
      this.asking = false
      action()
    }, RETRY_QUEUE_MS)
  }

  remove() {
    this.exhausted = true
    this.removed = true
    this.channel.close()
  }
}

function blank(item) { return {...item, response: null, flagged: false, again: false} }

// Whether a cutout is to be graded: it has no response, or it was skipped and has come again.
export function isOpen({response, again}) { return response === null || again === true }
