// What a grader likes: keys, layout. Kept by the server; said again where it did not answer.

import { post } from "../http/requests.js"

export class Preferences {
  /**
   * @param {any} stored
   * @param {object} parts
   * @param {() => void} parts.onAway the server did not answer
   * @param {(sentence: string) => void} parts.onProblem
   */
  constructor(stored, {onAway, onProblem}) {
    this.values = {hand: "own", own: {}, layout: [5, 4], mosaic: false, ...stored}
    this.onAway = onAway
    this.onProblem = onProblem
    this.unsaid = false
  }

  change(changes) {
    Object.assign(this.values, changes)
    this.send()
  }

  async send() {
    this.unsaid = true
    try {
      await post("labeling/preferences", {label: this.values})
      this.unsaid = false
    } catch (error) {
      if (error.passing) { this.onAway() } else { this.onProblem(error.message) }
    }
  }

  serverIsBack() { if (this.unsaid) { this.send() } }
}
