// The labeling view: puts cutouts, keys, panel and outbox together.

import { Connection } from "../http/connection.js"
import { ConnectionBar } from "../http/connection_bar.js"
import { OutboxStatus, PageOutbox } from "../http/outbox_page.js"
import { ask, post } from "../http/requests.js"
import { IMAGE_KEYS, imageActions, STRETCH_KEYS, ZOOM_KEYS } from "../viewer/keys.js"
import { LENS_KEYS, LensPanel } from "../viewer/lens_panel.js"
import { REFERENCE_KEYS, ReferenceDrawer } from "../viewer/references.js"
import { TilePool, tileUrl } from "../viewer/tiles.js"
import { h } from "../widgets/dom.js"
import { labelKeys, shownKey } from "../widgets/grade_keys.js"
import { isTyping, Keyboard } from "../widgets/keyboard.js"
import { SessionEnd } from "./end.js"
import { KeyChooser, keySections, SECOND_KEYS } from "./keys.js"
import { MosaicView } from "./mosaic.js"
import { LabelPanel } from "./panel.js"
import { Pause } from "./pause.js"
import { Preferences } from "./preferences.js"
import { isOpen, LabelQueue } from "./queue.js"
import { asRow, SingleView, STAMPS_AHEAD, STAMPS_BEHIND } from "./single.js"
import { Strokes } from "./strokes.js"

const FIGURES_EVERY = 10

class LabelingView {
  constructor(model, start) {
    this.start = start
    this.session = start.session
    this.scheme = start.scheme
    this.geometries = start.geometries
    this.preferences = new Preferences(start.preferences.label, {
      onAway: () => this.connection.lost(), onProblem: (sentence) => this.notify(sentence)})
    this.pool = new TilePool()
    this.strokes = new Strokes()
    this.mosaicOn = this.preferences.values.mosaic === true
    this.queue = new LabelQueue(this.session.id, start, () => this.arrived())
    this.end = new SessionEnd(this.session, this.queue)
    this.connection = new Connection({
      probe: () => this.ping(), onChange: () => this.showConnection(),
      onBack: () => this.serverIsBack(), later: (action, ms) => setTimeout(action, ms),
    })
    this.panel = new LabelPanel(start, this.actions())
    this.pause = new Pause(this.panel)
    this.single = new SingleView(start, this.geometries, this.pool, () => this.mosaicOn && this.mosaic.draw())
    this.lens = this.session.lens_test ? new LensPanel({viewer: this.single.viewer, ask: (row, asked) =>
      post(`lens-test/~${this.session.id}`, {token: row.id, ...asked})}, {curves: true}, () => {}) : null
    this.mosaic = new MosaicView(this.geometries, this.pool, this.scheme, () => this.single.controls.view, {
      onMark: (entry, grade) => this.markOne(entry, grade),
      onLayout: (layout) => { this.preferences.change({layout}); this.mosaic.setLayout(layout); this.draw() },
      onRest: () => this.rest(),
    })
    this.mosaic.setLayout(this.preferences.values.layout)
    this.chooser = new KeyChooser(this.scheme, (chosen) => { this.preferences.change(chosen); this.bindKeys() })
    this.build()
    if (this.lens !== null) { this.panel.node.append(this.lens.node) }
    this.outbox = new PageOutbox({
      place: `${this.session.id}:${start.grader.id}`, path: `labeling/${this.session.id}/events`,
      about: {grader: start.grader.id},
      onChange: (outbox) => this.showOutbox(outbox),
      onSettled: ({uuid}, {feedback}) => { if (feedback !== undefined) { this.told(uuid, feedback) } },
    })
    this.outbox.takeOver()
    this.strokes.restore(this.queue, [...this.outbox.waiting.values()].map(({event}) => event))
    this.bindKeys()
    this.panel.setFigures(start.figures)
    this.queue.toFront()
    this.draw()
    model.document?.on_event?.("connection_lost", () => this.connection.detach())
  }

  build() {
    const text = (label, key, action) => h("button", {type: "button", className: "text", onclick: action},
      label, key ? h("kbd", {}, key) : null)
    this.unsaved = new OutboxStatus()
    this.bar = new ConnectionBar()
    this.modes = h("div", {className: "segments", role: "group", "aria-label": "Layout"},
      h("button", {type: "button", onclick: () => this.setMode(false)}, "One at a time"),
      h("button", {type: "button", onclick: () => this.setMode(true)}, "Mosaic"))
    this.references = new ReferenceDrawer((then, failed) => ask(`labeling/${this.session.id}/references`).then(
      ({references}) => then(references), (error) => failed(error.message)))
    this.notices = h("div", {className: "notices", role: "status"}, this.bar.node, this.unsaved.refused)
    this.stage = h("section", {className: "viewer view-stage", "aria-label": "Cutout"},
      this.single.node, this.mosaic.node, this.end.node)
    this.node = h("div", {className: "work-view labeling-view"},
      h("header", {className: "view-head"}, h("a", {href: "label"}, "Sessions"),
        h("h2", {title: this.session.name}, this.session.name),
        h("span", {className: "chip"}, this.session.blind ? "blind" : "scores shown"),
        h("span", {className: "spacer"}), this.unsaved.node, this.modes,
        text("References ", "R", () => this.references.toggle()),
        text("Choose keys", "", () => this.chooser.open(this.preferences.values.hand, this.preferences.values.own)),
        text("Keys ", "?", () => this.keyboard.toggleHelp())),
      this.notices, h("div", {className: "label-columns"}, this.stage, this.panel.node), this.references.node, this.chooser.dialog)
    this.keyboard = null
    this.onKeyFirst = (event) => this.keyFirst(event)
    document.addEventListener("keydown", this.onKeyFirst, true)
    this.node.addEventListener("click", (event) => giveKeysBack(this.node, event))
  }

  // Keys before the keyboard has them. One that is held down gives one grade.
  keyFirst(event) {
    if (event.repeat && (this.graded.has(event.key) || this.pause.on)) {
      event.stopImmediatePropagation()
      return
    }
    const open = this.keyboard.dialog.open || this.chooser.dialog.open
    if (!open && this.pause.endsBy(event, this.graded)) {
      event.preventDefault()
      event.stopImmediatePropagation()
      this.goOn(event.timeStamp)
      return
    }
    if (!this.panel.reasonBox.hidden && !isTyping(event)) { this.pressReason(event) }
  }

  bindKeys() {
    this.keyboard?.remove()
    this.keyboard?.dialog.remove()
    this.keys = labelKeys(this.scheme, this.preferences.values.hand, this.preferences.values.own)
    const compare = {title: "Compare", keys: [REFERENCE_KEYS]}
    const viewer = [...(this.lens === null ? [] : [LENS_KEYS]), IMAGE_KEYS, ZOOM_KEYS, STRETCH_KEYS, compare]
    const grades = Object.fromEntries(this.scheme.grades.map(({key}) =>
      [`grade:${key}`, (_, at) => this.grade(key, at)]))
    const image = imageActions(this.single.viewer, this.single.controls)
    this.graded = new Set(Object.entries(this.keys)
      .filter(([action]) => action.startsWith("grade:") || ["skip", "rest"].includes(action))
      .map(([, key]) => key))
    this.keyboard = new Keyboard(keySections(this.scheme, this.keys, viewer), {
      ...image, ...grades, ...this.actions(), none: () => {}, lensTest: () => this.testLens(), references: () => this.references.toggle(),
      nextBand: () => this.mosaicOn ? this.mosaic.move(1, 0) : image.nextBand(),
      previousBand: () => this.mosaicOn ? this.mosaic.move(-1, 0) : image.previousBand(),
      back: () => this.mosaicOn ? this.mosaic.move(0, -1) : this.actions().back(),
      forward: () => this.mosaicOn ? this.mosaic.move(0, 1) : this.actions().forward(),
    })
    this.node.append(this.keyboard.dialog)
    this.panel.setKeys(this.keys)
    const rest = this.panel.worst
    this.mosaic.describe(rest.title, shownKey(this.keys.rest))
  }

  actions() {
    return {
      grade: (key) => this.grade(key),
      reject: (reason) => this.reject(reason),
      undo: () => this.undo(),
      back: () => this.step(-1),
      forward: () => this.step(1),
      front: () => { this.pause.end(); this.queue.toFront(); this.draw() },
      skip: (_, at) => this.skip(at),
      flag: () => this.flag(),
      reason: () => this.target !== undefined && this.panel.hasReasons && this.panel.askReason(true),
      note: () => this.panel.note.focus(),
      mode: () => this.setMode(!this.mosaicOn),
      rest: (_, at) => this.rest(at),
    }
  }

  get view() { return this.mosaicOn ? this.mosaic : this.single }

  // The cutout that keys are about.
  get target() { return this.mosaicOn ? this.mosaic.focused : this.queue.current }

  // --- what the grader does -----------------------------------------------------------------------

  event(kind, entry, more = {}) {
    return {uuid: crypto.randomUUID(), kind, token: entry.token, given_at: new Date().toISOString(),
      shown_ms: Math.round(this.view.shownMs), view: this.onScreen, ...more}
  }

  // What was on screen, for the log.
  get onScreen() {
    return this.lens === null ? this.view.record : {...this.view.record, lens_test: !this.mosaicOn && this.lens.isShown}
  }

  // Fit a lens to the cutout that is shown; for the next one it is asked for anew.
  testLens() {
    if (this.mosaicOn || this.target === undefined) { return }
    this.lens.open(true)
    this.lens.run()
  }

  closeLens() {
    this.lens?.clear()
    this.lens?.open(false)
  }

  // Say something of cutouts in one stroke, that one undo takes back.
  stroke(kind, entries, more = {}) {
    const given = entries.map((entry) => ({entry, before: entry.response, event: this.event(kind, entry, more)}))
    for (const {entry, event} of given) { this.queue.say(entry, event) }
    this.strokes.add(given.map(({entry, before, event}) => ({entry, before, uuid: event.uuid})))
    this.outbox.add(given.map(({event}) => event))
    this.panel.beat()
    this.panel.setProgress(this.queue.nDone, this.queue.total)
  }

  grade(key, at = performance.now(), reason = null) {
    const {target} = this
    if (target === undefined || !this.session.open) { return }
    if (this.pause.on) { this.goOn(at); return }
    const comment = this.mosaicOn ? "" : this.panel.note.value.trim()
    this.stroke("grade", [target], {grade: key, reject_reason: reason, comment})
    if (this.mosaicOn) {
      this.mosaic.brush = this.scheme.grades.some((grade) => grade.key === key) ? key : this.mosaic.brush
      this.afterMark()
    } else if (this.session.tutorial) {
      this.pause.begin(target, () => this.goOn(performance.now()))
    } else {
      this.next(at)
    }
  }

  goOn(at) {
    this.pause.end()
    this.next(at)
  }

  reject(reason) { this.grade(this.panel.worst.key, performance.now(), reason) }

  pressReason(event) {
    event.stopImmediatePropagation()
    const reason = Object.keys(SECOND_KEYS).find((name) => SECOND_KEYS[name] === event.key)
    if (reason === undefined && event.key !== "Escape") { return }
    event.preventDefault()
    this.panel.askReason(false)
    if (reason !== undefined) { this.reject(reason) }
  }

  skip(at = performance.now()) {
    if (this.pause.on) { this.goOn(at); return }
    const {target} = this
    if (target === undefined || !this.session.open) { return }
    this.stroke("skip", [target], {comment: this.mosaicOn ? "" : this.panel.note.value.trim()})
    if (this.mosaicOn) { this.afterMark() } else { this.next(at) }
  }

  flag() {
    const {target} = this
    if (target === undefined || !this.session.open) { return }
    this.outbox.add([this.event(target.flagged ? "unflag" : "flag", target, {comment: this.panel.note.value.trim()})])
    target.flagged = !target.flagged
    this.mosaicOn ? this.afterMark() : this.panel.show(target)
  }

  undo() {
    const stroke = this.strokes.takeLast()
    if (stroke === undefined) { return }
    this.pause.end()
    this.outbox.add(stroke.map(({entry, uuid}) => this.event("undo", entry, {undoes: uuid})))
    for (const {entry, before} of stroke) {
      this.queue.say(entry, before)
      entry.again = this.queue.offered && before?.kind === "skip"
    }
    this.panel.setProgress(this.queue.nDone, this.queue.total)
    this.panel.setFeedback(null)
    if (this.mosaicOn && stroke.every(({entry}) => this.mosaic.entries.includes(entry))) {
      this.afterMark()
    } else {
      this.queue.goTo(stroke[0].entry)
      this.draw()
    }
  }

  markOne(entry, grade) {
    if (!this.session.open) { return }
    if (grade !== null) {
      this.stroke("grade", [entry], {grade})
    } else {
      const {uuid} = entry.response
      this.outbox.add([this.event("undo", entry, {undoes: uuid})])
      this.strokes.forget(uuid)
      this.queue.say(entry, null)
    }
    this.afterMark()
  }

  afterMark() {
    this.mosaic.mark()
    this.panel.show(this.target)
    this.panel.setProgress(this.queue.nDone, this.queue.total)
  }

  // The rest of the page gets the grade for no lens; on to the next page.
  rest(at = performance.now()) {
    if (!this.mosaicOn || !this.mosaic.entries.length || !this.session.open) { return }
    const open = this.mosaic.entries.filter(isOpen)
    if (open.length) { this.stroke("grade", open, {grade: this.panel.worst.key}) }
    this.queue.toFront()
    this.draw(at)
    this.maybeFigures()
  }

  step(direction) {
    this.pause.end()
    this.queue.move(direction)
    this.draw()
  }

  next(at) {
    this.queue.advance()
    this.draw(at)
    this.maybeFigures()
  }

  setMode(mosaic) {
    this.pause.end()
    this.mosaicOn = mosaic
    this.preferences.change({mosaic})
    this.queue.toFront()
    this.draw()
  }

  // --- what is shown ------------------------------------------------------------------------------

  draw(at = performance.now()) {
    this.modes.children[0].setAttribute("aria-pressed", String(!this.mosaicOn))
    this.modes.children[1].setAttribute("aria-pressed", String(this.mosaicOn))
    const here = this.queue.current
    if (this.mosaicOn || here === undefined) { this.closeLens() }
    this.showEnd(here === undefined)
    this.single.node.hidden = this.mosaicOn || here === undefined
    this.mosaic.node.hidden = !this.mosaicOn || here === undefined
    this.panel.setProgress(this.queue.nDone, this.queue.total)
    if (here === undefined) {
      this.panel.show(null)
      delete this.node.dataset.shown
      return
    }
    const drawn = this.mosaicOn ? this.drawPage() : this.drawOne(here)
    this.panel.show(this.target)
    const shown = this.target.token
    drawn.then((still) => still && requestAnimationFrame(() => {
      this.node.dataset.shown = shown
      this.node.dataset.latencyMs = String(performance.now() - at)
    }))
  }

  drawOne(entry) {
    if (this.lens?.row !== asRow(entry)) { this.closeLens() }
    const {entries} = this.queue
    const at = this.queue.at
    const drawn = this.single.show(entry, entries.slice(at + 1, at + 1 + STAMPS_AHEAD),
      entries.slice(Math.max(0, at - STAMPS_BEHIND), at).reverse())
    if (this.lens?.row === undefined) { this.lens?.candidate(asRow(entry)) }
    return drawn
  }

  drawPage() {
    const {size} = this.mosaic
    const ahead = this.queue.ahead(2 * size)
    this.queue.fetchMore(3 * size)
    return this.mosaic.show(ahead.slice(0, size), ahead.slice(size))
  }

  // More cutouts have come: show the first where there was none.
  arrived() {
    if (this.queue.failed) { this.connection.lost() }
    if (this.node !== undefined && (!this.end.node.hidden || (this.mosaicOn && this.mosaic.entries.length < this.mosaic.size
        && this.mosaic.entries.every(isOpen)))) {
      this.queue.toFront()
      this.draw()
    }
  }

  showEnd(ended) { this.end.show(ended, this.outbox?.unsent === 0) }

  showOutbox(outbox) {
    this.unsaved.show(outbox)
    this.node.dataset.unsent = String(outbox.unsent)
    if (outbox.unanswered) { this.connection.lost() }
    if (outbox.unsent === 0 && !this.end.node.hidden) { this.showEnd(true) }
  }

  // Rejects while the server is away; that it refuses is an answer.
  async ping() {
    await ask(`labeling/${this.session.id}/metrics`).catch((error) => { if (error.passing) { throw error } })
  }

  showConnection() {
    this.bar.show(this.connection)
    this.node.dataset.connection = ConnectionBar.stateOf(this.connection)
  }

  // Send and ask again what got no answer.
  serverIsBack() {
    this.outbox.flush()
    this.draw()
    this.preferences.serverIsBack()
  }

  told(uuid, told) {
    const entry = this.queue.entries.find(({response}) => response?.uuid === uuid)
    if (entry === undefined || (!this.pause.on && this.session.tutorial && !this.mosaicOn)) { return }
    if (this.pause.on) {
      if (this.pause.uuid === uuid) { this.panel.explain(told) }
      return
    }
    this.panel.setFeedback(told, tileUrl(this.geometries[entry.kind], asRow(entry), null, this.single.controls.view))
  }

  maybeFigures() {
    this.sinceFigures = (this.sinceFigures ?? 0) + 1
    if (this.sinceFigures < FIGURES_EVERY && !this.mosaicOn) { return }
    this.sinceFigures = 0
    ask(`labeling/${this.session.id}/metrics`).then((figures) => this.panel.setFigures(figures), () => {})
  }

  notify(sentence) {
    const node = h("p", {className: "fault", role: "alert"}, h("span", {}, sentence), h("button", {type: "button",
      className: "icon", "aria-label": "Dismiss", onclick: () => node.remove()}, "×"))
    this.notices.append(node)
  }

  remove() {
    document.removeEventListener("keydown", this.onKeyFirst, true)
    this.keyboard.remove()
    this.connection.close()
    this.outbox.remove()
    this.queue.remove()
    this.lens?.remove()
  }
}

// After a click, keys are the view's again, but for fields and dialogs.
function giveKeysBack(node, event) {
  // By the path: what was clicked may be redrawn, and out of the page, by now.
  const keeps = event.composedPath().some((one) => one.matches?.("dialog, textarea, select, input"))
  if (event.detail > 0 && !keeps) { node.getRootNode().activeElement?.blur?.() }
}

export function render({model}) {
  const view = new LabelingView(model, model.start)
  model.on("remove", () => view.remove())
  return view.node
}
