// The list as stamps: the same rows in the same order, to select many and treat them together.

import { tileUrl } from "../viewer/tiles.js"
import { formatProbability, h, loadMissing, picture } from "../widgets/dom.js"
import { gradeMarks } from "./marks.js"
import { StampSelection, stepInGrid } from "./selecting.js"

const COLUMNS = [6, 8, 10, 12, 16]
const STORE = "lens-triage.review.gallery"
const LARGEST_PX = 192 // of a stamp: larger cutouts are shrunk by the server

export const GALLERY_KEYS = {title: "Gallery", keys: [
  {keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], shown: "← → ↑ ↓", action: "step", text: "Go to another stamp"},
  {keys: [" "], shown: "Space", action: "toggle", text: "Select or deselect the stamp"},
  {keys: ["Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"], shown: "Shift ←→↑↓", action: "extend",
    text: "Select a range (or Shift and click)"},
  {keys: ["a"], shown: "a", action: "page", text: "Select all stamps that are shown; again: none of them"},
  {keys: ["Escape"], shown: "Esc", action: "clear", text: "Select nothing"},
  {keys: ["Enter"], shown: "Enter", action: "open", text: "Open the candidate large (or double click)"},
  {keys: ["]", "PageDown"], shown: "]", action: "nextPage", text: "Next page"},
  {keys: ["[", "PageUp"], shown: "[", action: "previousPage", text: "Previous page"},
  {keys: ["Home"], shown: "Home", action: "first", text: "First page"},
  {keys: ["/"], shown: "/", action: "search", text: "Search by object id"},
  {keys: ["G"], shown: "G", action: "gallery", text: "Back to the list and the large picture"},
]}
export const BULK_KEYS = {title: "With the selection (or the one stamp)", keys: [
  {keys: ["A", "B", "C", "X"], shown: "A B C X", action: "bulkGrade", text: "Grade; asks first"},
  {keys: ["T"], shown: "T", action: "bulkTag", text: "Tag"},
  {keys: ["M"], shown: "M", action: "bulkMove", text: "Move to a stage, or reject with a reason"},
  {keys: ["E"], shown: "E", action: "bulkExport", text: "Export, or list these alone"},
  {keys: ["u"], shown: "u", action: "bulkUndo", text: "Undo the last action"},
]}

export class Gallery {
  /**
   * @param {Map<number, any>} catalogs by id
   * @param {object} host
   * @param {() => any} host.view settings of pictures
   * @param {import("./walk.js").RankingWalk} host.walk
   * @param {(id: number) => any} host.ownGrade
   * @param {() => void} host.onOpen
   * @param {() => void} host.onSelection
   */
  constructor(catalogs, host) {
    this.catalogs = catalogs
    this.host = host
    this.selection = new StampSelection()
    this.stamps = h("div", {className: "stamps", role: "listbox", tabIndex: 0, "aria-label": "Candidates",
      "aria-multiselectable": "true"})
    this.columns = h("select", {"aria-label": "Stamps in a line", title: "Stamps in a line", onchange: () => {
      this.setColumns(Number(this.columns.value))
      this.columns.blur()
    }}, COLUMNS.map((n) => h("option", {value: n}, `${n} in a line`)))
    this.node = h("div", {className: "gallery", hidden: true}, this.stamps)
    this.stamps.addEventListener("click", (event) => this.click(event))
    this.stamps.addEventListener("dblclick", (event) => { if (this.indexOf(event) >= 0) { host.onOpen() } })
    this.stamps.addEventListener("mousedown", (event) => { if (event.shiftKey) { event.preventDefault() } }) // marks no text
    this.setColumns(remembered())
  }

  get shown() { return !this.node.hidden }

  get index() { return this.host.walk.index }

  setColumns(n) {
    this.columns.value = String(n)
    this.node.style.setProperty("--columns", String(n))
    try {
      localStorage.setItem(STORE, String(n))
    } catch {
      // as long as the page is open
    }
  }

  // As many as the window lets stand in a line.
  get perLine() { return getComputedStyle(this.stamps).gridTemplateColumns.split(" ").length }

  // Show the rows of a page; its stamps are drawn while the gallery is shown.
  setRows(rows) {
    this.selection.show(rows)
    this.drawn = null
    if (this.shown) { this.draw() }
  }

  open(shown) {
    this.node.hidden = !shown
    if (shown && this.drawn !== this.selection.rows) { this.draw() }
    if (shown) { this.select() }
  }

  draw() {
    const {rows} = this.selection
    this.drawn = rows
    this.stamps.replaceChildren(...rows.map((row) => this.stamp(row)))
    this.node.scrollTop = 0
    this.mark()
  }

  stamp(row) {
    const catalog = this.catalogs.get(row.catalog_id)
    const name = `${row.object_id}, score ${formatProbability(row.probability)}`
    return h("div", {className: "stamp", role: "option", id: `stamp-${row.id}`, title: name},
      catalog === undefined ? null : picture({src: this.url(row, catalog), alt: "", draggable: false}),
      h("span", {className: "stamp-marks"}, gradeMarks(row, this.host.ownGrade(row.id))),
      h("span", {className: "stamp-name"}, h("span", {}, row.object_id), h("span", {}, formatProbability(row.probability))))
  }

  url(row, catalog) {
    return tileUrl(catalog, row, null, this.host.view(), catalog.size_px > LARGEST_PX ? LARGEST_PX : 0)
  }

  // Another stretch: the same stamps, drawn anew.
  redraw() {
    if (!this.shown) {
      this.drawn = null
      return
    }
    this.selection.rows.forEach((row, k) => {
      const catalog = this.catalogs.get(row.catalog_id)
      if (catalog !== undefined) { this.stamps.children[k]?.querySelector("img")?.setAttribute("src", this.url(row, catalog)) }
    })
    this.mark()
  }

  // Addresses of the stamps of rows that come next.
  urls(rows) {
    return rows.flatMap((row) => {
      const catalog = this.catalogs.get(row.catalog_id)
      return catalog === undefined ? [] : [this.url(row, catalog)]
    })
  }

  drawAgain() { loadMissing(this.stamps) }

  // A grade of a candidate was given or taken back.
  markGrade(id) {
    const row = this.selection.rows.find((one) => one.id === id)
    const marks = this.stamps.querySelector(`#stamp-${id} .stamp-marks`)
    if (row !== undefined) { marks?.replaceChildren(...gradeMarks(row, this.host.ownGrade(id)).filter((node) => node !== null)) }
  }

  // Show which stamps are selected, and where the cursor is.
  mark() {
    const {invert, smooth} = this.host.view()
    this.stamps.classList.toggle("inverted", invert)
    this.stamps.classList.toggle("smooth", smooth)
    this.selection.rows.forEach(({id}, k) => {
      const stamp = this.stamps.children[k]
      stamp?.setAttribute("aria-selected", String(this.selection.has(id)))
      stamp?.classList.toggle("focused", k === this.index)
    })
    this.host.onSelection()
  }

  // The cursor stands on another row.
  select() {
    this.mark()
    const stamp = this.stamps.children[this.index]
    if (stamp === undefined) { return }
    this.stamps.setAttribute("aria-activedescendant", stamp.id)
    stamp.scrollIntoView({block: "nearest"})
  }

  indexOf(event) {
    const stamp = event.target.closest(".stamp")
    return stamp === null ? -1 : [...this.stamps.children].indexOf(stamp)
  }

  click(event) {
    const index = this.indexOf(event)
    if (index < 0) { return }
    if (event.shiftKey) {
      this.selection.extend(index, this.index)
    } else if (event.detail < 2) { // the second click of a double click opens
      this.selection.toggle(index)
    }
    this.host.walk.select(index)
  }

  // Rows that keys treat: those selected, else the one under the cursor.
  get rows() { return this.selection.size ? this.selection.all : [this.host.walk.row].filter((row) => row !== undefined) }

  step(direction, extending) {
    const {walk} = this.host
    const to = stepInGrid(this.index, direction, this.perLine, this.selection.rows.length)
    if (extending) {
      if (to === null) { return } // a range ends with the page
      this.selection.extend(to, this.index)
      walk.select(to)
    } else if (to === null) {
      walk.turn(direction === "right" || direction === "down" ? 1 : -1, true)
    } else {
      this.selection.begin(to)
      walk.select(to)
    }
  }

  actions() {
    const direction = (key) => key.replace("Shift+", "").replace("Arrow", "").toLowerCase()
    const then = (change) => () => {
      change()
      this.mark()
    }
    return {
      step: (key) => this.step(direction(key), false),
      extend: (key) => this.step(direction(key), true),
      toggle: then(() => this.selection.toggle(this.index)),
      page: then(() => this.selection.togglePage()),
      clear: then(() => this.selection.clear()),
      open: () => this.host.onOpen(),
    }
  }
}

function remembered() {
  try {
    const n = Number(localStorage.getItem(STORE))
    return COLUMNS.includes(n) ? n : 10
  } catch {
    return 10
  }
}
