// The panes of a page can be made wider and narrower; a browser remembers how wide.

import { h } from "../widgets/dom.js"

const KEY = "lens-triage-panes"
const LEAST_PX = {list: 220, side: 220}
const LEAST_VIEWER_PX = 330
const STEP_PX = 16

/** @typedef {{list?: number, side?: number}} Widths */

/**
 * Widths that leave the viewer its least.
 *
 * @param {Widths} widths asked for, in px
 * @param {number} room of all three panes together
 * @returns {{list: number, side: number}}
 */
export function fitted({list = 0, side = 0}, room) {
  const most = (other) => Math.max(LEAST_PX.list, room - LEAST_VIEWER_PX - other)
  const held = Math.max(LEAST_PX.side, Math.min(side, most(LEAST_PX.list)))
  return {list: Math.max(LEAST_PX.list, Math.min(list, most(held))), side: held}
}

export class Panes {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} viewer
   * @param {HTMLElement} side
   */
  constructor(list, viewer, side) {
    this.parts = {list, side}
    this.node = h("div", {className: "columns"}, list, this.splitter("list", 1, "Width of the list"), viewer,
      this.splitter("side", -1, "Width of the panels"), side)
    this.widths = this.remembered()
    if (this.widths !== null) { this.apply(this.widths) }
  }

  // `sign`: 1 where a pane grows when its border is moved to the right.
  splitter(name, sign, title) {
    const node = h("div", {className: "splitter", role: "separator", tabIndex: 0, "aria-orientation": "vertical",
      "aria-label": title, title: `${title}: drag, or use the arrow keys; double click: reset`,
      ondblclick: () => this.reset(),
      onkeydown: (event) => {
        const direction = {ArrowLeft: -1, ArrowRight: 1}[event.key]
        if (direction === undefined) { return }
        event.preventDefault()
        event.stopPropagation() // on the page these keys step through the bands
        this.set(name, this.parts[name].offsetWidth + sign * direction * STEP_PX)
      },
      onpointerdown: (event) => {
        event.preventDefault()
        const from = event.clientX, width = this.parts[name].offsetWidth
        node.setPointerCapture(event.pointerId)
        node.classList.add("dragged")
        node.onpointermove = (moved) => this.set(name, width + sign * (moved.clientX - from))
        node.onpointerup = node.onpointercancel = () => {
          node.classList.remove("dragged")
          node.onpointermove = null
        }
      }})
    const part = this.parts[name]
    new ResizeObserver(() => { // what the separator says to screen readers
      for (const [key, value] of [["now", part.offsetWidth], ["min", LEAST_PX[name]], ["max", this.node.clientWidth]]) {
        node.setAttribute(`aria-value${key}`, String(value))
      }
    }).observe(part)
    return node
  }

  set(name, width) {
    const now = {list: this.parts.list.offsetWidth, side: this.parts.side.offsetWidth}
    this.widths = fitted({...now, [name]: width}, this.node.clientWidth)
    this.apply(this.widths)
    try {
      localStorage.setItem(KEY, JSON.stringify(this.widths))
    } catch {
      // no storage: as long as the page is open
    }
  }

  // As wide as asked for, or as the window of today lets them be.
  apply({list, side}) {
    const {style} = this.node
    style.setProperty("--list", `minmax(${LEAST_PX.list}px, ${list}px)`)
    style.setProperty("--side", `minmax(${LEAST_PX.side}px, ${side}px)`)
    style.setProperty("--viewer", `minmax(${LEAST_VIEWER_PX}px, 1fr)`)
  }

  reset() {
    this.widths = null
    for (const name of ["--list", "--side", "--viewer"]) { this.node.style.removeProperty(name) }
    try {
      localStorage.removeItem(KEY)
    } catch {
      // nothing was stored
    }
  }

  remembered() {
    try {
      const {list, side} = JSON.parse(localStorage.getItem(KEY)) ?? {}
      return Number.isFinite(list) && Number.isFinite(side) ? {list, side} : null
    } catch {
      return null // no storage, or not ours
    }
  }
}
