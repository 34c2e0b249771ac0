// The view: the list, the viewer and the panels beside it, and the talk with the server.

import { Connection } from "../http/connection.js"
import { ConnectionBar } from "../http/connection_bar.js"
import { OutboxStatus, PageOutbox } from "../http/outbox_page.js"
import { post, ServerError } from "../http/requests.js"
import { IMAGE_KEYS, imageActions, STRETCH_KEYS, ZOOM_KEYS } from "../viewer/keys.js"
import { viewRecord } from "../viewer/tiles.js"
import { debounce, formatCount, h } from "../widgets/dom.js"
import { HELP_KEYS, Keyboard, LIST_KEYS } from "../widgets/keyboard.js"
import { addressWords } from "./address.js"
import { CandidatePanel } from "./candidate.js"
import { ChartPanel } from "./charts.js"
import { CandidateDetails } from "./details.js"
import { EmptyList } from "./empty_list.js"
import { FilterBar } from "./filters.js"
import { gradeKeysOf, regraded } from "./grade_keys.js"
import { ExportMenu, linkButton, SampMenu } from "./out.js"
import { MODE_KEYS, Modes } from "./modes.js"
import { GRADE_KEYS, PANEL_KEYS, SidePanel } from "./panel.js"
import { Panes } from "./panes.js"
import { RankingTable, stageChip } from "./table.js"
import { RankingWalk } from "./walk.js"

const ADDRESS_PAUSE_MS = 150

class ReviewView {
  constructor(model, start) {
    this.model = model
    this.start = start
    this.catalogs = new Map(start.catalogs.map((catalog) => [catalog.id, catalog]))
    this.gradeKeys = gradeKeysOf(start)
    this.counted = null // how many candidates the list has; null while that is not known
    this.onMessage = (message) => this.samp.receive(message)
    model.on("msg:custom", this.onMessage)
    this.connection = new Connection({
      probe: () => this.question({type: "ping"}), onChange: () => this.showConnection(),
      onBack: () => this.serverIsBack(), later: (action, ms) => setTimeout(action, ms),
    })
    this.walk = new RankingWalk({
      ask: (message) => this.pageOf(message),
      onPage: () => this.showPage(), onRow: (at) => this.showRow(at), onState: () => this.showWalk(),
      onProblem: (sentence) => this.notify([sentence], "fault"),
      later: (action, ms) => setTimeout(action, ms),
    })
    this.outbox = start.grader === null ? null : new PageOutbox({
      place: `review-${start.workspace}:${start.grader.id}`, path: "review/events",
      about: {grader: start.grader.id, workspace: start.workspace},
      onChange: (outbox) => this.showOutbox(outbox),
      onSettled: (event, told) => {
        this.side.settled(event, told)
        this.modes.bulk.settled(event, told)
      },
      isBusy: () => this.walk.held.length > 0,
    })

    const copy = linkButton(() => this.address(), (sentence) => this.notify([sentence], "info"))
    this.filters = new FilterBar({...start}, (query) => this.list(query),
      (...given) => this.ask(...given))
    this.filters.node.append(copy)
    this.table = new RankingTable(this.catalogs, {
      onSelect: (index) => this.walk.select(index),
      onSort: (sort) => this.filters.order(sort),
      ownGrade: (id) => this.side.ownGrade(id),
    })
    this.candidate = new CandidatePanel(start, this.catalogs, {
      walk: this.walk, onHelp: () => this.keyboard.toggleHelp(),
      onView: () => this.modes.viewChanged(),
      onDrawn: (event, row, ms) => {
        this.node.dataset[event] = String(row.id)
        this.node.dataset[event === "shown" ? "latencyMs" : "panelsMs"] = String(ms)
      },
    })
    this.details = new CandidateDetails({
      ask: (...given) => this.ask(...given), ensemble: () => this.filters.query.ensemble_id,
      row: () => this.row, upcoming: (n) => this.walk.upcoming(n), onChange: () => this.showDetails(),
    })
    this.side = new SidePanel(this.panelHost())
    this.modes = new Modes(start, this)
    const actions = this.whenShown(this.actions())
    this.keyboard = new Keyboard(
      [LIST_KEYS, MODE_KEYS, IMAGE_KEYS, ZOOM_KEYS, STRETCH_KEYS, PANEL_KEYS, GRADE_KEYS, HELP_KEYS], actions,
      () => this.modes.plain, (sections) => regraded(sections, start.grades, this.gradeKeys))
    this.dialogs = [this.keyboard.dialog, ...this.modes.listen(actions, (more) => this.whenShown(more))]
    this.onEscape = (event) => {
      if (event.key === "Escape" && this.walk.held.length) { this.walk.dropHeld() }
    }
    document.addEventListener("keydown", this.onEscape)
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
    this.modes.show(new URLSearchParams(location.search).get("view") === "gallery")
    this.filters.set(start.query)
    this.charts.setQuery(start.query)
    this.walk.begin(this.filters.query, start.page)
    this.askCount()
    this.outbox?.takeOver()
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
    this.bar = new ConnectionBar()
    this.sentences = h("div", {className: "sentences", role: "status"})
    this.notices = h("div", {className: "notices"}, this.bar.node, this.unsaved.refused, this.sentences)
    this.emptyList = new EmptyList(this.start, this.filters, this.catalogs)
    this.list_ = h("section", {className: "list", "aria-label": "Ranking"},
      h("div", {className: "list-head"}, this.count, this.modes.buttons, this.modes.gallery.columns, h("span", {className: "spacer"}),
        this.position, this.previousPage, this.nextPage, this.charts.button, this.exports.node),
      this.table.node, this.modes.gallery.node, this.emptyList.node,
      h("div", {className: "list-foot"}, this.unsaved.node, this.waitingNote, this.emptyList.link,
        h("span", {className: "spacer"}), this.side.history.advanceChoice), this.modes.bulk.node, this.charts.node)
    this.panes = new Panes(this.list_, this.candidate.node, this.side.node)
    this.node = h("div", {className: "work-view"}, this.filters.node, this.notices,
      this.panes.node, this.modes.compare.node, this.modes.references.node, ...this.dialogs)
  }

  actions() {
    return {
      ...this.side.actions(),
      ...Object.fromEntries(this.start.grades.map(({key}) => [`grade:${key}`, () => this.side.history.give(key)])),
      ...imageActions(this.candidate.viewer, this.candidate.controls),
      next: (key, at) => this.walk.move(1, at),
      previous: (key, at) => this.walk.move(-1, at),
      nextPage: () => this.walk.turn(1),
      previousPage: () => this.walk.turn(-1),
      first: () => this.list(this.filters.query),
      search: () => this.filters.object.focus(),
      charts: () => this.charts.toggle(),
      ...this.modes.actions(),
    }
  }

  // Keys wait for the page that they turned to; Escape forgets those that wait.
  whenShown(actions) {
    return Object.fromEntries(Object.entries(actions).map(([name, action]) =>
      [name, (...given) => this.walk.do(() => action(...given))]))
  }

  get row() { return this.walk.row }

  // --- the server -------------------------------------------------------------------------------

  // The answer to a question; rejects with a ServerError.
  async question(message) {
    try {
      const answer = await post("review/ask", {...message, grader: this.start.asker})
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

  // A page of the list; each row says when it was asked for, since a page may be fetched long before it is shown.
  async pageOf(message) {
    const asked = performance.now()
    const page = await this.question({type: "page", ...message})
    for (const row of page.rows) { row.asked = asked }
    return page
  }

  serverIsBack() {
    this.outbox?.flush()
    this.askCount()
    this.candidate.redraw()
    this.table.drawAgain()
    this.modes.gallery.drawAgain()
    this.details.fetch()
    this.side.serverIsBack()
  }

  showConnection() {
    this.bar.show(this.connection)
    this.node.dataset.connection = ConnectionBar.stateOf(this.connection)
  }

  showOutbox(outbox) {
    this.unsaved.show(outbox)
    this.node.dataset.unsent = String(outbox.unsent)
    this.node.dataset.refused = String(outbox.refused.size)
    this.side.outboxChanged(outbox)
    if (outbox.unanswered) { this.connection.lost() }
  }

  // --- the list ---------------------------------------------------------------------------------

  // Show the ranking of `query` from its top, or around a candidate that stays chosen if it can.
  list(query, candidate = null) {
    this.modes.bulk.forget()
    this.details.forget()
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
    if (this.modes.gallery.shown && next?.page) { this.candidate.pool.ahead(this.modes.gallery.urls(next.page.rows)) }
    this.node.dataset.nextPage = next === null ? "" : next.page === null ? "coming" : "here"
    const keys = `${held.length} ${held.length === 1 ? "key waits" : "keys wait"}`
    this.waitingNote.textContent = held.length ? `${keys} for the next page (Esc discards them)`
      : past ? "End of the list (k: the last candidate)" : ""
  }

  showPage() {
    const {walk} = this
    this.side.heardRows(walk.rows)
    this.table.setRows(walk.rows, walk.first, this.filters.query)
    this.modes.gallery.setRows(walk.rows)
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
    this.table.select(this.walk.index)
    this.showWalk()
    this.charts.mark(row.id)
    this.modes.chosen()
    this.writeAddress()
    if (this.modes.gallery.shown) {
      this.modes.gallery.select()
      return
    }
    this.candidate.show(row, at)
    this.showDetails()
    this.details.fetch()
  }

  showDetails() {
    const {row} = this
    if (row === undefined) { return }
    const details = this.details.of(row)
    if (details !== undefined) { this.candidate.viewer.locate(row, details.sky) }
    this.side.show(row, details, this.details.truthOf(row))
    if (this.side.metadata.truthWanted) { this.details.fetchTruth(row) }
  }

  // What is on screen, for the log.
  record() {
    const {controls, viewer} = this.candidate
    return {mode: "review", band: viewer.shown, ...viewRecord(controls.view, controls.catalog)}
  }

  // What the panels beside the picture need.
  panelHost() {
    return {
      start: this.start,
      catalogs: this.catalogs,
      frame: this.candidate.viewer.frame.node,
      viewer: this.candidate.viewer,
      ask: (...given) => this.ask(...given),
      ensemble: () => this.filters.query.ensemble_id,
      view: () => this.candidate.controls.view,
      record: () => this.record(),
      details: () => this.showDetails(),
      notify: (sentence) => this.notify([sentence], "fault"),
      outbox: this.outbox, gradeKeys: this.gradeKeys,
      isPast: () => this.walk.past,
      changed: (row) => this.redrawStage(row),
      graded: (id) => {
        this.table.markGrade(id)
        this.modes.graded(id)
      },
      step: (way) => this.walk.move(way),
      open: (id) => this.walk.open(id),
    }
  }

  redrawStage(row) {
    this.table.body.querySelector(`#candidate-${row.id} td.stage`)?.replaceChildren(stageChip(row.stage))
    if (row === this.row) { this.candidate.showChips(row) }
  }

  clear() {
    this.candidate.clear()
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

  words() {
    const words = addressWords(this.filters.query, this.start, this.catalogs, this.row)
    if (this.modes.gallery.shown) { words.set("view", "gallery") }
    return words
  }

  remove() {
    document.removeEventListener("keydown", this.onEscape)
    this.connection.close()
    this.walk.leave()
    this.outbox?.remove()
    this.exports.remove()
    this.charts.remove()
    this.keyboard.remove()
    this.modes.remove()
    this.side.remove()
    this.filters.remove()
    this.candidate.remove()
    this.details.remove()
    this.writeAddress.cancel()
    this.model.off?.("msg:custom", this.onMessage)
  }
}

export function render({model}) {
  const view = new ReviewView(model, model.start)
  model.on("remove", () => view.remove())
  return view.node
}
