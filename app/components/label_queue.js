// The stamps of a session as this grader meets them: those done, the present one, those to come.

const FEW_LEFT = 60
const RETRY_QUEUE_MS = 2000

class LabelQueue {
  // `start` has history, items, n_left and n_done; `onMore` is called when stamps have come.
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
    // Other tabs say what they grade, so that nobody is asked twice.
    this.channel = new BroadcastChannel(`lens-triage-label-${session}`)
    this.channel.onmessage = ({data}) => this.hear(data)
  }

  get current() { return this.entries[this.at] }

  // The entries from the present one on that are not done, at most `n`.
  ahead(n) {
    const found = []
    for (let k = this.at; k < this.entries.length && found.length < n; k++) {
      if (this.entries[k].said === null) { found.push(this.entries[k]) }
    }
    return found
  }

  // What this tab, or an event still on its way, says of a stamp.
  say(entry, said, tell = true) {
    this.nDone += (said !== null) - (entry.said !== null)
    entry.said = said
    if (tell) { this.channel.postMessage({token: entry.token, said}) }
  }

  hear({token, said}) {
    const entry = this.byToken.get(token)
    if (entry !== undefined && entry !== this.current) { this.say(entry, said, false) }
  }

  // Go to the next stamp to grade: forwards from here, over those that are done.
  advance() {
    this.at += 1
    while (this.current !== undefined && this.current.said !== null) { this.at += 1 }
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

  // To the first stamp that is not done.
  toFront() {
    const found = this.entries.findIndex((entry) => entry.said === null)
    this.at = found < 0 ? this.entries.length : found
    this.fetchMore()
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
      this.asking = false
      this.onMore()
      setTimeout(() => this.fetchMore(few), RETRY_QUEUE_MS)
    }
  }

  remove() {
    this.exhausted = true
    this.channel.close()
  }
}

function blank(item) { return {...item, said: null, flagged: false} }
