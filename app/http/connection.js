// Whether the server answers, and since when the page's own connection (Bokeh's) is gone.

const PROBE_MS = [500, 1000, 2000, 4000]

export class Connection {
  /**
   * @param {object} parts
   * @param {() => Promise<void>} parts.probe rejects while the server is away
   * @param {() => void} parts.onChange
   * @param {() => void} parts.onBack the server answers again
   * @param {(action: (value?: any) => void, ms: number) => any} parts.later
   */
  constructor({probe, onChange, onBack, later}) {
    this.probe = probe
    this.onChange = onChange
    this.onBack = onBack
    this.later = later
    this.away = false
    this.detached = false // the page's socket is gone for good: only a reload brings it back
    this.closed = false
  }

  // A request got no answer: ask until one comes.
  async lost() {
    if (this.away || this.closed) { return }
    this.away = true
    this.onChange()
    for (let tries = 0; this.away && !this.closed; tries++) {
      await new Promise((resolve) => this.later(resolve, PROBE_MS[Math.min(tries, PROBE_MS.length - 1)]))
      if (this.closed) { return }
      try {
        await this.probe()
        this.away = false
      } catch {
        // still away
      }
    }
    this.onChange()
    this.onBack()
  }

  detach() {
    this.detached = true
    this.onChange()
  }

  close() { this.closed = true }
}

// What the page says of its connection; empty: all is well.
export function connectionText({away, detached}) {
  if (away) { return "The server does not answer. Your grades are kept here and sent when it is back." }
  if (detached) { return "The server was restarted. Lists, pictures and grades continue; reload the page for the rest." }
  return ""
}
