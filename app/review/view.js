// The desk: the list, the viewer and the panels beside it, and the talk with the server.

import { ImageControls } from "../viewer/controls.js"
import { readPalettes } from "../viewer/frame.js"
import { IMAGE_KEYS, imageActions, STRETCH_KEYS, ZOOM_KEYS } from "../viewer/keys.js"
import { infoUrl, TilePool } from "../viewer/tiles.js"
import { ImageToolbar } from "../viewer/toolbar.js"
import { ImageViewer } from "../viewer/viewer.js"
import { debounce, formatCount, h } from "../widgets/dom.js"
import { HELP_KEYS, Keyboard, LIST_KEYS } from "../widgets/keyboard.js"
import { ChartPanel } from "./charts.js"
import { FilterBar } from "./filters.js"
import { extraWords } from "./more.js"
import { ExportMenu, SampMenu } from "./out.js"
import { GRADE_KEYS, PANEL_KEYS, SidePanel } from "./panel.js"
import { labelChip, RankingTable, stageChip } from "./table.js"

const AHEAD = 8 // candidates whose pictures are fetched before they are asked for
const BEHIND = 2
const DETAILS_AHEAD = 4
const DETAILS_PAUSE_MS = 40
const ADDRESS_PAUSE_MS = 150
const MOST_DETAILS_KEPT = 500

class ReviewDesk {
  constructor(model, start) {
    this.model = model
    this.start = start
    this.catalogs = new Map(start.catalogs.map((catalog) => [catalog.id, catalog]))
    this.pool = new TilePool()
    this.request = 0
    this.waiting = new Map() // number of a request: what to do with its answer
    this.details = new Map()
    this.truths = new Map()
    this.rows = []
    this.index = -1
    this.first = null
    this.onMessage = (message) => this.receive(message)
    model.on("msg:custom", this.onMessage)

    this.filters = new FilterBar({...start}, (query) => this.list(query),
      (...given) => this.ask(...given))
    this.table = new RankingTable(this.catalogs, {
      onSelect: (index) => this.select(index),
      onSort: (sort) => this.filters.order(sort),
    })
    this.controls = new ImageControls(start, () => this.redraw())
    this.viewer = new ImageViewer(this.pool, readPalettes(start.palettes))
    this.toolbar = new ImageToolbar(this.viewer, this.controls)
    this.side = new SidePanel(this.panelHost())
    this.keyboard = new Keyboard(
      [LIST_KEYS, IMAGE_KEYS, ZOOM_KEYS, STRETCH_KEYS, PANEL_KEYS, GRADE_KEYS, HELP_KEYS], this.actions())
    this.fetchDetails = debounce(() => this.askDetails(), DETAILS_PAUSE_MS)
    this.fetchAuto = debounce(() => this.askAuto(), DETAILS_PAUSE_MS)
    this.writeAddress = debounce(() => this.address(), ADDRESS_PAUSE_MS)
    this.samp = new SampMenu((...given) => this.ask(...given),
      () => ({query: this.filters.query, id: this.row?.id}), {
        open: (id) => this.open(id),
        select: (selection) => this.filters.choose(selection),
        notice: (text) => this.notify([text], "info"),
      })
    this.exports = new ExportMenu(start.exports, () => this.words(), this.samp)
    this.charts = new ChartPanel({
      ask: (...given) => this.ask(...given), catalogs: this.catalogs,
      onOpen: (id) => this.open(id),
      onRange: (low, high) => this.filters.update({probability_min: low, probability_max: high}),
      onSelection: (selection) => this.filters.choose(selection),
    })
    this.build()
    this.filters.set(start.query)
    this.charts.setQuery(start.query)
    this.setPage(start.page, start.page.selected)
    this.askCount()
  }

  build() {
    const step = (label, text, action) => h(
      "button", {type: "button", className: "icon", title: label, "aria-label": label, onclick: action}, text)
    this.position = h("span", {className: "position"})
    this.count = h("span", {className: "count", "aria-live": "polite"})
    this.previousPage = step("Previous page (key [)", "‹", () => this.turn(-1))
    this.nextPage = step("Next page (key ])", "›", () => this.turn(1))
    this.notices = h("div", {className: "notices", role: "status"})
    this.empty = h("div", {className: "empty", hidden: true})
    this.title = h("h2", {})
    this.chips = h("span", {className: "chips"})
    const help = h("button", {type: "button", className: "text", onclick: () => this.keyboard.toggleHelp()},
      "Keys ", h("kbd", {}, "?"))
    this.list_ = h("section", {className: "list", "aria-label": "Ranking"},
      h("div", {className: "list-head"}, this.count, h("span", {className: "spacer"}), this.position,
        this.previousPage, this.nextPage, this.charts.button, this.exports.node),
      this.table.node, this.empty, this.charts.node)
    this.panel = h("section", {className: "viewer", "aria-label": "Candidate"},
      h("header", {}, this.title, this.chips, h("span", {className: "spacer"}), help),
      this.toolbar.node, this.viewer.node, this.controls.node)
    this.node = h("div", {className: "desk"}, this.filters.node, this.notices,
      h("div", {className: "columns"}, this.list_, this.panel, this.side.node), this.keyboard.dialog)
  }

  actions() {
    return {
      ...this.side.actions(),
      ...imageActions(this.viewer, this.controls),
      next: (key, at) => this.move(1, at),
      previous: (key, at) => this.move(-1, at),
      nextPage: () => this.turn(1),
      previousPage: () => this.turn(-1),
      first: () => this.list(this.filters.query),
      search: () => this.filters.object.focus(),
      charts: () => this.charts.toggle(),
    }
  }

  get row() { return this.rows[this.index] }

  // --- the server -------------------------------------------------------------------------------

  // Send a message; `failed(sentence)` is called instead of a notice where it is given.
  ask(message, then, failed = null) {
    this.request += 1
    this.waiting.set(this.request, {then, failed})
    this.model.send_msg({...message, request: this.request})
    return this.request
  }

  receive(message) {
    const {then, failed} = this.waiting.get(message.request) ?? {}
    this.waiting.delete(message.request)
    if (message.type === "samp") {
      this.samp.receive(message)
    } else if (message.type === "error" && failed) {
      failed(message.message)
    } else if (message.type === "error") {
      this.node.classList.remove("busy")
      this.notify([message.message], "error")
    } else if (then !== undefined) {
      then(message)
    }
  }

  // --- the list ---------------------------------------------------------------------------------

  // Show the ranking of `query` from its top, or around a candidate that stays chosen if it can.
  list(query, candidate = null) {
    this.details.clear()
    this.charts.setQuery(query)
    this.latest = this.askPage({query, candidate}, candidate ?? undefined)
    this.askCount()
  }

  // Show a candidate that a chart or another program names: in this list where it passes.
  open(id) {
    const index = this.rows.findIndex((row) => row.id === id)
    if (index >= 0) {
      this.select(index)
    } else {
      this.askPage({query: this.filters.query, candidate: id}, id)
    }
  }

  askPage(message, selected) {
    this.node.classList.add("busy")
    const number = this.ask({type: "page", query: this.filters.query, ...message}, (page) => {
      if (number === this.latest) { this.setPage(page, selected ?? page.selected) }
    })
    this.latest = number
    return number
  }

  askCount() {
    this.count.textContent = "…"
    const query = this.filters.query
    this.ask({type: "count", query}, ({n, text}) => {
      if (query !== this.filters.query) { return }
      this.count.textContent = `${text} ${n === 1 ? "candidate" : "candidates"}`
    })
  }

  setPage(page, selected, fromEnd = false) {
    this.node.classList.remove("busy")
    this.rows = page.rows
    this.hasBefore = page.has_before
    this.hasAfter = page.has_after
    this.first = page.first_rank ?? null
    this.table.setRows(this.rows, this.first, this.filters.query)
    this.notify(page.notices ?? [], "info")
    this.previousPage.disabled = !this.hasBefore
    this.nextPage.disabled = !this.hasAfter
    if (this.rows.length && this.first === null) {
      const rows = this.rows
      this.ask({type: "rank", query: this.filters.query, cursor: rows[0].cursor}, ({rank}) => {
        if (rows === this.rows) { this.setFirst(rank) }
      })
    }
    this.writePosition()
    this.showEmpty()
    const found = this.rows.findIndex((row) => row.id === selected)
    this.index = -1
    if (this.rows.length) {
      this.select(found >= 0 ? found : fromEnd ? this.rows.length - 1 : 0)
    } else {
      this.clear()
    }
  }

  setFirst(rank) {
    this.first = rank
    this.table.setRanks(rank)
    this.writePosition()
  }

  writePosition() {
    const {rows, first} = this
    this.position.textContent = rows.length && first !== null
      ? `${formatCount(first)}–${formatCount(first + rows.length - 1)}` : ""
  }

  // The page before (-1) or after (1) this one, with its first candidate chosen.
  turn(direction, fromEnd = false) {
    if (direction > 0 ? !this.hasAfter : !this.hasBefore) { return }
    // A key held down comes again before the page does: what is on its way is not asked for anew.
    if (this.turning === this.latest && this.waiting.has(this.turning)) { return }
    const {rows, first} = this
    const cursor = (direction > 0 ? rows.at(-1) : rows[0]).cursor
    this.node.classList.add("busy")
    const number = this.ask(
      {type: "page", query: this.filters.query, [direction > 0 ? "after" : "before"]: cursor},
      (page) => {
        if (number !== this.latest) { return }
        if (first !== null) {
          page.first_rank = direction > 0 ? first + rows.length : first - page.rows.length
        }
        this.setPage(page, undefined, fromEnd)
      },
    )
    this.latest = this.turning = number
  }

  move(step, at) {
    const index = this.index + step
    if (index < 0) {
      this.turn(-1, true)
    } else if (index >= this.rows.length) {
      this.turn(1)
    } else {
      this.select(index, at)
    }
  }

  // --- the candidate ----------------------------------------------------------------------------

  select(index, at = performance.now()) {
    const row = this.rows[index]
    if (row === undefined) { return }
    this.index = index
    const catalog = this.catalogs.get(row.catalog_id)
    this.table.select(index)
    this.charts.mark(row.id)
    this.title.textContent = row.object_id
    this.title.title = row.object_id
    this.chips.replaceChildren(stageChip(row.stage), labelChip(row.label))
    this.controls.setCatalog(catalog)
    this.viewer.show(row, catalog, this.controls.view).then((drawn) => {
      if (drawn && row === this.row) {
        requestAnimationFrame(() => {
          this.node.dataset.shown = String(row.id)
          this.node.dataset.latencyMs = String(performance.now() - at)
        })
      }
    })
    this.viewer.settled.then((drawn) => {
      if (drawn && row === this.row) {
        requestAnimationFrame(() => {
          this.node.dataset.settled = String(row.id)
          this.node.dataset.panelsMs = String(performance.now() - at)
        })
      }
    })
    this.toolbar.render()
    this.showDetails()
    this.fetchAhead()
    this.fetchDetails()
    this.fetchAuto()
    this.writeAddress()
  }

  redraw() {
    if (this.row !== undefined) {
      this.viewer.show(this.row, this.catalogs.get(this.row.catalog_id), this.controls.view)
      this.toolbar.render()
      this.fetchAhead()
      this.fetchAuto()
    }
  }

  // Show on the sliders what "auto" chose for the candidate, where that is how it is drawn.
  async askAuto() {
    const {row} = this
    if (row === undefined || this.controls.view.preset !== "auto") { return }
    try {
      const answer = await fetch(infoUrl(this.catalogs.get(row.catalog_id), row, this.controls.view))
      const {auto} = answer.ok ? await answer.json() : {}
      if (auto !== undefined && row === this.row) { this.controls.suggest(auto) }
    } catch {
      // the server is away: the picture's own place says so
    }
  }

  fetchAhead() {
    const near = [
      ...this.rows.slice(this.index + 1, this.index + 1 + AHEAD),
      ...this.rows.slice(Math.max(0, this.index - BEHIND), this.index).reverse(),
    ]
    this.pool.ahead(near.flatMap((row) =>
      this.viewer.urls(row, this.catalogs.get(row.catalog_id), this.controls.view)))
  }

  askDetails() {
    const near = this.rows.slice(this.index, this.index + 1 + DETAILS_AHEAD)
    const ids = near.map((row) => row.id).filter((id) => !this.details.has(id))
    if (!ids.length) { return }
    const ensemble = this.filters.query.ensemble_id
    this.ask({type: "details", ids, ensemble_id: ensemble}, ({details}) => {
      if (ensemble !== this.filters.query.ensemble_id) { return }
      if (this.details.size > MOST_DETAILS_KEPT) { this.details.clear() }
      for (const one of details) { this.details.set(one.id, one) }
      this.showDetails()
    })
  }

  showDetails() {
    const {row} = this
    if (row === undefined) { return }
    const details = this.details.get(row.id)
    const truth = this.truths.get(row.id)
    if (details !== undefined) { this.viewer.locate(row, details.sky) }
    this.side.show(row, details, truth)
    if (this.side.metadata.truthWanted && details?.has_truth && truth === undefined) {
      this.ask({type: "truth", id: row.id}, ({id, rows}) => {
        this.truths.set(id, rows)
        this.showDetails()
      })
    }
  }

  // What the panels beside the picture need.
  panelHost() {
    return {
      start: this.start,
      catalogs: this.catalogs,
      frame: this.viewer.frame.node,
      ask: (...given) => this.ask(...given),
      ensemble: () => this.filters.query.ensemble_id,
      view: () => this.controls.view,
      details: () => this.showDetails(),
      notify: (sentence) => this.notify([sentence], "error"),
      changed: (row) => this.redrawStage(row),
    }
  }

  redrawStage(row) {
    this.table.body.querySelector(`#candidate-${row.id} td.stage`)?.replaceChildren(stageChip(row.stage))
    if (row === this.row) { this.chips.replaceChildren(stageChip(row.stage), labelChip(row.label)) }
  }

  clear() {
    this.viewer.clear()
    this.title.textContent = ""
    this.chips.replaceChildren()
    this.side.clear()
    this.writeAddress()
  }

  // --- words and addresses ----------------------------------------------------------------------

  notify(sentences, kind) {
    this.notices.replaceChildren(...sentences.map((sentence) => {
      const node = h("p", {className: kind}, h("span", {}, sentence), h(
        "button", {type: "button", className: "icon", "aria-label": "Dismiss", onclick: () => node.remove()}, "×"))
      return node
    }))
  }

  showEmpty() {
    const none = this.rows.length === 0
    this.node.classList.toggle("nothing", none)
    this.empty.hidden = !none
    this.table.node.hidden = none
    if (!none) { return }
    const link = (page, text) => h("a", {href: page}, text)
    this.empty.replaceChildren(...(this.catalogs.size === 0
      ? [h("h3", {}, "No candidates yet"), h("p", {}, "Import or simulate a catalog on ",
        link("catalogs", "Catalogs"), ".")]
      : this.filters.filtered
        ? [h("h3", {}, "No candidate passes these filters"), h("button", {type: "button",
          className: "text", onclick: () => this.filters.reset()}, "Clear filters")]
        : [h("h3", {}, "Nothing is ranked yet"), h("p", {}, "Score a catalog on ",
          link("score", "Score"), ", or list all candidates without scores.")]))
  }

  // Write query and candidate into the address, so that a refresh or a link shows the same.
  address() {
    const text = this.words().toString()
    history.replaceState(history.state, "", text ? `?${text}` : location.pathname)
  }

  words() {
    const {query} = this.filters
    const {defaults} = this.start
    const words = new URLSearchParams()
    const ensemble = this.start.ensembles.find(({id}) => id === query.ensemble_id)
    if (ensemble !== undefined) { words.set("ensemble", ensemble.name) }
    for (const id of query.catalog_ids) { words.append("catalog", this.catalogs.get(id).name) }
    if (query.sort !== defaults.sort) { words.set("sort", query.sort) }
    if (query.descending !== defaults.descending || query.sort !== defaults.sort) {
      words.set("order", query.descending ? "desc" : "asc")
    }
    if (query.probability_min > 0) { words.set("min", query.probability_min) }
    if (query.probability_max < 1) { words.set("max", query.probability_max) }
    for (const stage of query.stages) { words.append("stage", stage) }
    if (query.label) { words.set("label", query.label) }
    if (query.object_id) { words.set("object", query.object_id) }
    extraWords(query, words)
    if (this.row !== undefined) { words.set("candidate", this.row.id) }
    return words
  }

  remove() {
    this.exports.remove()
    this.charts.remove()
    this.keyboard.remove()
    this.side.remove()
    this.filters.remove()
    this.viewer.reset()
    this.fetchDetails.cancel()
    this.fetchAuto.cancel()
    this.writeAddress.cancel()
    this.model.off?.("msg:custom", this.onMessage)
  }
}

export function render({model}) {
  const desk = new ReviewDesk(model, model.start)
  model.on("remove", () => desk.remove())
  return desk.node
}
