// The chosen candidate's picture: the viewer with its tools, the name above it, and what comes next.

import { ImageControls } from "../viewer/controls.js"
import { readPalettes } from "../viewer/frame.js"
import { infoUrl, TilePool } from "../viewer/tiles.js"
import { ImageToolbar } from "../viewer/toolbar.js"
import { ImageViewer } from "../viewer/viewer.js"
import { debounce, h } from "../widgets/dom.js"
import { labelChip, stageChip } from "./table.js"

const AHEAD = 8 // candidates whose pictures are fetched before they are asked for
const BEHIND = 2
const AUTO_PAUSE_MS = 40

export class CandidatePanel {
  /**
   * @param {any} start what the page began with
   * @param {Map<number, any>} catalogs by id
   * @param {object} parts
   * @param {import("./walk.js").RankingWalk} parts.walk
   * @param {(event: "shown" | "settled", row: any, ms: number) => void} parts.onDrawn
   * @param {() => void} parts.onHelp
   * @param {() => boolean} parts.onView pictures are to be drawn otherwise; whether this one is in sight
   */
  constructor(start, catalogs, {walk, onDrawn, onHelp, onView}) {
    this.catalogs = catalogs
    this.walk = walk
    this.onDrawn = onDrawn
    this.pool = new TilePool()
    this.controls = new ImageControls(start, () => { if (onView()) { this.redraw() } })
    this.viewer = new ImageViewer(this.pool, readPalettes(start.palettes))
    this.toolbar = new ImageToolbar(this.viewer, this.controls)
    this.fetchAuto = debounce(() => this.askAuto(), AUTO_PAUSE_MS)
    this.title = h("h2", {})
    this.chips = h("span", {className: "chips"})
    const help = h("button", {type: "button", className: "text", onclick: onHelp}, "Keys ", h("kbd", {}, "?"))
    this.node = h("section", {className: "viewer", "aria-label": "Candidate"},
      h("header", {}, this.title, this.chips, h("span", {className: "spacer"}), help),
      this.toolbar.node, this.viewer.node, this.controls.node)
  }

  get row() { return this.walk.row }

  catalogOf(row) { return this.catalogs.get(row.catalog_id) }

  show(row, at) {
    this.title.textContent = row.object_id
    this.title.title = row.object_id
    this.showChips(row)
    this.controls.setCatalog(this.catalogOf(row))
    const drawn = this.viewer.show(row, this.catalogOf(row), this.controls.view)
    this.tell("shown", drawn, row, at)
    this.tell("settled", this.viewer.settled, row, at)
    this.toolbar.render()
    this.fetchAhead()
    this.fetchAuto()
  }

  showChips(row) { this.chips.replaceChildren(stageChip(row.stage), labelChip(row.label)) }

  // Say when a picture stands on the screen, unless another candidate was chosen meanwhile.
  tell(event, drawing, row, at) {
    drawing.then((drawn) => {
      if (drawn && row === this.row) {
        requestAnimationFrame(() => this.onDrawn(event, row, performance.now() - at))
      }
    })
  }

  redraw() {
    const {row} = this
    if (row === undefined) { return }
    this.viewer.show(row, this.catalogOf(row), this.controls.view)
    this.toolbar.render()
    this.fetchAhead()
    this.fetchAuto()
  }

  // Show on the sliders what "auto" chose for the candidate, where that is how it is drawn.
  async askAuto() {
    const {row} = this
    if (row === undefined || this.controls.view.preset !== "auto") { return }
    try {
      const answer = await fetch(infoUrl(this.catalogOf(row), row, this.controls.view))
      const {auto} = answer.ok ? await answer.json() : {}
      if (auto !== undefined && row === this.row) { this.controls.suggest(auto) }
    } catch {
      // the server is away: the picture's own place says so
    }
  }

  fetchAhead() {
    const {rows, index} = this.walk
    const near = [...this.walk.upcoming(AHEAD), ...rows.slice(Math.max(0, index - BEHIND), index).reverse()]
    this.pool.ahead(near.flatMap((row) => this.viewer.urls(row, this.catalogOf(row), this.controls.view)))
  }

  clear() {
    this.viewer.clear()
    this.title.textContent = ""
    this.chips.replaceChildren()
  }

  remove() {
    this.viewer.reset()
    this.fetchAuto.cancel()
  }
}
