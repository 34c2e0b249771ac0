// What the server says of candidates beside their scores: asked for a few at a time, and kept.

import { debounce } from "../widgets/dom.js"

const AHEAD = 4 // candidates that are asked for with the one that is shown
const PAUSE_MS = 40
const MOST_KEPT = 500

export class CandidateDetails {
  /**
   * @param {object} parts
   * @param {(message: object, then: (answer: any) => void) => void} parts.ask
   * @param {() => number | null} parts.ensemble the one that ranks the list
   * @param {() => any} parts.row the candidate that is shown
   * @param {(n: number) => any[]} parts.upcoming the candidates after it
   * @param {() => void} parts.onChange
   */
  constructor({ask, ensemble, row, upcoming, onChange}) {
    this.ask = ask
    this.ensemble = ensemble
    this.row = row
    this.upcoming = upcoming
    this.onChange = onChange
    this.kept = new Map()
    this.truths = new Map()
    this.fetch = debounce(() => this.fetchNow(), PAUSE_MS)
  }

  of(row) { return this.kept.get(row.id) }

  truthOf(row) { return this.truths.get(row.id) }

  fetchNow() {
    const row = this.row()
    if (row === undefined) { return }
    const ids = [row, ...this.upcoming(AHEAD)].map(({id}) => id).filter((id) => !this.kept.has(id))
    if (!ids.length) { return }
    const ensemble = this.ensemble()
    this.ask({type: "details", ids, ensemble_id: ensemble}, ({details}) => {
      if (ensemble !== this.ensemble()) { return }
      if (this.kept.size > MOST_KEPT) { this.kept.clear() }
      for (const one of details) { this.kept.set(one.id, one) }
      this.onChange()
    })
  }

  // Ask for what a simulation put into a candidate, once.
  fetchTruth(row) {
    if (!this.of(row)?.has_truth || this.truths.has(row.id)) { return }
    this.ask({type: "truth", id: row.id}, ({id, rows}) => {
      this.truths.set(id, rows)
      this.onChange()
    })
  }

  // Another list: members' scores are of another ensemble.
  forget() { this.kept.clear() }

  remove() { this.fetch.cancel() }
}
