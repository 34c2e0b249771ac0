// What the ensemble says of the chosen candidate, and what is known of it.

import { formatNumber, formatProbability, h } from "../widgets/dom.js"

const AXIS_LOGIT = 7 // the strip runs from probability 0.0009 to 0.9991, in logit
const AXIS_TICKS = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
const STRIP_WIDTH = 300
const STRIP_MARGIN = 14

export const logitOf = (p) => Math.log(p / (1 - p))

// Where a logit lies on the strip, clipped to its ends.
function stripX(logit) {
  const fraction = (Math.max(-AXIS_LOGIT, Math.min(AXIS_LOGIT, logit)) / AXIS_LOGIT + 1) / 2
  return STRIP_MARGIN + fraction * (STRIP_WIDTH - 2 * STRIP_MARGIN)
}

// Members' probabilities as dots under each other, the ensemble's as a line through all, in the band
// of its interval where that is known.
function memberStrip(row, members, interval) {
  const step = 26
  const top = 8
  const bottom = top + step * members.length
  const ensemble = stripX(logitOf(row.probability))
  const [low, high] = interval ? [stripX(logitOf(interval.low)), stripX(logitOf(interval.high))] : []
  return h(
    "svg", {class: "members", viewBox: `0 0 ${STRIP_WIDTH} ${bottom + 18}`, role: "img",
      "aria-label": `Members: ${members.map((m) => `${m.name} ${formatProbability(m.probability)}`).join(", ")}`},
    AXIS_TICKS.map((p) => h("g", {class: "tick"},
      h("line", {x1: stripX(logitOf(p)), x2: stripX(logitOf(p)), y1: top, y2: bottom}),
      h("text", {x: stripX(logitOf(p)), y: bottom + 12, "text-anchor": "middle"}, String(p)))),
    interval ? h("rect", {class: "interval-band", x: low, y: top - 4, width: high - low, height: bottom - top + 4}) : null,
    members.map((member, k) => {
      const x = stripX(logitOf(member.probability))
      const y = top + step * (k + 0.68)
      return h("g", {class: "member"},
        h("line", {x1: STRIP_MARGIN, x2: STRIP_WIDTH - STRIP_MARGIN, y1: y, y2: y}),
        h("circle", {cx: x, cy: y, r: 4.2}))
    }),
    h("line", {class: "ensemble", x1: ensemble, x2: ensemble, y1: top - 4, y2: bottom}),
  )
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
      h("div", {className: "headline", title: "Calibrated probability at the ensemble's class prior: a score, not a confirmation"},
        h("strong", {}, formatProbability(row.probability)),
        h("span", {}, "ensemble score"),
        meter(percent, "score")),
      facts([
        ["Epistemic", formatNumber(row.epistemic), "Mutual information of the members, nat: what more training could settle"],
        ["Aleatoric", formatNumber(row.aleatoric), "Mean entropy of the members, nat: what the images leave open"],
        ["Disagreement", formatNumber(row.disagreement, 2), "Standard deviation of the members' logits"],
        ["OOD distance", formatNumber(row.ood, 2), "Out of distribution: Mahalanobis distance in embedding space from known non-lenses; – where the ensemble has none"],
      ]),
      h("div", {className: "parts", title: `Uncertainty ${formatNumber(total)} nat: ${share.toFixed(0)} % epistemic`},
        h("span", {className: "part epistemic"}), h("span", {className: "part aleatoric"})),
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
    return h("div", {className: "members-box"},
      h("ol", {}, details.members.map((member) => h("li", {title: `${member.name} (${member.kind}), weight ${formatNumber(member.weight, 2)}`},
        h("span", {}, member.name), h("span", {className: "value"}, formatProbability(member.probability))))),
      memberStrip(row, details.members, interval))
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
