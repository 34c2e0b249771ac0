// Beside the cutout: grades, reasons, note, feedback, progress and the grader's own figures.

import { formatCount, formatProbability, h, MISSING, picture } from "../widgets/dom.js"
import { shownKey } from "../widgets/grade_keys.js"
import { SECOND_KEYS } from "./keys.js"
import { verdictOf } from "./mosaic.js"

const BREAK_AFTER_MS = 45 * 60 * 1000
const PAUSE_MS = 5 * 60 * 1000

export class LabelPanel {
  constructor(start, act) {
    this.scheme = start.scheme
    this.reasons = start.reasons
    this.act = act
    const no = start.scheme.grades.findLast(({is_lens}) => is_lens === 0)
    this.hasReasons = no !== undefined // grades of visibility say nothing of lenses
    this.worst = no ?? start.scheme.grades.at(-1)
    this.begunAt = this.lastAt = Date.now()
    this.buttons = new Map(start.scheme.grades.map((grade) => [grade.key, h("button", {
      type: "button", className: "grade", "data-verdict": verdictOf(grade),
      onclick: () => act.grade(grade.key)}, h("kbd", {}), h("b", {}, grade.key), h("span", {}, grade.title))]))
    this.slider = start.scheme.continuous ? this.makeSlider() : null
    this.reasonBox = h("div", {className: "reasons", hidden: true, role: "group", "aria-label": "Reason"},
      h("p", {}, `“${this.worst.title}”, because it is a …`),
      Object.entries(start.reasons).map(([reason, text]) => h("button", {type: "button",
        onclick: () => act.reject(reason)}, h("kbd", {}, SECOND_KEYS[reason]), text)),
      h("p", {className: "faint"}, h("kbd", {}, "Esc"), " to leave it"))
    this.note = h("textarea", {rows: 2, maxLength: 4000, placeholder: "Note on this cutout",
      "aria-label": "Note on this cutout", onkeydown: (event) => {
        if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) {
          event.preventDefault()
          event.stopPropagation()
          this.note.blur()
        }
      }})
    this.response = h("p", {className: "response"})
    this.feedback = h("div", {className: "feedback", role: "status", hidden: true})
    this.facts = h("dl", {className: "facts"})
    this.seen = h("dl", {className: "facts seen", hidden: true})
    this.bar = h("span", {className: "fill"})
    this.progress = h("p", {className: "progress"})
    this.pause = h("p", {className: "pause", role: "status", hidden: true})
    const small = (action, text) => h("button", {type: "button", "data-action": action,
      onclick: () => act[action]()}, h("kbd", {}), text)
    this.tools = h("div", {className: "tools"}, small("undo", "Undo"), small("back", "Back"),
      small("skip", "Skip"), small("flag", "Flag"),
      this.hasReasons ? small("reason", "No, because …") : null)
    this.node = h("aside", {className: "side label-side", "aria-label": "Grades"},
      h("div", {className: "progress-box"}, this.progress, h("span", {className: "meter"}, this.bar)),
      this.seen, this.response,
      h("div", {className: "grades"}, ...this.buttons.values()), this.slider,
      this.reasonBox, this.tools, this.note, this.feedback, this.pause, this.facts)
  }

  // Any probability, for schemes that ask for one.
  makeSlider() {
    const output = h("output", {}, "0.50")
    const range = h("input", {type: "range", min: 0, max: 1, step: 0.01, value: 0.5,
      "aria-label": "Probability of a lens", oninput: () => { output.textContent = Number(range.value).toFixed(2) }})
    return h("div", {className: "probability"}, range, output, h("button", {type: "button",
      onclick: () => { range.blur(); this.act.grade(String(Number(range.value))) }}, "Set"))
  }

  setKeys(keys) {
    for (const [key, button] of this.buttons) {
      button.querySelector("kbd").textContent = shownKey(keys[`grade:${key}`])
    }
    for (const button of this.tools.children) {
      button.querySelector("kbd").textContent = shownKey(keys[button.dataset.action])
    }
  }

  // What is there to say of a cutout; null: there is none.
  show(entry) {
    if (entry !== this.entry) { this.note.value = entry?.response?.comment ?? "" }
    this.entry = entry
    const response = entry?.response ?? null
    for (const [key, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(response?.grade === key))
    }
    const flag = entry?.flagged ? "Flagged for discussion. " : ""
    const reason = response?.reject_reason ? `: ${this.reasons[response.reject_reason]}` : ""
    this.response.textContent = flag + (response === null ? "" : response.kind === "skip" ? "You skipped this cutout."
      : `Your grade: ${response.grade}${reason}.`)
    this.showSeen(entry)
    this.askReason(false)
  }

  // Scores and votes, in sessions that are not blind.
  showSeen(entry) {
    this.seen.hidden = entry?.object_id === undefined
    if (this.seen.hidden) { return }
    const votes = entry.votes.map(([name, grade]) => `${name} ${grade}`).join(", ")
    this.seen.replaceChildren(...[["Object", entry.object_id], ["Score", formatProbability(entry.score)],
      ["Chosen for", entry.why || MISSING], ["Votes", votes || MISSING]].map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value))))
  }

  askReason(open) {
    this.reasonBox.hidden = !open
    return open
  }

  setProgress(done, total) {
    this.progress.replaceChildren(h("b", {}, formatCount(done)), ` of ${formatCount(total)}`)
    this.bar.style.width = total ? `${(100 * done) / total}%` : "0"
  }

  setFigures(figures) {
    const fraction = (found) => found === null || found === undefined ? MISSING
      : `${(100 * found.value).toFixed(0)} % (${(100 * found.low_95).toFixed(0)}–${(100 * found.high_95).toFixed(0)}), ${found.found} of ${found.total}`
    const pace = figures.seconds === null ? MISSING
      : `${figures.recent_seconds.toFixed(1)} s lately, ${figures.seconds.toFixed(1)} s in all`
    this.facts.replaceChildren(...[
      ["Seconds per cutout", pace, "Median; pauses of over two minutes are left out"],
      ["Repeats agree", fraction(figures.repeats), "Cutouts shown twice that got the same grade; 95 % interval"],
      ["Known lenses found", fraction(figures.gold_lenses), "95 % interval"],
      ["Known non-lenses rejected", fraction(figures.gold_non_lenses), "95 % interval"],
    ].map(([name, value, title]) => h("div", {title}, h("dt", {}, name), h("dd", {}, value))))
  }

  // In the tutorial, after a grade: the explanation is to come, and `goOn` leaves it.
  await(goOn) {
    this.feedback.hidden = false
    delete this.feedback.dataset.right
    this.explanation = h("div", {}, h("p", {}, "The explanation follows when the grade is saved …"))
    this.feedback.classList.add("paused")
    this.feedback.replaceChildren(this.explanation, h("button", {type: "button", className: "primary",
      onclick: goOn}, h("kbd", {}, "Space"), "Next cutout"))
  }

  explain(told) {
    this.feedback.dataset.right = String(told.right)
    this.explanation.replaceChildren(
      h("b", {}, `${verdictOn(told)}: this is ${told.answer ? "a lens" : "no lens"}.`),
      h("p", {}, told.explanation))
  }

  // After a gold object: whether the grade was right, and what it is.
  setFeedback(told, url) {
    this.feedback.hidden = told === null
    this.feedback.classList.remove("paused")
    if (told === null) { return }
    this.feedback.dataset.right = String(told.right)
    this.feedback.replaceChildren(picture({src: url, alt: "The cutout before"}),
      h("div", {}, h("b", {}, `${verdictOn(told)}: the one before was ${told.answer ? "a lens" : "no lens"}.`),
        h("p", {}, told.explanation)))
  }

  // Called at every grade: after a long run, a word about a break.
  beat() {
    const now = Date.now()
    if (now - this.lastAt > PAUSE_MS) { this.begunAt = now }
    this.lastAt = now
    const minutes = Math.floor((now - this.begunAt) / 60000)
    this.pause.hidden = now - this.begunAt < BREAK_AFTER_MS
    if (!this.pause.hidden) {
      this.pause.textContent = `You have graded for ${minutes} minutes without a break; a few minutes away `
        + "from the screen keep grades consistent."
    }
  }
}

function verdictOn({right}) { return right === null ? "Undecided" : right ? "Right" : "Not quite" }
