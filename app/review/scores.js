// What the ensemble says of the chosen candidate, and what is known of it.

import { formatNumber, formatProbability, h, MISSING } from "../widgets/dom.js"

const AXIS_LOGIT = 7 // the strip runs from probability 0.0009 to 0.9991, in logit
const AXIS_TICKS = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
const NAMED_TICKS = [0.01, 0.5, 0.99]

export const logitOf = (p) => Math.log(p / (1 - p))

// Where a probability lies on the strip, in logit, clipped to its ends: 0 to 1.
export const placeOf = (p) => (Math.max(-AXIS_LOGIT, Math.min(AXIS_LOGIT, logitOf(p))) / AXIS_LOGIT + 1) / 2

// A part of a strip at a place, or from one place to another.
function mark(className, from, to) {
  const node = h("i", {className})
  node.style.left = `${100 * from}%`
  if (to !== undefined) { node.style.width = `${100 * (to - from)}%` }
  return node
}

// The members, each with its score as a dot beside its name; the ensemble's score is a line through
// all, in the band of its interval where that is known.
function memberRows(row, members, interval) {
  const behind = () => [
    ...AXIS_TICKS.map((p) => mark("tick", placeOf(p))),
    interval ? mark("interval-band", placeOf(interval.low), placeOf(interval.high)) : null,
    mark("ensemble", placeOf(row.probability)),
  ]
  const axis = h("div", {className: "member-axis", "aria-hidden": "true"}, h("span", {}),
    h("span", {className: "member-strip"}, NAMED_TICKS.map((p) => {
      const tick = h("span", {}, String(p))
      tick.style.left = `${100 * placeOf(p)}%`
      return tick
    })), h("span", {}))
  return h("div", {className: "members-box"},
    h("ol", {}, members.map((member) => h("li", {title: `${member.name} (${member.kind}), weight ${formatNumber(member.weight, 2)}`},
      h("span", {className: "name"}, member.name),
      h("span", {className: "member-strip", "aria-hidden": "true"}, behind(), mark("dot", placeOf(member.probability))),
      h("span", {className: "value"}, formatProbability(member.probability))))),
    axis,
    legend([["dot", explained("member", "member score")], ["line", explained("ensemble", "score")],
      ...(interval ? [["range", explained("68 % interval", "interval of a score")]] : [])]))
}

const inNats = (value) => value === null || value === undefined ? MISSING : `${formatNumber(value)} nat`

// A word that the glossary explains, under the name that it has there.
const explained = (word, of) => h("lt-term", {of}, word)

// What marks stand for: [kind of mark, what it is].
function legend(entries) {
  return h("p", {className: "legend"}, entries.map(([kind, what]) => h("span", {className: kind}, what)))
}

export class ScorePanel {
  constructor() {
    this.node = h("section", {className: "scores", "aria-label": "Scores"})
  }

  show(row, details, interval) {
    if (row.probability === undefined) {
      this.node.replaceChildren(h("p", {className: "faint"}, "No ensemble has been chosen: no scores."))
      return
    }
    const total = (row.epistemic ?? 0) + (row.aleatoric ?? 0)
    const share = total > 0 ? (100 * row.epistemic) / total : 0
    const percent = 100 * (row.probability ?? 0)
    this.node.replaceChildren(
      h("div", {className: "headline"},
        h("strong", {}, formatProbability(row.probability)),
        explained("ensemble score", "score"),
        meter(percent, "score")),
      facts([
        [explained("Epistemic", "epistemic uncertainty"), inNats(row.epistemic)],
        [explained("Aleatoric", "aleatoric uncertainty"), inNats(row.aleatoric)],
        [explained("Disagreement", "disagreement"), formatNumber(row.disagreement, 2)],
        [explained("OOD distance", "OOD distance"), formatNumber(row.ood, 2)],
      ]),
      h("div", {className: "parts", "aria-hidden": "true"},
        h("span", {className: "part epistemic"}), h("span", {className: "part aleatoric"})),
      legend([["epistemic", `${share.toFixed(0)} % of ${formatNumber(total)} nat is epistemic`],
        ["aleatoric", "aleatoric"]]),
      this.members(row, details, interval),
    )
    this.node.querySelector(".part.epistemic").style.flexGrow = String(share)
    this.node.querySelector(".part.aleatoric").style.flexGrow = String(100 - share)
  }

  members(row, details, interval) {
    if (details === undefined) { return h("div", {className: "members-box loading"}) }
    if (!details.members.length) {
      return h("p", {className: "faint"}, "No scores of single members are stored.")
    }
    return memberRows(row, details.members, interval)
  }
}

function meter(percent, kind) {
  const bar = h("span", {className: "fill"})
  bar.style.width = `${percent}%`
  return h("span", {className: `meter ${kind}`, "aria-hidden": "true"}, bar)
}

function facts(rows) {
  return h("dl", {className: "facts"}, rows.map(([name, value, title]) => h(
    "div", {title: title ?? ""}, h("dt", {}, name), h("dd", {}, value),
  )))
}

export class MetadataTable {
  constructor(onTruth) {
    this.onTruth = onTruth
    this.truthWanted = false
    this.node = h("section", {className: "metadata", "aria-label": "Metadata"})
  }

  show(row, details, truth) {
    if (details === undefined) {
      this.node.classList.add("loading")
      return
    }
    this.node.classList.remove("loading")
    this.node.replaceChildren(
      ...details.sections.map(({title, rows}) => h("div", {className: "section"}, h("h3", {}, title), facts(rows))),
      ...(details.has_truth ? [this.truth(truth)] : []),
    )
  }

  // What a simulated object is stays hidden until somebody asks for it.
  truth(rows) {
    const shown = this.truthWanted && rows !== undefined
    return h("div", {className: "section truth"},
      h("h3", {}, "Simulated truth"),
      h("button", {type: "button", "aria-expanded": String(shown), onclick: () => {
        this.truthWanted = !this.truthWanted
        this.onTruth()
      }}, this.truthWanted ? "Hide simulated truth" : "Show simulated truth"),
      shown ? facts(rows) : null)
  }
}
