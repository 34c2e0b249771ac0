// The panels beside the picture: tabs, what is remembered of them, and when they ask the server.

import { post } from "../http/requests.js"
import { LensPanel } from "../viewer/lens_panel.js"
import { debounce, h } from "../widgets/dom.js"
import { LensModelSection } from "./lens_model.js"
import { AttentionPanel } from "./panel_attention.js"
import { ContextPanel } from "./panel_context.js"
import { HistoryPanel } from "./panel_history.js"
import { ScoreContextPanel } from "./panel_scores.js"
import { MetadataTable, ScorePanel } from "./scores.js"

const PANEL_PAUSE_MS = 120 // a candidate that is passed faster than this asks for nothing
const PANEL_STORE = "lens-triage.review.panel"
const FOLD_STORE = "lens-triage.review.folded"
const MOST_ANSWERS_KEPT = 300
const TABS = [
  {name: "scores", title: "Scores", key: "q"},
  {name: "attention", title: "Attention", key: "e"},
  {name: "lens", title: "Lens", key: "m"},
  {name: "context", title: "Context", key: "n"},
  {name: "history", title: "History", key: "y"},
]
export const PANEL_KEYS = {title: "Panels", keys: [
  {keys: ["q"], shown: "q", action: "tab_scores", text: "Scores and catalog"},
  {keys: ["e"], shown: "e", action: "tab_attention", text: "Attention: the evidence of a member"},
  {keys: ["m"], shown: "m", action: "lensTest", text: "Lens test: fit a simple lens"},
  {keys: ["n"], shown: "n", action: "tab_context", text: "Context: neighbors, cross-matches, sky"},
  {keys: ["y"], shown: "y", action: "tab_history", text: "History, notes, tags"},
  {keys: ["z"], shown: "z", action: "overlay", text: "Show or hide the attention on the picture"},
  {keys: ["Z"], shown: "Z", action: "nextMember", text: "Attention of the next member"},
]}
export const GRADE_KEYS = {title: "Grade and move", keys: [
  {keys: ["a"], shown: "a", action: "grade", text: "Grade: then a, b, c or x"},
  {keys: ["A", "B", "C", "X"], shown: "A B C X", action: "gradeNow", text: "Give that grade at once"},
  {keys: ["u"], shown: "u", action: "undoGrade", text: "Take your grade back"},
  {keys: ["J"], shown: "J", action: "advance", text: "Go to the next candidate after a grade; again: stay"},
  {keys: ["M"], shown: "M", action: "move", text: "Move to a stage, or reject with a reason"},
  {keys: ["N"], shown: "N", action: "writeNote", text: "Write a note"},
  {keys: ["T"], shown: "T", action: "writeTag", text: "Add a tag"},
]}

// What one browser remembers; storage that is switched off or damaged is no reason to show nothing.
function recall(name, fallback) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? fallback
  } catch {
    return fallback
  }
}

function store(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value))
  } catch {
    // not remembered; nothing else is lost
  }
}

const FOLDED = new Set(recall(FOLD_STORE, []))

export class SidePanel {
  // `host`: what the panels need of the view: start, catalogs, frame (the node of the large picture), viewer, and
  // functions ask(message, then, failed), notify(sentence), ensemble(), view(), details(), changed(row), graded(id), step(way), open(id), isPast();
  // and the outbox of grades, null while nobody is signed in.
  constructor(host) {
    this.host = host
    this.row = undefined
    this.choices = {tab: "scores", overlay: false, opacity: 0.6, member: "", method: "", field: false, ...recall(PANEL_STORE, {})}
    this.answers = {score_context: new Map(), context: new Map(), history: new Map()}
    this.asked = {score_context: null, context: null, history: null}
    this.scores = new ScorePanel()
    this.scoreContext = new ScoreContextPanel()
    this.metadata = new MetadataTable(() => this.host.details())
    this.attention = new AttentionPanel(host.frame, this.choices, () => this.keep())
    this.lens = new LensPanel({viewer: host.viewer,
      ask: (row, asked) => post("lens-test", {candidate: row.id, ...asked}),
      below: new LensModelSection((row, asked) => post("lens-model", {candidate: row.id, ...asked}))},
    this.choices, () => this.keep())
    this.context = new ContextPanel(host, this.choices, () => this.keep())
    this.history = new HistoryPanel(host)
    this.fetch = debounce(() => this.ask(), PANEL_PAUSE_MS)
    const panes = {
      scores: [this.scores.node, this.scoreContext.node, this.metadata.node, this.scoreContext.more],
      attention: [this.attention.node],
      lens: [this.lens.node],
      context: [this.context.node],
      history: [this.history.node],
    }
    this.tabs = new Map(TABS.map(({name, title, key}) => [name, h(
      "button", {type: "button", role: "tab", id: `tab-${name}`, title: `${title} (key ${key})`,
        "aria-controls": `pane-${name}`, onclick: () => this.choose(name)}, title)]))
    this.panes = new Map(TABS.map(({name}) => [name, h(
      "div", {className: "pane", role: "tabpanel", id: `pane-${name}`, "aria-labelledby": `tab-${name}`},
      panes[name])]))
    this.node = h("aside", {className: "side", "aria-label": "Scores, context and history"},
      h("div", {className: "tabs", role: "tablist"}, [...this.tabs.values()]),
      h("div", {className: "panes"}, [...this.panes.values()]),
      this.history.footer)
    this.choose(this.panes.has(this.choices.tab) ? this.choices.tab : "scores")
  }

  actions() {
    const tabs = Object.fromEntries(TABS.map(({name}) => [`tab_${name}`, () => this.choose(name)]))
    const write = (field) => { this.choose("history"); this.history.focus(field) }
    return {
      ...tabs,
      lensTest: () => { this.choose("lens"); this.lens.run() },
      overlay: () => this.attention.toggle(),
      nextMember: () => { this.choose("attention"); this.attention.next() },
      grade: () => this.history.askGrade(),
      gradeNow: (key) => this.history.give(key),
      advance: () => this.history.toggleAdvance(),
      undoGrade: () => this.history.undo(),
      move: () => this.history.askStage(),
      writeNote: () => write("note"),
      writeTag: () => write("tag"),
    }
  }

  keep() { store(PANEL_STORE, this.choices) }

  choose(name) {
    this.choices.tab = name
    for (const [tab, button] of this.tabs) {
      button.setAttribute("aria-selected", String(tab === name))
      this.panes.get(tab).hidden = tab !== name
    }
    this.attention.open(name === "attention")
    this.lens.open(name === "lens")
    this.keep()
    this.draw()
    this.fetch()
  }

  // Show what is here of a candidate at once; ask for the rest after a pause.
  show(row, details, truth) {
    const other = row !== this.row
    this.row = row
    this.details = details
    this.truth = truth
    if (other) {
      this.asked = {score_context: null, context: null, history: null}
      this.attention.candidate(row, this.host.catalogs.get(row.catalog_id))
      this.lens.candidate(row)
      this.history.candidate(row)
    }
    this.draw()
    this.fetch()
  }

  draw() {
    const {row, details} = this
    if (row === undefined) { return }
    const scoreContext = this.answer("score_context")
    this.attention.members(details?.members)
    if (this.choices.tab === "scores") {
      this.scores.show(row, details, scoreContext?.interval)
      this.scoreContext.show(row, scoreContext)
      this.metadata.show(row, details, this.truth)
    } else if (this.choices.tab === "context") {
      this.context.show(row, this.answer("context"))
    }
    this.history.show(row, this.answer("history"))
  }

  ownGrade(id) { return this.history.own.of(id) }

  // What a page of the list says of the person's grades.
  heardRows(rows) {
    for (const row of rows) { this.history.own.heard(row.id, row.own, row.asked ?? 0) }
  }

  key(row) { return `${row.id}/${this.host.ensemble()}` }

  answer(type) { return this.answers[type].get(this.key(this.row)) }

  ask() {
    if (this.row === undefined) { return }
    this.attention.fetch()
    const wanted = ["history"]
    if (this.choices.tab === "scores" && this.row.probability !== undefined) { wanted.push("score_context") }
    if (this.choices.tab === "context") { wanted.push("context") }
    for (const type of wanted) {
      const key = this.key(this.row)
      if (this.asked[type] === key || (type !== "history" && this.answers[type].has(key))) { continue }
      this.asked[type] = key
      const asked = performance.now()
      this.host.ask({type, id: this.row.id, ensemble_id: this.host.ensemble()}, (answer) => {
        this.remember(type, key, {...answer, asked})
      })
    }
  }

  remember(type, key, answer) {
    const kept = this.answers[type]
    if (kept.size > MOST_ANSWERS_KEPT) { kept.clear() }
    kept.set(key, answer)
    const {row} = this
    if (type === "history") { this.history.remarks.heard(answer.id, answer.asked) }
    if (type === "history" && row !== undefined && row.id === answer.id) {
      row.tags = answer.tags
      const stage = this.history.remarks.stage(row.id, answer.stage)
      if (row.stage !== stage) {
        row.stage = stage // moved here, or by somebody else meanwhile
        this.host.changed(row)
      }
    }
    if (this.row !== undefined && key === this.key(this.row)) { this.draw() }
  }

  // Ask for the history again: it may have changed.
  refresh() {
    this.asked.history = null
    this.fetch()
  }

  // The server has said what became of a grade or a remark.
  settled(event, told) {
    this.history.settled(event, told)
    if (event.candidate === this.row?.id) { this.refresh() }
  }

  outboxChanged(outbox) { this.history.outboxChanged(outbox) }

  // What was asked while the server was away got no answer.
  serverIsBack() {
    this.asked = {score_context: null, context: null, history: null}
    this.fetch()
  }

  clear() {
    this.row = undefined
    this.attention.clear()
    this.lens.clear()
    this.history.clear()
    this.scoreContext.clear()
    this.context.clear()
    for (const part of [this.scores, this.metadata]) { part.node.replaceChildren() }
  }

  remove() {
    this.fetch.cancel()
    this.attention.clear()
    this.lens.remove()
    this.history.remove()
  }
}

// A heading with what belongs to it, which folds, and stays so for other candidates.
export function fold(title, ...children) {
  const node = h("details", {className: "fold", open: !FOLDED.has(title), ontoggle: () => {
    if (node.open) { FOLDED.delete(title) } else { FOLDED.add(title) }
    store(FOLD_STORE, [...FOLDED])
  }}, h("summary", {}, title), ...children)
  return node
}

// A few choices, each with a key, in a box that takes the keyboard until one is made.
export class Prompt {
  constructor() {
    this.node = h("div", {className: "prompt", role: "dialog", hidden: true})
    this.onKey = (event) => this.press(event)
  }

  // `options`: [key, text, what to do]; `title` says what is asked.
  ask(title, options) {
    this.options = new Map(options.map(([key, , action]) => [key.toLowerCase(), action]))
    this.node.setAttribute("aria-label", title)
    this.node.replaceChildren(h("strong", {}, title), ...options.map(([key, text, action]) => h(
      "button", {type: "button", onclick: () => this.take(action)}, h("kbd", {}, key), text)),
    h("button", {type: "button", className: "faint", onclick: () => this.close()}, h("kbd", {}, "Esc"), "Cancel"))
    if (this.node.hidden) { document.addEventListener("keydown", this.onKey, true) }
    this.node.hidden = false
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Shift") { return }
    event.preventDefault()
    event.stopImmediatePropagation()
    const action = this.options.get(event.key.toLowerCase())
    if (event.key === "Escape") {
      this.close()
    } else if (action !== undefined) {
      this.take(action)
    }
  }

  take(action) {
    this.close()
    action()
  }

  close() {
    this.node.hidden = true
    document.removeEventListener("keydown", this.onKey, true)
  }
}
