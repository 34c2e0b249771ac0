// The bar below the gallery: how many are selected, and what can be done with them.

import { h } from "../widgets/dom.js"
import { addressWords } from "./address.js"
import { gradePlan, stagePlan, tagPlan, undoPlan } from "./bulk.js"
import { NO_EXTRAS } from "./more.js"
import { Prompt } from "./panel.js"
import { STAGE_STEPS } from "./panel_history.js"

export class BulkBar {
  /**
   * @param {any} start what the page began with
   * @param {object} host
   * @param {import("./gallery.js").Gallery} host.gallery
   * @param {import("./panel_history.js").HistoryPanel} host.history gives and takes back under the person's name
   * @param {(message: object, then: (answer: any) => void, failed?: (sentence: string) => void) => void} host.ask
   * @param {() => any} host.query of the list
   * @param {() => any} host.record settings of pictures, for the log
   * @param {(selection: any) => void} host.onChoose list a selection alone
   * @param {() => void} host.onCompare
   */
  constructor(start, host) {
    this.start = start
    this.host = host
    this.did = [] // what can be taken back, the latest last
    this.prompt = new Prompt()
    this.count = h("span", {className: "bulk-count", role: "status"})
    this.status = h("span", {className: "bulk-state", role: "status"})
    this.pending = new Set()
    this.refused = 0
    const button = (text, title, action) => h("button", {type: "button", title, onclick: action}, text)
    this.graded = h("span", {className: "segments", role: "group", "aria-label": "Grade the selection"},
      start.grades.map((grade) => button(grade.key, `${grade.key}: ${grade.title} (key ${grade.key})`, () => this.grade(grade.key))))
    this.undoButton = button("Undo", "Undo the last action (key u)", () => this.undo())
    this.tagForm = this.makeTagForm()
    this.node = h("div", {className: "bulk-bar", hidden: true}, this.prompt.node, this.tagForm, this.count, this.graded,
      button("Tag", "Tag the selection (key T)", () => this.askTag()),
      button("Stage", "Move the selection to a stage (key M)", () => this.askStage()),
      button("Export", "Export the selection, or list it alone (key E)", () => this.askExport()),
      button("Side by side", "Two to four candidates side by side (key S)", () => host.onCompare()),
      this.undoButton, h("span", {className: "spacer"}), this.status)
    this.show()
  }

  get rows() { return this.host.gallery.rows }

  actions() {
    return {
      bulkGrade: (key) => this.grade(key),
      bulkTag: () => this.askTag(),
      bulkMove: () => this.askStage(),
      bulkExport: () => this.askExport(),
      bulkUndo: () => this.undo(),
    }
  }

  // What is selected has changed.
  show() {
    const {selection} = this.host.gallery
    const {size, here} = selection
    this.count.textContent = size === 0 ? "Nothing selected"
      : size === here ? `${size} selected` : `${size} selected, ${here} on this page`
    this.undoButton.disabled = this.did.length === 0
  }

  // The list is another one: what was selected in it may no longer be in sight.
  forget() {
    this.host.gallery.selection.clear()
    this.close()
    this.show()
  }

  close() {
    this.prompt.close()
    this.tagForm.hidden = true
  }

  // --- asking, then doing -----------------------------------------------------------------------

  signedIn() {
    if (this.start.reads) { return false }
    if (this.start.grader === null) { document.dispatchEvent(new CustomEvent("lens-triage-sign-in")) }
    return this.start.grader !== null && this.rows.length > 0
  }

  make(kind, row, fields) { return this.host.history.eventOf(kind, row, fields) }

  ownGrade(id) { return this.host.history.own.of(id) }

  tagsOf(row) { return this.host.history.remarks.tags(row.id, row.tags ?? []) }

  grade(key) {
    if (!this.signedIn()) { return }
    const grade = this.start.grades.find((one) => one.key === key)
    const {rows} = this
    const view = {...this.host.record(), band: null, mode: "gallery", selected: rows.length}
    this.confirm(gradePlan(rows, grade, (id) => this.ownGrade(id), (...given) => this.make(...given), {view}))
  }

  askStage() {
    if (!this.signedIn()) { return }
    const {rows} = this
    const plan = (stage, reason = null) => this.confirm(stagePlan(rows, stage, reason, (...given) => this.make(...given)))
    const reject = () => this.prompt.ask("Rejected as", this.start.reasons.map((reason, k) =>
      [String(k + 1), reason.title, () => plan("rejected", reason)]))
    this.prompt.ask(`Move ${rows.length === 1 ? "the candidate" : `${rows.length} candidates`} to`, [
      ...STAGE_STEPS.map(([key, stage]) => [key, stage, () => plan(stage)]), ["r", "rejected…", reject]])
  }

  makeTagForm() {
    this.tag = h("input", {type: "text", maxLength: 64, placeholder: "Tag", "aria-label": "Tag for the selection"})
    this.tag.setAttribute("list", "known-tags-of-all")
    this.knownTags = h("datalist", {id: "known-tags-of-all"})
    this.tag.addEventListener("keydown", (event) => { if (event.key === "Escape") { this.close() } })
    this.tagTitle = h("strong", {})
    return h("form", {className: "prompt bulk-tag", hidden: true, onsubmit: (event) => {
      event.preventDefault()
      if (!this.tag.value.trim()) { return }
      this.tagForm.hidden = true
      this.tag.blur()
      this.confirm(tagPlan(this.rows, this.tag.value, (row) => this.tagsOf(row), (...given) => this.make(...given)))
    }}, this.tagTitle, h("span", {className: "tag-form"}, this.tag, this.knownTags, h("button", {type: "submit"}, "Tag…")))
  }

  askTag() {
    if (!this.signedIn()) { return }
    this.prompt.close()
    const n = this.rows.length
    this.tagTitle.textContent = n === 1 ? "Tag the candidate" : `Tag ${n} candidates`
    this.tagForm.hidden = false
    this.tag.value = ""
    this.tag.focus()
    this.host.ask({type: "facets"}, ({tags}) => this.knownTags.replaceChildren(...tags.map((value) => h("option", {value}))))
  }

  undo() {
    const last = this.did.at(-1)
    if (last === undefined || !this.signedIn()) { return }
    const rowOf = (id) => last.rows.get(id)
    const plan = undoPlan(last, rowOf, (id) => this.ownGrade(id), (row) => this.tagsOf(row), (...given) => this.make(...given))
    this.confirm(plan, () => { this.did.pop() }, [...last.rows.values()])
  }

  // Say what would be written and how much of it; write when that is confirmed.
  confirm(plan, then = null, rows = this.rows) {
    if (!plan.events.length) {
      this.prompt.ask(`${plan.question} There is nothing to write.`, [])
      return
    }
    const known = new Map(rows.map((row) => [row.id, row]))
    this.prompt.ask(plan.question, [["Enter", plan.doing, () => {
      this.write(plan, known)
      if (then === null) { this.did.push({...plan, rows: known}) } else { then() }
      this.show()
    }]])
  }

  write(plan, rows) {
    this.done = plan.done
    this.refused = 0
    for (const {uuid} of plan.events) { this.pending.add(uuid) }
    this.status.textContent = "Saving…"
    this.status.className = "bulk-state"
    this.host.history.submitAll(plan.events, rows)
  }

  // The server has said what became of an event.
  settled(event, {refused}) {
    if (!this.pending.delete(event.uuid)) { return }
    if (refused !== undefined) { this.refused += 1 }
    if (this.pending.size) { return }
    this.status.textContent = this.refused ? `${this.done}, but ${this.refused} refused` : this.done
    this.status.className = `bulk-state ${this.refused ? "bad" : "good"}`
  }

  askExport() {
    const {rows} = this
    if (!rows.length) { return }
    this.host.ask({type: "keep_selection", ids: rows.map(({id}) => id)}, ({selection}) => {
      const query = this.host.query()
      const words = addressWords({...this.start.defaults, ...NO_EXTRAS, ensemble_id: query.ensemble_id, sort: query.sort,
        descending: query.descending, selection: selection.id}, this.start, new Map(), undefined)
      const save = (format) => h("a", {href: `export/${format.name}?${words}`, download: ""}).click()
      this.prompt.ask(`Export ${rows.length === 1 ? "1 candidate" : `${rows.length} candidates`} as`, [
        ...this.start.exports.map((format, k) => [exportKey(k), format.title, () => save(format)]),
        ["l", "List these alone", () => this.host.onChoose(selection)]])
    }, (sentence) => {
      this.status.textContent = sentence
      this.status.className = "bulk-state bad"
    })
  }

  remove() { this.close() }
}

const exportKey = (k) => k < 9 ? String(k + 1) : "abcdefghijk"[k - 9]
