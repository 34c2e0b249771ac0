// The desk: the list, the viewer and the panels beside it, and the talk with the server.

import { Connection, connectionText } from "../http/connection.js"
import { OutboxStatus, PageOutbox } from "../http/outbox_page.js"
import { post, ServerError } from "../http/requests.js"
import { ImageControls } from "../viewer/controls.js"
import { readPalettes } from "../viewer/frame.js"
import { IMAGE_KEYS, imageActions, STRETCH_KEYS, ZOOM_KEYS } from "../viewer/keys.js"
import { infoUrl, TilePool } from "../viewer/tiles.js"
import { ImageToolbar } from "../viewer/toolbar.js"
import { ImageViewer } from "../viewer/viewer.js"
import { debounce, formatCount, h } from "../widgets/dom.js"
import { HELP_KEYS, Keyboard, LIST_KEYS } from "../widgets/keyboard.js"
import { ChartPanel } from "./charts.js"
import { addressWords } from "./address.js"
import { EmptyList } from "./empty_list.js"
import { FilterBar } from "./filters.js"
import { ExportMenu, SampMenu } from "./out.js"
import { GRADE_KEYS, PANEL_KEYS, SidePanel } from "./panel.js"
import { labelChip, RankingTable, stageChip } from "./table.js"
import { RankingWalk } from "./walk.js"

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
    this.counted = null // how many candidates the list has; null while that is not known
    this.details = new Map()
    this.truths = new Map()
    this.onMessage = (message) => this.samp.receive(message)
    model.on("msg:custom", this.onMessage)
    this.connection = new Connection({
      probe: () => this.question({type: "ping"}), onChange: () => this.showConnection(),
      onBack: () => this.serverIsBack(), later: (action, ms) => setTimeout(action, ms),
    })
    this.walk = new RankingWalk({
      ask: (message) => this.question({type: "page", ...message}),
      onPage: () => this.showPage(), onRow: (at) => this.showRow(at), onState: () => this.showWalk(),
      onProblem: (sentence) => this.notify([sentence], "fault"),
      later: (action, ms) => setTimeout(action, ms),
    })
    this.outbox = start.grader === null ? null : new PageOutbox({
      place: `review-${start.workspace}:${start.grader.id}`, path: "review/events",
      about: {grader: start.grader.id, workspace: start.workspace},
      onChange: (outbox) => this.showOutbox(outbox),
      onSettled: (event, told) => this.side.settled(event, told),
      isBusy: () => this.walk.held.length > 0,
    })

    this.filters = new FilterBar({...start}, (query) => this.list(query),
      (...given) => this.ask(...given))
    this.table = new RankingTable(this.catalogs, {
      onSelect: (index) => this.walk.select(index),
      onSort: (sort) => this.filters.order(sort),
    })
    this.controls = new ImageControls(start, () => this.redraw())
    this.viewer = new ImageViewer(this.pool, readPalettes(start.palettes))
    this.toolbar = new ImageToolbar(this.viewer, this.controls)
    this.side = new SidePanel(this.panelHost())
    this.keyboard = new Keyboard(
      [LIST_KEYS, IMAGE_KEYS, ZOOM_KEYS, STRETCH_KEYS, PANEL_KEYS, GRADE_KEYS, HELP_KEYS], this.whenShown(this.actions()))
    this.fetchDetails = debounce(() => this.askDetails(), DETAILS_PAUSE_MS)
    this.fetchAuto = debounce(() => this.askAuto(), DETAILS_PAUSE_MS)
    this.writeAddress = debounce(() => this.address(), ADDRESS_PAUSE_MS)
    this.samp = new SampMenu((...given) => this.ask(...given),
      () => ({query: this.filters.query, id: this.row?.id}), {
        open: (id) => this.walk.open(id),
        select: (selection) => this.filters.choose(selection),
        notice: (text) => this.notify([text], "info"),
      })
    this.exports = new ExportMenu(start.exports, () => this.words(), this.samp)
    this.charts = new ChartPanel({
      ask: (...given) => this.ask(...given), catalogs: this.catalogs,
      onOpen: (id) => this.walk.open(id),
      onRange: (low, high) => this.filters.update({probability_min: low, probability_max: high}),
      onSelection: (selection) => this.filters.choose(selection),
    })
    this.build()
    this.filters.set(start.query)
    this.charts.setQuery(start.query)
    this.walk.begin(this.filters.query, start.page)
    this.askCount()
    this.outbox?.adopt()
    this.onLost = () => this.connection.detach()
    model.document?.on_event?.("connection_lost", this.onLost)
  }

  build() {
    const step = (label, text, action) => h(
      "button", {type: "button", className: "icon", title: label, "aria-label": label, onclick: action}, text)
    this.unsaved = new OutboxStatus()
    this.waitingNote = h("span", {className: "waiting", role: "status"})
    this.position = h("span", {className: "position"})
    this.count = h("span", {className: "count", "aria-live": "polite"})
    this.previousPage = step("Previous page (key [)", "‹", () => this.walk.turn(-1))
    this.nextPage = step("Next page (key ])", "›", () => this.walk.turn(1))
    this.reload = h("p", {className: "info", role: "status", hidden: true}, h("span", {}),
      h("button", {type: "button", onclick: () => location.reload()}, "Reload"))
    this.sentences = h("div", {className: "sentences", role: "status"})
    this.notices = h("div", {className: "notices"}, this.reload, this.unsaved.refused, this.sentences)
    this.emptyList = new EmptyList(this.start, this.filters, this.catalogs)
    this.title = h("h2", {})
    this.chips = h("span", {className: "chips"})
    const help = h("button", {type: "button", className: "text", onclick: () => this.keyboard.toggleHelp()},
      "Keys ", h("kbd", {}, "?"))
    this.list_ = h("section", {className: "list", "aria-label": "Ranking"},
      h("div", {className: "list-head"}, this.count, h("span", {className: "spacer"}), this.position,
        this.previousPage, this.nextPage, this.charts.button, this.exports.node),
      this.table.node, this.emptyList.node,
      h("div", {className: "list-foot"}, this.unsaved.node, this.waitingNote, this.emptyList.link), this.charts.node)
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
      next: (key, at) => this.walk.move(1, at),
      previous: (key, at) => this.walk.move(-1, at),
      nextPage: () => this.walk.turn(1),
      previousPage: () => this.walk.turn(-1),
      first: () => this.list(this.filters.query),
      search: () => this.filters.object.focus(),
      charts: () => this.charts.toggle(),
    }
  }

  // Keys wait for the page that they turned to; Escape forgets those that wait.
  whenShown(actions) {
    this.onEscape = (event) => {
      if (event.key === "Escape" && this.walk.held.length) { this.walk.dropHeld() }
    }
    document.addEventListener("keydown", this.onEscape)
    return Object.fromEntries(Object.entries(actions).map(([name, action]) =>
      [name, (...given) => this.walk.do(() => action(...given))]))
  }

  get row() { return this.walk.row }

  // --- the server -------------------------------------------------------------------------------

  // The answer to a question; rejects with a ServerError.
  async question(message) {
    try {
      const answer = await post("review/ask", {...message, grader: this.start.grader?.id ?? null})
      if (answer.type === "error") { throw new ServerError(answer.message, 400) }
      return answer
    } catch (error) {
      if (error.passing && message.type !== "ping") { this.connection.lost() }
      throw error
    }
  }

  // Ask; `failed(sentence)` is called instead of a notice where it is given.
  ask(message, then, failed = null) {
    this.question(message).then(then, (error) => {
      if (failed !== null) {
        failed(error.message)
      } else if (!error.passing) { // that the server is away is said once, for all questions
        this.notify([error.message], "fault")
      }
    })
  }

  serverIsBack() {
    this.outbox?.flush()
    this.askCount()
    this.redraw()
    this.table.drawAgain()
    this.fetchDetails()
    this.side.serverIsBack()
  }

  showConnection() {
    const text = connectionText(this.connection)
    this.reload.hidden = text === ""
    this.reload.classList.toggle("fault", this.connection.away)
    this.reload.firstChild.textContent = text
    this.reload.lastChild.hidden = this.connection.away
    this.node.dataset.connection = this.connection.away ? "away" : this.connection.detached ? "detached" : ""
  }

  showOutbox(outbox) {
    this.unsaved.show(outbox)
    this.node.dataset.unsent = String(outbox.unsent)
    this.node.dataset.refused = String(outbox.refused.size)
    this.side.outboxChanged(outbox)
  }

  // --- the list ---------------------------------------------------------------------------------

  // Show the ranking of `query` from its top, or around a candidate that stays chosen if it can.
  list(query, candidate = null) {
    this.details.clear()
    this.charts.setQuery(query)
    this.walk.list(query, candidate)
    this.askCount()
  }

  askCount() {
    this.counted = null
    this.writeCount()
    const query = this.filters.query
    this.ask({type: "count", query}, (counted) => {
      if (query !== this.filters.query) { return }
      this.counted = counted
      this.writeCount()
    })
  }

  writeCount() {
    const {n, text} = this.counted ?? {}
    this.count.textContent = n === undefined ? "…" : n === 0 && this.emptyList.isUnscored ? "Not scored"
      : `${text} ${n === 1 ? "candidate" : "candidates"}`
  }

  // What the list waits for.
  showWalk() {
    const {listing, turning, held, past, next} = this.walk
    this.node.classList.toggle("busy", listing || turning !== null)
    this.node.dataset.waiting = String(held.length)
    this.node.dataset.nextPage = next === null ? "" : next.page === null ? "coming" : "here"
    const keys = `${held.length} ${held.length === 1 ? "key waits" : "keys wait"}`
    this.waitingNote.textContent = held.length ? `${keys} for the next page (Esc forgets them)`
      : past ? "End of the list (k: the last candidate)" : ""
  }

  showPage() {
    const {walk} = this
    this.table.setRows(walk.rows, walk.first, this.filters.query)
    this.notify(walk.notices, "info")
    this.previousPage.disabled = !walk.hasBefore
    this.nextPage.disabled = !walk.hasAfter
    if (walk.rows.length && walk.first === null) {
      const {rows} = walk
      this.ask({type: "rank", query: this.filters.query, cursor: rows[0].cursor}, ({rank}) => {
        if (rows === walk.rows) { this.setFirst(rank) }
      })
    }
    this.writePosition()
    const none = walk.rows.length === 0
    this.node.classList.toggle("nothing", none)
    this.table.node.hidden = none
    this.emptyList.show(none, walk.unscored)
    this.writeCount()
    if (walk.rows.length) {
      this.showRow()
    } else {
      this.clear()
    }
  }

  setFirst(rank) {
    this.walk.setFirst(rank)
    this.table.setRanks(rank)
    this.writePosition()
  }

  writePosition() {
    const {rows, first} = this.walk
    this.position.textContent = rows.length && first !== null
      ? `${formatCount(first)}–${formatCount(first + rows.length - 1)}` : ""
  }

  // --- the candidate ----------------------------------------------------------------------------

  showRow(at = performance.now()) {
    const {row} = this
    const catalog = this.catalogs.get(row.catalog_id)
    this.table.select(this.walk.index)
    this.showWalk()
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
    const {rows, index} = this.walk
    const near = [...this.walk.upcoming(AHEAD), ...rows.slice(Math.max(0, index - BEHIND), index).reverse()]
    this.pool.ahead(near.flatMap((row) =>
      this.viewer.urls(row, this.catalogs.get(row.catalog_id), this.controls.view)))
  }

  askDetails() {
    if (this.row === undefined) { return }
    const near = [this.row, ...this.walk.upcoming(DETAILS_AHEAD)]
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
      notify: (sentence) => this.notify([sentence], "fault"),
      outbox: this.outbox,
      isPast: () => this.walk.past,
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
    this.sentences.replaceChildren(...sentences.map((sentence) => {
      const node = h("p", {className: kind, role: kind === "fault" ? "alert" : null}, h("span", {}, sentence), h(
        "button", {type: "button", className: "icon", "aria-label": "Dismiss", onclick: () => node.remove()}, "×"))
      return node
    }))
  }

  // Write query and candidate into the address, so that a refresh or a link shows the same.
  address() {
    const text = this.words().toString()
    history.replaceState(history.state, "", text ? `?${text}` : location.pathname)
  }

  words() { return addressWords(this.filters.query, this.start, this.catalogs, this.row) }

  remove() {
    document.removeEventListener("keydown", this.onEscape)
    this.connection.close()
    this.walk.leave()
    this.outbox?.remove()
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
