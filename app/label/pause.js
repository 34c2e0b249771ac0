// In the tutorial a cutout stays with its explanation until the learner goes on.

import { isTyping } from "../widgets/keyboard.js"

export class Pause {
  /** @param {import("./panel.js").LabelPanel} panel where the explanation stands */
  constructor(panel) {
    this.panel = panel
    this.uuid = null // of the grade that is being explained
  }

  get on() { return this.uuid !== null }

  begin(entry, goOn) {
    this.uuid = entry.response.uuid
    this.panel.show(entry)
    this.panel.await(goOn)
  }

  // Whether a key goes on: Space, Enter, or one that grades.
  endsBy(event, gradeKeys) {
    return this.on && !isTyping(event) && !event.ctrlKey && !event.metaKey && !event.altKey
      && ([" ", "Enter"].includes(event.key) || gradeKeys.has(event.key))
  }

  end() {
    if (!this.on) { return }
    this.uuid = null
    this.panel.setFeedback(null)
  }
}
