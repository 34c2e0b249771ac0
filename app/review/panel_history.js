// What people did with a candidate: grades, stages, tags, notes; and doing it.

import { browserStorage } from "../http/outbox_page.js"
import { h } from "../widgets/dom.js"
import { Drafts } from "./drafts.js"
import { OwnGrades } from "./own_grades.js"
import { Prompt } from "./panel.js"

const SAVE_PATIENCE_MS = 5000
const FIELDS = ["note", "tag"]
const STAGE_STEPS = [
  ["d", "detection"], ["t", "triage"], ["v", "validation"], ["c", "confirmation"],
]

export class HistoryPanel {
  // `send(type, fields)` resolves once the server has committed.
  constructor(host, send, refresh) {
    this.host = host
    this.sendNow = send
    this.refresh = refresh
    this.answer = undefined
    this.own = new OwnGrades()
    this.prompt = new Prompt()
    const {grader, grades, reasons} = host.start
    this.grader = grader
    this.reasons = reasons
    this.grades = grades
    this.status = h("span", {className: "save-state", role: "status"})
    this.buttons = new Map(grades.map(({key, title}) => [key, h("button", {type: "button", className: "grade",
      title: `${key}: ${title} (key a, then ${key.toLowerCase()}; or ${key})`, "aria-pressed": "false",
      onclick: () => this.give(key)}, key)]))
    this.stage = h("button", {type: "button", className: "stage-button", title: "Move to a stage (key M)",
      onclick: () => this.askStage()})
    this.footer = h("footer", {className: "verdict"}, this.prompt.node, grader === null
      ? this.signIn()
      : h("div", {className: "verdict-row"}, h("span", {className: "segments", role: "group", "aria-label": "Your grade"},
        [...this.buttons.values()]), this.status, h("span", {className: "spacer"}), this.stage))
    this.tags = h("div", {className: "tags"})
    this.tag = h("input", {type: "text", maxLength: 64, placeholder: "Add a tag", "aria-label": "Add a tag (key T)"})
    this.known = h("datalist", {id: "known-tags"})
    this.tag.setAttribute("list", "known-tags")
    this.note = h("textarea", {rows: 2, maxLength: 4000, placeholder: "Write a note", "aria-label": "Write a note (key N)"})
    this.entries = h("ol", {className: "entries"})
    this.form = h("div", {className: "say"},
      h("form", {className: "tag-form", onsubmit: (event) => { event.preventDefault(); this.addTag() }}, this.tag, this.known,
        h("button", {type: "submit"}, "Tag")),
      h("form", {className: "note-form", onsubmit: (event) => { event.preventDefault(); this.addNote() }}, this.note,
        h("button", {type: "submit", title: "Ctrl+Enter"}, "Save note")))
    this.note.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { this.addNote() }
      if (event.key === "Escape") { this.note.blur() }
    })
    this.tag.addEventListener("keydown", (event) => { if (event.key === "Escape") { this.tag.blur() } })
    this.form.hidden = grader === null
    this.drafts = new Drafts(`${host.start.workspace}:${grader?.id}`, browserStorage)
    this.sending = new Set() // of notes and tags, so that none is sent twice
    for (const field of FIELDS) {
      this[field].addEventListener("input", () => {
        if (this.row !== undefined) { this.drafts.keep(this.row.id, field, this[field].value) }
      })
    }
    this.node = h("section", {className: "history", "aria-label": "History"}, this.tags, this.form, this.entries)
  }

  signIn() {
    return h("p", {className: "sign-in faint"}, h("a", {href: "#", onclick: (event) => {
      event.preventDefault()
      document.dispatchEvent(new CustomEvent("lens-triage-sign-in"))
    }}, "Sign in"), " to grade, move, tag and write notes.")
  }

  candidate(row) {
    this.row = row
    this.since = performance.now()
    this.prompt.close()
    this.answer = undefined
    for (const field of FIELDS) { this[field].value = this.drafts.of(row.id, field) }
    this.say("", "")
  }

  show(row, answer) {
    this.drawStage(row.stage)
    for (const node of [this.tags, this.entries]) { node.classList.toggle("loading", answer === undefined) }
    if (answer !== undefined) { this.own.heard(row.id, answer.own, answer.asked) }
    this.press(this.own.of(row.id)?.grade ?? null)
    if (answer === undefined || answer === this.answer) { return }
    this.answer = answer
    this.tags.replaceChildren(...answer.tags.map((tag) => h("span", {className: "tag"}, tag,
      this.grader === null ? null : h("button", {type: "button", "aria-label": `Remove the tag ${tag}`,
        onclick: () => this.save("untag", {tag}, "Tag removed")}, "×"))))
    this.known.replaceChildren(...answer.known_tags.filter((tag) => !answer.tags.includes(tag))
      .map((value) => h("option", {value})))
    this.entries.replaceChildren(...(answer.entries.length
      ? answer.entries.map((entry) => historyEntry(entry))
      : [h("li", {className: "faint"}, "Nobody has graded, tagged or moved this candidate yet.")]))
  }

  drawStage(stage) {
    this.stage.textContent = stage
    this.stage.classList.toggle("rejected", stage === "rejected")
  }

  press(grade) {
    for (const [key, button] of this.buttons) { button.setAttribute("aria-pressed", String(key === grade)) }
  }

  clear() {
    this.row = undefined
    this.prompt.close()
    for (const field of FIELDS) { this[field].value = "" }
    this.tags.replaceChildren()
    this.entries.replaceChildren()
  }

  remove() { this.prompt.close() }

  focus(field) {
    if (this.grader === null) { return this.refuse() }
    this[field].focus()
  }

  refuse() {
    document.dispatchEvent(new CustomEvent("lens-triage-sign-in"))
  }

  // --- doing ------------------------------------------------------------------------------------

  askGrade() {
    if (this.grader === null) { return this.refuse() }
    if (this.row === undefined) { return }
    this.prompt.ask("Grade", this.grades.map(({key, title}) => [key.toLowerCase(), title, () => this.give(key)]))
  }

  give(grade) {
    if (this.grader === null) { return this.refuse() }
    if (this.row === undefined) { return }
    if (this.host.isPast()) {
      this.say("Not graded: the list has ended", "bad")
      return
    }
    const event = this.event("grade", {grade, shown_ms: Math.round(performance.now() - this.since), view: this.host.view()})
    this.own.give(this.row.id, {uuid: event.uuid, grade})
    this.submit(event)
  }

  undo() {
    if (this.grader === null) { return this.refuse() }
    if (this.row === undefined) { return }
    const own = this.own.of(this.row.id)
    if (own === null) {
      this.say("You have no grade to take back", "")
      return
    }
    const event = this.event("undo", {undoes: own?.uuid ?? null}) // not known yet: the one that the server has
    this.own.undo(this.row.id)
    this.submit(event)
  }

  event(kind, more) {
    return {uuid: crypto.randomUUID(), kind, candidate: this.row.id, ensemble_id: this.host.ensemble(),
      given_at: new Date().toISOString(), ...more}
  }

  submit(event) {
    this.say("Saving…", "")
    this.press(this.own.of(this.row.id)?.grade ?? null)
    this.host.outbox.add([event])
  }

  // The server has said what became of a grade of this page.
  settled({candidate, kind}, {refused}) {
    this.own.settled(candidate, performance.now(), refused !== undefined)
    if (candidate !== this.row?.id) { return }
    if (refused === undefined) {
      if (!this.own.isPending(candidate)) { this.say(kind === "undo" ? "Taken back" : "Saved", "good") }
    } else {
      this.say("Not saved", "bad")
      this.press(this.own.of(candidate)?.grade ?? null)
    }
  }

  outboxChanged(outbox) {
    if (outbox.late && this.row !== undefined && this.own.isPending(this.row.id)) { this.say("Not saved yet", "bad") }
  }

  askStage() {
    if (this.grader === null) { return this.refuse() }
    if (this.row === undefined) { return }
    const now = this.row.stage
    const reject = () => this.prompt.ask("Rejected as", this.reasons.map(({key, title}, k) =>
      [String(k + 1), title, () => this.move("rejected", key)]))
    this.prompt.ask(`Move from ${now} to`, [
      ...STAGE_STEPS.filter(([, stage]) => stage !== now).map(([key, stage]) => [key, stage, () => this.move(stage)]),
      ...(now === "rejected" ? [] : [["r", "rejected…", reject]]),
    ])
  }

  move(stage, reason = null) {
    this.save("stage", {stage, reason, expected: this.row.stage}, `Moved to ${stage}`)
  }

  addTag() {
    this.tag.blur()
    this.write("tag", (tag) => ({tag}), "Tagged")
  }

  addNote() { this.write("note", (text) => ({text}), "Note saved") }

  // Save what stands in a field; it stays there, for this candidate, until it is saved.
  async write(field, fields, done) {
    const {row} = this
    const text = this[field].value.trim()
    const key = `${field}:${row?.id}`
    if (!text || row === undefined || this.sending.has(key)) { return }
    this.sending.add(key)
    const saved = await this.save(field, fields(text), done, `the ${field} is not saved and stays in its field`)
    this.sending.delete(key)
    if (!saved || this.drafts.of(row.id, field).trim() !== text) { return } // written on meanwhile
    this.drafts.keep(row.id, field, "")
    if (row === this.row) {
      this[field].value = ""
      this[field].blur()
    }
  }

  // Say when it is saved; keep saying that it is not until it is.
  async save(type, fields, done, failed = "that is not saved") {
    const {row} = this
    this.say("Saving…", "")
    const late = setTimeout(() => {
      if (row === this.row) { this.say("Not saved yet: the server does not answer", "bad") }
    }, SAVE_PATIENCE_MS)
    try {
      await this.sendNow(type, fields)
      if (row === this.row) { this.say(done, "good") }
      return true
    } catch (error) {
      this.host.notify(`${row.object_id}: ${failed}. ${error.message}`)
      if (row === this.row) {
        this.say("Not saved", "bad")
        this.answer = undefined
        this.refresh()
      }
      return false
    } finally {
      clearTimeout(late)
    }
  }

  say(text, kind) {
    this.status.textContent = text
    this.status.className = `save-state ${kind}`
  }
}

function historyEntry(entry) {
  const when = new Date(entry.at)
  const what = {
    grade: () => ["graded ", h("b", {}, entry.value), entry.undone ? " (taken back)" : ""],
    undo: () => [`took back ${entry.value}`],
    skip: () => ["skipped"],
    flag: () => ["flagged"],
    unflag: () => ["took the flag away"],
    note: () => ["wrote"],
    tag: () => ["tagged ", h("span", {className: "tag"}, entry.value)],
    untag: () => ["took the tag ", h("span", {className: "tag"}, entry.value), " away"],
    stage: () => [`moved ${entry.before} → `, h("b", {}, entry.value)],
  }[entry.kind]
  const aside = [entry.reason, entry.place, entry.visible?.blind === true ? "blind" : ""].filter(Boolean).join(", ")
  return h("li", {className: entry.undone ? "undone" : ""},
    h("div", {}, h("strong", {}, entry.who), " ", what ? what() : [entry.kind], aside ? ` (${aside})` : ""),
    entry.text ? h("p", {className: "said"}, entry.text) : null,
    h("time", {dateTime: entry.at, title: when.toISOString()}, when.toLocaleString("sv-SE").slice(0, 16)))
}
