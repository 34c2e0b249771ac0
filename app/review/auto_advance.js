// Whether a grade goes on to the next candidate; a browser remembers it.

const KEY = "lens-triage.review.advance"

export class AutoAdvance {
  /**
   * @param {Pick<Storage, "getItem" | "setItem">} storage
   * @param {string} preferred "on" or "off"; "": as the browser was left
   */
  constructor(storage, preferred = "") {
    this.storage = storage
    this.graded = null // a candidate that was graded, until the next one is shown
    this.came = null // {from, to}: the step that the last grade made
    this.on = false
    try {
      this.on = storage.getItem(KEY) === "on"
    } catch {
      // no storage: off at the start
    }
    if (preferred) { this.on = preferred === "on" }
  }

  toggle() {
    this.on = !this.on
    try {
      this.storage.setItem(KEY, this.on ? "on" : "off")
    } catch {
      // as long as the page is open
    }
  }

  // A candidate was graded; whether the next one is to be shown.
  given(candidate) {
    this.graded = this.on ? candidate : null
    return this.on
  }

  // Another candidate is shown, by itself or because it was asked for.
  shows(candidate) {
    this.came = this.graded === null ? null : {from: this.graded, to: candidate}
    this.graded = null
  }

  // The candidate whose grade is meant to be taken back: the one that is shown, or, where that has none and a
  // grade has just led here, the one that was graded.
  toUndo(shown, own) { return !own && this.came?.to === shown ? this.came.from : shown }
}
