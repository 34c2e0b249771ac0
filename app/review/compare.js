// Side by side: two to four candidates, or one candidate under two ensembles, with one zoom.

import { Camera } from "../viewer/camera.js"
import { Frame } from "../viewer/frame.js"
import { tileUrl } from "../viewer/tiles.js"
import { formatNumber, formatProbability, h } from "../widgets/dom.js"
import { gradeMarks } from "./marks.js"
import { labelChip } from "./table.js"

const MOST = 4
const ZOOM_STEP = Math.SQRT2
const PAN_STEP = 0.15

export const OPEN_COMPARE = {keys: ["S"], shown: "S", action: "compare", text: "Side by side: this candidate and the next, or those selected"}
export const COMPARE_KEYS = {title: "Side by side", keys: [
  {keys: ["S", "Escape"], shown: "S Esc", action: "close", text: "Back"},
  {keys: ["j", "ArrowDown"], shown: "j ↓", action: "next", text: "One candidate on"},
  {keys: ["k", "ArrowUp"], shown: "k ↑", action: "previous", text: "One candidate back"},
  {keys: ["]"], shown: "]", action: "more", text: "One more beside them, up to four"},
  {keys: ["["], shown: "[", action: "fewer", text: "One less, down to two"},
  {keys: ["e"], shown: "e", action: "ensembles", text: "The first candidate under two ensembles; again: candidates"},
  {keys: ["o"], shown: "o", action: "own", text: "A stretch suited to each; again: the same for all"},
  {keys: ["z"], shown: "z", action: "attention", text: "Show or hide the attention of a member"},
  {keys: [..."123456789"], shown: "1 … 9", action: "band", text: "Show that band; again: color"},
  {keys: ["0"], shown: "0", action: "color", text: "Show the color pictures"},
  {keys: ["+", "="], shown: "+", action: "zoomIn", text: "Zoom in, all together (or the wheel)"},
  {keys: ["-", "_"], shown: "−", action: "zoomOut", text: "Zoom out"},
  {keys: ["Shift+ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"], shown: "Shift ↑↓←→", action: "pan",
    text: "Move the pictures (or drag one)"},
  {keys: ["f"], shown: "f", action: "fit", text: "Whole cutouts (or double click)"},
]}

/**
 * Which rows stand side by side when the window of `n` moves by a step through a list.
 *
 * @param {any[]} rows
 * @param {number} first
 * @param {number} n
 * @param {number} step
 */
export function windowOf(rows, first, n, step) {
  const last = Math.max(0, rows.length - n)
  const from = Math.min(last, Math.max(0, first + step))
  return {first: from, rows: rows.slice(from, from + n)}
}

export class Compare {
  /**
   * @param {any} start what the page began with
   * @param {Map<number, any>} catalogs by id
   * @param {object} host
   * @param {import("../viewer/tiles.js").TilePool} host.pool
   * @param {() => any} host.view
   * @param {() => number | null} host.ensemble
   * @param {(message: object, then: (answer: any) => void) => void} host.ask
   * @param {(id: number) => any} host.ownGrade
   * @param {(id: number) => void} host.onOpen
   */
  constructor(start, catalogs, host) {
    this.start = start
    this.catalogs = catalogs
    this.host = host
    this.rows = []
    this.first = 0
    this.n = 2
    this.own = false
    this.attention = false
    this.byEnsemble = false
    this.left = this.right = null // ensembles that were chosen
    this.band = null
    this.cells = []
    this.grid = h("div", {className: "compare-grid"})
    this.camera = new Camera(this.grid, () => {})
    const button = (text, title, action) => h("button", {type: "button", title, onclick: action}, text)
    this.title = h("h2", {}, "Side by side")
    this.ownButton = button("Own stretch", "A stretch suited to each picture (key o)", () => this.toggle("own"))
    this.ensemblesButton = button("Two ensembles", "The first candidate under two ensembles (key e)", () => this.toggle("byEnsemble"))
    if (start.ensembles.length < 2) {
      this.ensemblesButton.disabled = true
      this.ensemblesButton.title = "Only one ensemble has scored candidates"
    }
    this.attentionButton = button("Attention", "Attention of a member, over the picture (key z)", () => this.toggle("attention"))
    this.fewer = button("−", "One candidate less (key [)", () => this.resize(-1))
    this.more = button("+", "One candidate more (key ])", () => this.resize(1))
    this.bands = h("span", {className: "segments", role: "group", "aria-label": "Band"})
    this.node = h("section", {className: "compare", "aria-label": "Side by side", hidden: true},
      h("header", {}, this.title, h("span", {className: "segments", role: "group", "aria-label": "Number"}, this.fewer, this.more),
        this.bands, h("span", {className: "segments"}, this.ownButton, this.ensemblesButton, this.attentionButton),
        h("span", {className: "spacer"}), button("Close", "Back (Esc)", () => this.close())),
      this.grid)
  }

  get shown() { return !this.node.hidden }

  // Show rows of a list from one of them on; those that were selected all together.
  open(rows, first, n) {
    if (!rows.length) { return }
    this.rows = rows
    this.n = Math.max(1, Math.min(MOST, n))
    this.first = windowOf(rows, first, this.n, 0).first
    this.band = null
    this.byEnsemble = rows.length === 1 && this.start.ensembles.length > 1
    this.node.hidden = false
    this.camera.reset()
    this.build()
  }

  close() {
    this.node.hidden = true
    this.grid.replaceChildren()
    this.cells = []
  }

  toggle(name) {
    if (name === "byEnsemble" && this.start.ensembles.length < 2) { return }
    this[name] = !this[name]
    this.build()
  }

  resize(step) {
    this.n = Math.max(2, Math.min(MOST, this.n + step))
    this.build()
  }

  step(step) {
    this.first = windowOf(this.rows, this.first, this.byEnsemble ? 1 : this.n, step).first
    this.build()
  }

  showBand(number) {
    const band = this.bandNames[number - 1]
    if (band === undefined) { return }
    this.band = this.band === band ? null : band
    this.build()
  }

  actions() {
    const pan = {ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0]}
    return {
      close: () => this.close(),
      next: () => this.step(1), previous: () => this.step(-1),
      more: () => this.resize(1), fewer: () => this.resize(-1),
      ensembles: () => this.toggle("byEnsemble"), own: () => this.toggle("own"), attention: () => this.toggle("attention"),
      band: (key) => this.showBand(Number(key)), color: () => { this.band = null; this.build() },
      zoomIn: () => this.camera.zoomBy(ZOOM_STEP), zoomOut: () => this.camera.zoomBy(1 / ZOOM_STEP),
      fit: () => this.camera.reset(),
      pan: (key) => this.camera.panBy(...pan[key.slice(6)].map((part) => part * PAN_STEP)),
    }
  }

  // --- drawing ----------------------------------------------------------------------------------

  get shownRows() { return windowOf(this.rows, this.first, this.n, 0).rows }

  get bandNames() { return [...new Set(this.shownRows.flatMap((row) => this.catalogs.get(row.catalog_id)?.bands ?? []))] }

  build() {
    const one = this.rows[this.first]
    this.cells = this.byEnsemble ? this.ensemblesOf().map((id) => this.cell(one, id))
      : this.shownRows.map((row) => this.cell(row, this.host.ensemble()))
    this.grid.style.setProperty("--n", String(this.cells.length))
    this.grid.replaceChildren(...this.cells.map(({node}) => node))
    for (const [button, on] of [[this.ownButton, this.own], [this.ensemblesButton, this.byEnsemble], [this.attentionButton, this.attention]]) {
      button.setAttribute("aria-pressed", String(on))
    }
    this.fewer.disabled = this.byEnsemble || this.n <= 2
    this.more.disabled = this.byEnsemble || this.n >= Math.min(MOST, this.rows.length)
    this.bands.replaceChildren(...["", ...this.bandNames].map((name, k) => h("button", {type: "button",
      title: name ? `Band ${name} (key ${k})` : "Color (key 0)", "aria-pressed": String((this.band ?? "") === name),
      onclick: () => { this.band = name || null; this.build() }}, name || "Color")))
    this.draw()
  }

  // The list's own ensemble and one that was chosen before, or the next.
  ensemblesOf() {
    const ids = this.start.ensembles.map(({id}) => id)
    const left = this.left ?? this.host.ensemble() ?? ids[0]
    const right = this.right ?? ids.find((id) => id !== left) ?? left
    return [left, right].filter((id) => id !== undefined)
  }

  cell(row, ensemble) {
    const map = h("img", {className: "attention-map", alt: "", hidden: true})
    const frame = new Frame(map)
    map.addEventListener("load", () => { map.hidden = !this.attention })
    const facts = h("dl", {className: "facts"})
    const heading = this.byEnsemble ? this.choice(ensemble) : h("button", {type: "button", className: "text",
      title: "Open this candidate", onclick: () => { this.close(); this.host.onOpen(row.id) }}, row.object_id)
    const node = h("figure", {}, frame.node, h("figcaption", {}, h("div", {className: "compare-name"}, heading,
      gradeMarks(row, this.host.ownGrade(row.id)), labelChip(row.label)), facts))
    this.follow(frame.node)
    return {row, ensemble, frame, map, facts, node}
  }

  choice(ensemble) {
    const side = () => (this.cells[0]?.select === select ? "left" : "right")
    const select = h("select", {"aria-label": "Ensemble", onchange: () => {
      this[side()] = Number(select.value)
      this.build()
    }}, this.start.ensembles.map(({id, name}) => h("option", {value: id, selected: id === ensemble}, name)))
    return select
  }

  draw() {
    const shared = this.host.view()
    const view = this.own ? {...shared, preset: "auto"} : shared
    this.grid.classList.toggle("inverted", view.invert)
    this.grid.classList.toggle("smooth", view.smooth)
    for (const cell of this.cells) {
      cell.select = cell.node.querySelector("select")
      const catalog = this.catalogs.get(cell.row.catalog_id)
      if (catalog === undefined) { continue }
      const band = catalog.bands.includes(this.band) ? this.band : null
      cell.frame.show(this.host.pool, tileUrl(catalog, cell.row, band, view))
      this.ask(cell, catalog)
    }
  }

  // What the cell's ensemble says of its candidate.
  ask(cell, catalog) {
    this.write(cell, undefined)
    if (cell.ensemble === null) { return }
    this.host.ask({type: "details", ids: [cell.row.id], ensemble_id: cell.ensemble}, ({details: [found]}) => {
      if (this.cells.includes(cell) && found !== undefined) {
        this.write(cell, found)
        this.showAttention(cell, catalog, found.members)
      }
    })
    if (this.byEnsemble) {
      this.host.ask({type: "score_context", id: cell.row.id, ensemble_id: cell.ensemble}, (context) => {
        if (!this.cells.includes(cell)) { return }
        cell.score = context.ensembles.find(({id}) => id === cell.ensemble) ?? null
        cell.interval = context.interval
        this.write(cell, cell.details)
      })
    }
  }

  write(cell, details) {
    cell.details = details
    const {row, score, interval} = cell
    const probability = this.byEnsemble ? score?.probability : row.probability
    const fact = (name, text) => text === undefined ? null : h("div", {}, h("dt", {}, name), h("dd", {}, text))
    cell.facts.replaceChildren(...[
      this.byEnsemble ? fact("Candidate", row.object_id) : null,
      fact("Score", this.byEnsemble && score === null ? "not scored" : formatProbability(probability)),
      interval ? fact("68 % interval", `${formatProbability(interval.low)} – ${formatProbability(interval.high)}`) : null,
      this.byEnsemble ? null : fact("Epistemic", formatNumber(row.epistemic)),
      this.byEnsemble ? null : fact("Magnitude", formatNumber(row.magnitude, 2)),
      ...(details?.members ?? []).map(({name, probability: p}) => fact(name, formatProbability(p))),
    ].filter((one) => one !== null))
  }

  showAttention(cell, catalog, members) {
    const member = members.find(({kind}) => kind === "network") ?? members[0]
    if (!this.attention || member === undefined) { return }
    const {row} = cell
    const base = `attention/${encodeURIComponent(member.name)}/${encodeURIComponent(catalog.name)}/${row.index}`
    fetch(`${base}/info?v=${row.version}`).then((answer) => answer.ok ? answer.json() : null).then((answer) => {
      if (answer?.kind === "map") {
        cell.map.src = `${base}?v=${row.version}`
      } else {
        cell.frame.node.title = answer?.sentence ?? "There is no map of this member."
      }
    }, () => {})
  }

  // Zoom and move all pictures with this one.
  follow(node) {
    const place = (event) => {
      const box = node.getBoundingClientRect()
      return {x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height}
    }
    let last = null
    node.addEventListener("wheel", (event) => {
      if (event.ctrlKey) { return }
      event.preventDefault()
      this.camera.zoomBy(2 ** (-Math.sign(event.deltaY) / 3), place(event))
    }, {passive: false})
    node.addEventListener("pointerdown", (event) => {
      last = place(event)
      node.setPointerCapture(event.pointerId)
    })
    node.addEventListener("pointermove", (event) => {
      if (last === null) { return }
      const at = place(event)
      this.camera.panBy(last.x - at.x, last.y - at.y)
      last = at
    })
    for (const end of ["pointerup", "pointercancel"]) { node.addEventListener(end, () => { last = null }) }
    node.addEventListener("dblclick", () => this.camera.reset())
  }
}
