// What stands in the place of the cutouts where there is none to show: the session is done, or more are to come.

import { formatCount, h } from "../widgets/dom.js"
import { isOpen } from "./queue.js"

export class SessionEnd {
  /**
   * @param {{id: string, open: boolean}} session
   * @param {import("./queue.js").LabelQueue} queue
   */
  constructor(session, queue) {
    this.session = session
    this.queue = queue
    this.node = h("div", {className: "empty", hidden: true})
  }

  // `allSent`: no event is on its way, so that the server knows what was skipped.
  show(ended, allSent) {
    this.node.hidden = !ended
    if (!ended) { return }
    const {queue} = this
    const {skipped} = queue
    const mayAsk = this.session.open && queue.exhausted && !queue.offered && !queue.entries.some(isOpen)
    if (mayAsk && allSent) { queue.offerSkipped() }
    const waiting = !queue.exhausted || mayAsk
    const n = formatCount(skipped.length)
    this.node.replaceChildren(...[
      h("h3", {}, waiting ? (queue.failed ? "The server does not answer" : "Loading …")
        : "You have seen every cutout of this session"),
      h("p", {}, waiting ? "Your grades are saved here; the next cutouts are loaded as soon as it is back."
        : `${formatCount(queue.nDone)} cutouts${skipped.length ? `, ${n} of them skipped` : ""}.`),
      !waiting && skipped.length && this.session.open
        ? h("p", {}, h("button", {type: "button", onclick: () => queue.offerSkipped()},
          "Show the skipped ones again"))
        : null,
      waiting ? null : h("p", {}, h("a", {href: "label"}, "Back to the sessions")),
    ].filter(Boolean))
  }
}
