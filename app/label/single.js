// One cutout at a time: a large picture, drawn at once from what was fetched ahead.

import { ImageControls } from "../viewer/controls.js"
import { readPalettes } from "../viewer/frame.js"
import { ImageToolbar } from "../viewer/toolbar.js"
import { viewRecord } from "../viewer/tiles.js"
import { ImageViewer } from "../viewer/viewer.js"
import { h } from "../widgets/dom.js"

export const STAMPS_AHEAD = 10
export const STAMPS_BEHIND = 3

export class SingleView {
  constructor(start, geometries, pool, onChange) {
    this.geometries = geometries
    this.pool = pool
    this.controls = new ImageControls(start, () => { this.redraw(); onChange() })
    this.viewer = new ImageViewer(pool, readPalettes(start.palettes))
    this.toolbar = new ImageToolbar(this.viewer, this.controls)
    this.entry = null
    this.shownAt = 0
    this.node = h("div", {className: "single"}, this.toolbar.node, this.viewer.node, this.controls.node)
  }

  // Draw a cutout; resolves to whether it is still the one shown, once it is drawn.
  show(entry, upcoming, behind) {
    this.entry = entry
    this.shownAt = performance.now()
    const geometry = this.geometries[entry.kind]
    this.controls.setCatalog(geometry)
    const drawn = this.viewer.show(asRow(entry), geometry, this.controls.view)
    this.toolbar.render()
    this.pool.ahead([...upcoming.slice(0, STAMPS_AHEAD), ...behind.slice(0, STAMPS_BEHIND)].flatMap((near) =>
      this.viewer.urls(asRow(near), this.geometries[near.kind], this.controls.view)))
    return drawn.then((still) => {
      if (still && entry === this.entry) { this.shownAt = performance.now() }
      return still && entry === this.entry
    })
  }

  redraw() {
    if (this.entry !== null && !this.node.hidden) {
      this.viewer.show(asRow(this.entry), this.geometries[this.entry.kind], this.controls.view)
      this.toolbar.render()
    }
  }

  get shownMs() { return performance.now() - this.shownAt }

  // What was on screen, for the log.
  get record() {
    const geometry = this.entry === null ? null : this.geometries[this.entry.kind]
    return {mode: "single", band: this.viewer.shown, ...viewRecord(this.controls.view, geometry)}
  }

  clear() {
    this.entry = null
    this.viewer.clear()
  }
}

const ROWS = new WeakMap()

// A cutout as the viewer takes it: always the same object, which is how the viewer knows it again.
export function asRow(entry) {
  if (!ROWS.has(entry)) { ROWS.set(entry, {id: entry.token, index: entry.token, version: ""}) }
  return ROWS.get(entry)
}
