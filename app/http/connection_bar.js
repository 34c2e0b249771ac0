// What a page says of its connection, with the button that loads it anew where only that helps.

import { h } from "../widgets/dom.js"
import { connectionText } from "./connection.js"

export class ConnectionBar {
  constructor() {
    this.words = h("span", {})
    this.reload = h("button", {type: "button", onclick: () => location.reload()}, "Reload")
    this.node = h("p", {className: "info", role: "status", hidden: true}, this.words, this.reload)
  }

  /** @param {import("./connection.js").Connection} connection */
  show(connection) {
    const text = connectionText(connection)
    this.node.hidden = text === ""
    this.node.classList.toggle("fault", connection.away)
    this.words.textContent = text
    this.reload.hidden = connection.away
  }

  // For the page's own attribute, which styles and tests read: "away", "detached" or "".
  static stateOf({away, detached}) { return away ? "away" : detached ? "detached" : "" }
}
