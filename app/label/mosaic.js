// Many cutouts at a time: mark the few that stand out, set the rest in one stroke.

import { Frame } from "../viewer/frame.js"
import { tileUrl, viewRecord } from "../viewer/tiles.js"
import { h } from "../widgets/dom.js"
import { asRow } from "./single.js"

const LAYOUTS = [[5, 4], [6, 5], [8, 5], [8, 6], [10, 8], [10, 10]]

export class MosaicView {
  // `onMark` is called with an entry and a grade (null: take the mark away), `onRest` when what has none gets one.
  constructor(geometries, pool, scheme, view, {onMark, onLayout, onRest}) {
    this.geometries = geometries
    this.pool = pool
    this.scheme = scheme
    this.brush = scheme.grades[0].key // the grade that a click gives
    this.view = view // a function: the viewer's settings
    this.onMark = onMark
    this.entries = []
    this.cells = []
    this.cursor = 0
    this.shownAt = 0
    this.columns = 5
    this.rows = 4
    this.layout = h("select", {"aria-label": "Cutouts per page", onchange: () => {
      onLayout(LAYOUTS[this.layout.selectedIndex])
      this.layout.blur()
    }}, LAYOUTS.map(([columns, rows]) => h("option", {}, `${columns} × ${rows}`)))
    this.grid = h("div", {className: "mosaic-grid", role: "group", "aria-label": "Cutouts"})
    this.hint = h("p", {className: "faint mosaic-hint"})
    this.rest = h("button", {type: "button", onclick: () => onRest()})
    this.node = h("div", {className: "mosaic", hidden: true},
      h("div", {className: "mosaic-head"}, h("label", {}, "Page ", this.layout), this.rest, this.hint), this.grid)
  }

  setLayout([columns, rows]) {
    this.columns = columns
    this.rows = rows
    this.layout.selectedIndex = Math.max(0, LAYOUTS.findIndex(([c, r]) => c === columns && r === rows))
    this.node.style.setProperty("--columns", columns)
    this.node.style.setProperty("--rows", rows)
  }

  get size() { return this.columns * this.rows }

  // Draw a page; resolves when all of its pictures are drawn.
  show(entries, upcoming) {
    this.entries = entries
    this.cursor = 0
    this.shownAt = performance.now()
    while (this.cells.length > entries.length) { this.cells.pop().node.remove() }
    while (this.cells.length < entries.length) { this.addCell(this.cells.length) }
    const drawn = this.draw()
    this.pool.ahead(upcoming.map((entry) => this.url(entry)))
    return drawn.then((all) => {
      if (entries === this.entries) { this.shownAt = performance.now() }
      return entries === this.entries && all.every(Boolean)
    })
  }

  draw() {
    const {invert, smooth} = this.view()
    this.node.classList.toggle("inverted", invert)
    this.node.classList.toggle("smooth", smooth)
    const drawn = Promise.all(this.cells.map(({frame}, k) => frame.show(this.pool, this.url(this.entries[k]))))
    this.mark()
    return drawn
  }

  url(entry) { return tileUrl(this.geometries[entry.kind], asRow(entry), null, this.view()) }

  addCell(k) {
    const frame = new Frame()
    const badge = h("span", {className: "badge"})
    const node = h("button", {type: "button", className: "cell", tabIndex: -1,
      onpointerenter: () => this.moveTo(k),
      onclick: () => { this.moveTo(k); this.toggle(this.entries[k]) }}, frame.node, badge)
    this.cells.push({frame, badge, node})
    this.grid.append(node)
  }

  get focused() { return this.entries[this.cursor] }

  moveTo(k) {
    this.cursor = Math.max(0, Math.min(this.entries.length - 1, k))
    this.mark()
  }

  move(dx, dy) { this.moveTo(this.cursor + dx + dy * this.columns) }

  // A click marks with the brush, and takes its mark away again.
  toggle(entry) { this.onMark(entry, entry.response?.grade === this.brush ? null : this.brush) }

  // Show which cutouts have which grade, and where the cursor is.
  mark() {
    this.cells.forEach(({badge, node}, k) => {
      const entry = this.entries[k]
      const grade = this.scheme.grades.find(({key}) => key === entry.response?.grade)
      badge.textContent = entry.response?.kind === "skip" ? "skipped" : entry.response?.grade ?? ""
      node.dataset.verdict = entry.response === null ? "" : verdictOf(grade)
      node.setAttribute("aria-label", `Cutout ${k + 1}${grade ? `, ${grade.title}` : ""}`)
      node.classList.toggle("flagged", entry.flagged)
      node.classList.toggle("focused", k === this.cursor)
    })
  }

  describe(restTitle, restKey) {
    const brush = this.scheme.grades.find(({key}) => key === this.brush)
    this.hint.replaceChildren(`Click: ${brush.title} (${brush.key}). A grade's key marks the cutout under the `,
      "pointer, arrows move.")
    this.rest.replaceChildren(`The rest: ${restTitle} `, h("kbd", {}, restKey))
  }

  get shownMs() { return performance.now() - this.shownAt }

  get record() {
    const [first] = this.entries
    const geometry = first === undefined ? null : this.geometries[first.kind]
    return {mode: "mosaic", columns: this.columns, rows: this.rows, ...viewRecord(this.view(), geometry)}
  }
}

export function verdictOf(grade) {
  return grade === undefined ? "none" : grade.is_lens === 1 ? "lens" : grade.is_lens === 0 ? "not" : "open"
}
