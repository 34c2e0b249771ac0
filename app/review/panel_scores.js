// How sure a score is: its interval, the calibration diagram, ood, and other ensembles.

import { saveButton } from "../widgets/chart_menu.js"
import { formatCount, formatProbability, h } from "../widgets/dom.js"
import { fold } from "./panel.js"
import { logitOf } from "./scores.js"

const DIAGRAM = {width: 300, height: 190, left: 34, right: 8, top: 8, bottom: 26}
const DIAGRAM_LOGIT = 5 // axes from probability 0.0067 to 0.9933
const DIAGRAM_TICKS = [0.01, 0.1, 0.5, 0.9, 0.99]
const UNLIKE_PERCENT = 99
const UNLIKE_FROM = 200 // of fewer candidates somebody is always the last

export class ScoreContextPanel {
  constructor() {
    this.node = h("section", {className: "score-context", "aria-label": "How sure the score is"})
    this.more = h("section", {className: "score-context", "aria-label": "Calibration and other ensembles"})
    this.shown = null
  }

  show(row, answer) {
    if (row.probability === undefined) {
      this.clear()
      this.shown = null
      return
    }
    for (const node of [this.node, this.more]) { node.classList.toggle("loading", answer === undefined) }
    if (answer === undefined || answer === this.shown) { return }
    this.shown = answer
    this.node.replaceChildren(...[this.interval(row, answer), this.ood(answer.ood)].filter(Boolean))
    this.more.replaceChildren(
      fold("Calibration", ...this.calibration(answer)),
      fold("Other ensembles", this.ensembles(answer.ensembles)),
    )
  }

  clear() {
    this.shown = null
    this.node.replaceChildren()
    this.more.replaceChildren()
  }

  interval(row, {interval, calibration}) {
    if (!interval) {
      return h("p", {className: "faint"}, "One member and no test split: the score has no interval.")
    }
    const parts = [
      interval.sigma_members === null ? null : `members differ by ±${interval.sigma_members.toFixed(2)}`,
      interval.sigma_calibration === null ? "no test split to estimate the calibration's error"
        : `calibration ±${interval.sigma_calibration.toFixed(2)} (${formatCount(calibration.n)} test objects)`,
    ].filter(Boolean)
    return h("p", {className: "interval"},
      h("strong", {}, `${formatProbability(interval.low)} – ${formatProbability(interval.high)}`),
      " ", h("lt-term", {of: "interval of a score"}, "68 % interval"), h("span", {}, `: ${parts.join("; ")}.`))
  }

  ood(ood) {
    if (!ood) { return null }
    const {percent, n} = ood
    const first = percent > 100 - 101 / n
    const node = h("p", {className: "ood"}, first
      ? `Largest OOD distance of the ${formatCount(n)} candidates of its catalog.`
      : `OOD distance larger than that of ${percent.toFixed(percent > 99 ? 2 : 0)} % of the ${formatCount(n)} `
        + "candidates of its catalog.")
    if (percent > UNLIKE_PERCENT && n >= UNLIKE_FROM) {
      node.append(h("span", {className: "warn"}, "Few candidates are this far from the known non-lenses: inspect it, and trust the score less."))
    }
    return node
  }

  calibration({calibration, problem}) {
    if (problem) { return [h("p", {className: "failure"}, problem)] }
    if (!calibration) {
      return [h("p", {className: "faint"},
        "This ensemble has no reliability diagram: it has no test split.")]
    }
    const here = calibration.bins[calibration.bin]
    const share = (value) => `${(100 * value).toFixed(1)} %`
    const diagram = reliabilityDiagram(calibration)
    return [
      diagram,
      saveButton(() => ({title: "Calibration", svg: () => diagram, series: () => [{name: "", columns: binColumns(calibration.bins)}]})),
      h("p", {className: "faint"},
        `At the class prior of the ${calibration.measured_on} (${share(calibration.prior)} lenses; scores are for `
        + `${share(calibration.survey_prior)}) this score would be ${formatProbability(1 / (1 + Math.exp(-calibration.logit)))}. `
        + `Of ${formatCount(here.count)} objects scored about like it, ${share(here.share)} were lenses `
        + `(68 %: ${share(here.low)} to ${share(here.high)}).`),
    ]
  }

  ensembles(ensembles) {
    if (ensembles.length < 2) {
      return h("p", {className: "faint"}, "No other ensemble has scored this candidate.")
    }
    return h("table", {className: "ensembles"}, h("tbody", {}, ensembles.map((one, k) => {
      const before = ensembles[k + 1]
      const change = before === undefined ? "" : signed(one.logit - before.logit, 2)
      return h("tr", {}, h("td", {className: "faint"}, one.date),
        h("td", {className: "name", title: one.promoted ? `${one.name}, promoted` : one.name},
          one.promoted ? "● " : "", one.name),
        h("td", {className: "number"}, formatProbability(one.probability)),
        h("td", {className: "number faint", title: "Change of the logit since the ensemble below"}, change))
    })))
  }
}

export const signed = (value, digits) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`

const binColumns = (bins) => Object.fromEntries(Object.entries({probability: "predicted_probability", share: "share_of_lenses",
  low: "share_low_68", high: "share_high_68", count: "objects"}).map(([name, header]) => [header, bins.map((bin) => bin[name])]))

// Share of lenses against predicted probability, both on logit axes, with the score's place.
function reliabilityDiagram({bins, logit, bin}) {
  const {width, height, left, right, top, bottom} = DIAGRAM
  const fraction = (value) => (Math.max(-DIAGRAM_LOGIT, Math.min(DIAGRAM_LOGIT, value)) / DIAGRAM_LOGIT + 1) / 2
  const ofProbability = (p) => fraction(logitOf(Math.min(1 - 1e-9, Math.max(1e-9, p))))
  const x = (f) => left + f * (width - left - right)
  const y = (f) => height - bottom - f * (height - top - bottom)
  const here = x(fraction(logit))
  return h("svg", {class: "reliability", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": "Share of lenses among test objects against predicted probability; the line marks this score"},
  DIAGRAM_TICKS.map((p) => h("g", {class: "tick"},
    h("line", {x1: x(ofProbability(p)), x2: x(ofProbability(p)), y1: y(0), y2: y(1)}),
    h("line", {x1: x(0), x2: x(1), y1: y(ofProbability(p)), y2: y(ofProbability(p))}),
    h("text", {x: x(ofProbability(p)), y: height - 14, "text-anchor": "middle"}, String(p)),
    h("text", {x: left - 4, y: y(ofProbability(p)) + 3, "text-anchor": "end"}, String(p)))),
  h("line", {class: "diagonal", x1: x(0), x2: x(1), y1: y(0), y2: y(1)}),
  h("line", {class: "here", x1: here, x2: here, y1: y(0), y2: y(1)}),
  bins.map((one, k) => h("g", {class: k === bin ? "bin chosen" : "bin"},
    h("line", {x1: x(ofProbability(one.probability)), x2: x(ofProbability(one.probability)),
      y1: y(ofProbability(one.low)), y2: y(ofProbability(one.high))}),
    h("circle", {cx: x(ofProbability(one.probability)), cy: y(ofProbability(one.share)), r: k === bin ? 4 : 2.8}))),
  h("text", {class: "axis", x: x(0.5), y: height - 2, "text-anchor": "middle"}, "predicted probability, test objects"),
  h("text", {class: "axis", x: 9, y: y(0.5), "text-anchor": "middle", transform: `rotate(-90 9 ${y(0.5)})`}, "share of lenses"))
}
