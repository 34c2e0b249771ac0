// What people did with a candidate: grades, stages, tags, notes; and doing it.

import { isRemark } from "../http/outbox.js"
import { browserStorage } from "../http/outbox_page.js"
import { h } from "../widgets/dom.js"
import { Drafts } from "./drafts.js"
import { preferencesOf } from "../widgets/preferences.js"
import { AutoAdvance } from "./auto_advance.js"
import { OwnGrades } from "./own_grades.js"
import { Prompt } from "./panel.js"
import { inThreads, Remarks } from "./remarks.js"

const BEYOND = "Not graded: the list has ended"
const FIELDS = ["note", "tag"]
const NOTE_HINT = "Write a note; @name shows it to that grader"
const DONE = {
  note: () => "Note saved", tag: () => "Tagged", untag: () => "Tag removed", stage: ({stage}) => `Moved to ${stage}`,
}
export const STAGE_STEPS = [
  ["d", "detection"], ["t", "triage"], ["v", "validation"], ["c", "confirmation"],
]

const READS = "You are a reader: ask an organizer for another role to grade, move, tag and write notes."

export class HistoryPanel {
  constructor(host) {
    this.host = host
    this.answer = undefined
    this.wasBeyond = false // a grade was asked for beyond the last candidate
    this.own = new OwnGrades()
    this.remarks = new Remarks()
    this.prompt = new Prompt()
    const {grader, grades, reasons} = host.start
    this.grader = grader
    this.reasons = reasons
    this.grades = grades
    this.status = h("span", {className: "save-state", role: "status"})
    this.buttons = new Map(grades.map(({key, title}) => [key, h("button", {type: "button", className: "grade",
      title: `${key}: ${title} (key ${host.gradeKeys?.[key] ?? `a, then ${key.toLowerCase()}; or ${key}`})`, "aria-pressed": "false",
      onclick: () => this.give(key)}, key)]))
    this.stage = h("button", {type: "button", className: "stage-button", title: "Move to a stage (key M)",
      onclick: () => this.askStage()})
    const preferences = preferencesOf(host.start.preferences?.general ?? null)
    this.advance = new AutoAdvance(browserStorage, preferences.advance)
    this.advanceBox = h("input", {type: "checkbox", checked: this.advance.on, onchange: () => this.toggleAdvance()})
    this.advanceChoice = h("label", {className: "advance", hidden: grader === null,
      title: "Go to the next candidate after a grade (key J)"}, this.advanceBox, "Next after a grade")
    const step = (label, text, way) => h("button", {type: "button", className: "step", title: label, ariaLabel: label,
      onclick: () => host.step(way)}, text)
    this.footer = h("footer", {className: "verdict"}, this.prompt.node, step("Previous candidate (key k)", "‹", -1),
      grader === null ? this.signIn() : h("div", {className: "verdict-row"}, h("span", {className: "segments", role: "group", "aria-label": "Your grade"},
        [...this.buttons.values()]), this.status, h("span", {className: "spacer"}), this.stage),
      step("Next candidate (key j)", "›", 1))
    this.tags = h("div", {className: "tags"})
    this.tag = h("input", {type: "text", maxLength: 64, placeholder: "Add a tag", "aria-label": "Add a tag (key T)"})
    this.known = h("datalist", {id: "known-tags"})
    this.tag.setAttribute("list", "known-tags")
    this.note = h("textarea", {rows: 2, maxLength: 4000, placeholder: NOTE_HINT, "aria-label": "Write a note (key N)"})
    this.replyTo = null
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
    for (const field of FIELDS) {
      this[field].addEventListener("input", () => {
        if (this.row !== undefined) { this.drafts.keep(this.row.id, field, this[field].value) }
      })
    }
    this.node = h("section", {className: "history", "aria-label": "History"}, this.tags, this.form, this.entries)
  }

  signIn() {
    if (this.host.start.reads) { return h("p", {className: "sign-in faint"}, READS) }
    return h("p", {className: "sign-in faint"}, h("a", {href: "#", onclick: (event) => {
      event.preventDefault()
      document.dispatchEvent(new CustomEvent("lens-triage-sign-in"))
    }}, "Sign in"), " to grade, move, tag and write notes.")
  }

  candidate(row) {
    this.row = row
    this.since = performance.now()
    this.advance.shows(row.id)
    this.prompt.close()
    this.answer = undefined
    for (const field of FIELDS) { this[field].value = this.drafts.of(row.id, field) }
    this.wasBeyond = false
    this.say("", "")
  }

  show(row, answer) {
    this.drawStage(row.stage)
    for (const node of [this.tags, this.entries]) { node.classList.toggle("loading", answer === undefined) }
    if (answer !== undefined) {
      this.own.heard(row.id, answer.own, answer.asked)
      this.host.graded(row.id)
    }
    this.press(this.own.of(row.id)?.grade ?? null)
    if (answer === undefined || answer === this.answer) { return }
    this.answer = answer
    this.drawAnswer()
  }

  // What the server said, and what it does not know yet.
  drawAnswer() {
    const {answer, row} = this
    if (answer === undefined || row === undefined) { return }
    const tags = this.remarks.tags(row.id, answer.tags)
    this.tags.replaceChildren(...tags.map((tag) => h("span", {className: "tag"}, tag,
      this.grader === null ? null : h("button", {type: "button", "aria-label": `Remove the tag ${tag}`,
        onclick: () => this.tell("untag", {tag})}, "×"))))
    this.known.replaceChildren(...answer.known_tags.filter((tag) => !tags.includes(tag))
      .map((value) => h("option", {value})))
    const entries = [...this.remarks.of(row.id).reverse().map((event) => this.unsaved(event)),
      ...inThreads(answer.entries).map((entry) => historyEntry(entry, this.grader && ((note) => this.answerTo(note))))]
    if (answer.blind?.length) {
      entries.unshift(h("li", {className: "faint"},
        `Grades of others are shown when ${answer.blind.join(", ")} is closed: this candidate is graded blind there.`))
    }
    this.entries.replaceChildren(...(entries.length
      ? entries : [h("li", {className: "faint"}, "Nobody has graded, tagged or moved this candidate yet.")]))
  }

  // An entry of the history that is on its way to the server.
  unsaved(event) {
    const value = event.stage ?? event.tag ?? ""
    return historyEntry({kind: event.kind, who: this.grader.name, value, before: event.expected ?? "",
      text: event.text ?? "", at: event.given_at, reason: this.reasons.find(({key}) => key === event.reason)?.title})
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
    this.answerTo(null)
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
    if (this.host.start.reads) { return this.host.notify(READS) }
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
      this.wasBeyond = true
      this.say(BEYOND, "bad")
      return
    }
    const event = this.event("grade", {grade, shown_ms: Math.round(performance.now() - this.since), view: this.host.record()})
    this.own.give(this.row.id, {uuid: event.uuid, grade})
    this.submit(event)
    if (this.advance.given(this.row.id)) { this.host.step(1) }
  }

  undo() {
    if (this.grader === null) { return this.refuse() }
    if (this.row === undefined) { return }
    const before = this.advance.toUndo(this.row.id, this.own.of(this.row.id))
    if (before !== this.row.id) {
      this.host.open(before)
      if (before !== this.row?.id) { return } // on another page of the list: shown first, then the key again
    }
    const own = this.own.of(this.row.id)
    if (own === null) {
      this.say("You have no grade to undo", "")
      return
    }
    const event = this.event("undo", {undoes: own?.uuid ?? null}) // not known yet: the one that the server has
    this.own.undo(this.row.id)
    this.submit(event)
  }

  toggleAdvance() {
    this.advance.toggle()
    this.advanceBox.checked = this.advance.on
    this.advanceBox.blur() // the next key is for the page again
  }

  event(kind, more) { return this.eventOf(kind, this.row, more) }

  // An event of any row; what it says of the candidate is in `more`.
  eventOf(kind, row, more) {
    const event = {uuid: crypto.randomUUID(), kind, candidate: row.id, given_at: new Date().toISOString(), ...more}
    return isRemark(event) ? event : {...event, ensemble_id: this.host.ensemble()}
  }

  // Give and say many things at once; they stand at once. `rows`: those of the candidates, by id.
  submitAll(events, rows) {
    for (const event of events) {
      const row = rows.get(event.candidate)
      if (event.kind === "grade") {
        this.own.give(row.id, {uuid: event.uuid, grade: event.grade})
      } else if (event.kind === "undo") {
        this.own.undo(row.id)
      } else {
        this.remarks.add(event)
        if (event.kind === "stage") {
          row.stage = event.stage
          this.host.changed(row)
        }
      }
      this.host.graded(row.id)
    }
    this.host.outbox.add(events)
  }

  submit(event) {
    this.say("Saving…", "")
    this.press(this.own.of(this.row.id)?.grade ?? null)
    this.host.graded(this.row.id)
    this.host.outbox.add([event])
  }

  // The server has said what became of an event of this page.
  settled(event, told) {
    if (isRemark(event)) {
      this.settledRemark(event, told)
    } else {
      this.settledGrade(event, told)
    }
  }

  settledRemark(event, {refused}) {
    const {candidate, kind} = event
    this.remarks.settled(event, performance.now(), refused !== undefined)
    if (refused !== undefined) { this.takeBack(candidate, kind, event.text ?? event.tag) }
    if (candidate !== this.row?.id) { return }
    if (refused !== undefined) {
      this.say("Not saved", "bad")
    } else if (!this.remarks.isPending(candidate)) {
      this.say(DONE[kind](event), "good")
    }
    this.drawAnswer()
  }

  // What was refused stands in its field again, unless something else was written there meanwhile.
  takeBack(candidate, field, text) {
    if (!FIELDS.includes(field) || this.drafts.of(candidate, field)) { return }
    this.drafts.keep(candidate, field, text)
    if (candidate === this.row?.id) { this[field].value = text }
  }

  settledGrade({candidate, kind}, {refused}) {
    this.own.settled(candidate, performance.now(), refused !== undefined)
    if (refused !== undefined) { this.host.graded(candidate) }
    if (candidate !== this.row?.id) { return }
    if (refused === undefined) {
      // That a key beyond the end graded nobody is not hidden by the "Saved" of the last candidate.
      const isBeyond = this.host.isPast() && this.wasBeyond
      if (isBeyond) { this.say(BEYOND, "bad") }
      else if (!this.own.isPending(candidate)) { this.say(kind === "undo" ? "Taken back" : "Saved", "good") }
    } else {
      this.say("Not saved", "bad")
      this.press(this.own.of(candidate)?.grade ?? null)
    }
  }

  outboxChanged(outbox) {
    const kept = [...outbox.waiting.values()].map(({event}) => event).filter(isRemark) // of an earlier visit, too
    if (kept.filter((event) => this.remarks.add(event)).some(({candidate}) => candidate === this.row?.id)) {
      this.drawAnswer()
    }
    const {id} = this.row ?? {}
    if (outbox.late && (this.own.isPending(id) || this.remarks.isPending(id))) { this.say("Not saved yet", "bad") }
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
    const {row} = this
    this.tell("stage", {stage, reason, expected: row.stage})
    row.stage = stage
    this.drawStage(stage)
    this.host.changed(row)
  }

  addTag() {
    this.tag.blur()
    this.write("tag", (tag) => ({tag}))
  }

  addNote() {
    this.write("note", (text) => (this.replyTo === null ? {text} : {text, reply_to: this.replyTo}))
    this.answerTo(null)
  }

  // What is written next answers a note, or none.
  answerTo(entry) {
    this.replyTo = entry?.note ?? null
    this.note.placeholder = entry === null ? NOTE_HINT : `Answer ${entry.who}`
    if (entry !== null) { this.note.focus() }
  }

  // Say what stands in a field; the outbox keeps it from then on.
  write(field, fields) {
    const text = this[field].value.trim()
    if (!text || this.row === undefined) { return }
    this.tell(field, fields(text))
    this.drafts.keep(this.row.id, field, "")
    this[field].value = ""
    this[field].blur()
  }

  // Say something of the candidate: it stands at once.
  tell(kind, fields) {
    const event = this.event(kind, fields)
    this.remarks.add(event)
    this.say("Saving…", "")
    this.drawAnswer()
    this.host.outbox.add([event])
  }

  say(text, kind) {
    this.status.textContent = text
    this.status.className = `save-state ${kind}`
  }
}

function historyEntry(entry, answer = null) {
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
  const className = [entry.undone ? "undone" : "", entry.reply_to != null ? "reply" : ""].filter(Boolean).join(" ")
  return h("li", {className},
    h("div", {}, h("strong", {}, entry.who), " ", what ? what() : [entry.kind], aside ? ` (${aside})` : ""),
    entry.text ? h("p", {className: "said"}, entry.text) : null,
    entry.note != null && answer ? h("button", {type: "button", className: "answer", onclick: () => answer(entry)}, "Answer") : null,
    entry.event ? h("a", {className: "answer", href: `replays/${entry.event}`, target: "_blank", rel: "noopener",
      title: "Show what this grader saw"}, "Replay") : null,
    h("time", {dateTime: entry.at, title: when.toISOString()}, when.toLocaleString("sv-SE").slice(0, 16)))
}
