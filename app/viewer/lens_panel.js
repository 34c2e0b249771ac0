// The lens test of a candidate: a simple lens fitted on the server, its pictures, numbers and verdict.

import { h } from "../widgets/dom.js"

export const LENS_KEYS = {title: "Lens", keys: [
  {keys: ["m"], shown: "m", action: "lensTest", text: "Lens test: fit a simple lens"},
]}
const PICTURES = [
  ["data", "Data"], ["model", "Model"], ["residual", "Residual ±5 σ"],
  ["arcs", "Data − galaxy"], ["lensed", "Lensed source"], ["source", "Source"],
]
const TICK_MS = 500
const MOST_KEPT = 100
const MOST_PICKED = 8

export class LensPanel {
  // `viewer`: of the large picture; `choices`: what one browser remembers; `ask(row, asked)`: the answer of the
  // server, as a promise; `below`: a section on the same candidate with a node, show(row, opened) and remove(), or none.
  constructor({viewer, ask, below = null}, choices, keep) {
    this.viewer = viewer
    this.question = ask
    this.choices = choices
    this.keep = keep
    this.opened = false
    this.row = undefined
    this.kept = new Map() // answers by candidate
    this.waiting = null // id of the candidate that is being fitted
    this.picked = null // images that somebody points at, arcsec from the middle; null: nobody does
    this.overlay = h("input", {type: "checkbox", checked: choices.curves !== false, onchange: () => {
      this.choices.curves = this.overlay.checked
      this.keep()
      this.drawCurves()
    }})
    this.controls = h("label", {className: "lens-overlay"}, this.overlay, " Critical curve and images on the picture")
    this.body = h("div", {className: "lens-body", "aria-live": "polite"})
    this.node = h("section", {className: "lens-test", "aria-label": "Lens test"}, this.body, below?.node)
    this.below = below
  }

  // Another candidate: what belongs to the last one goes at once.
  candidate(row) {
    this.row = row
    this.stopPicking()
    this.viewer.showModel(null)
    this.draw()
    this.look()
    this.below?.show(row, this.opened)
  }

  clear() {
    this.row = undefined
    this.below?.show(undefined, this.opened)
    this.stopPicking()
    this.viewer.showModel(null)
    this.body.replaceChildren()
  }

  open(opened) {
    this.opened = opened
    if (!opened) { this.stopPicking() }
    this.drawCurves()
    this.draw()
    this.look()
    this.below?.show(this.row, opened)
  }

  // Whether a result of the present candidate is to be seen.
  get isShown() { return this.opened && this.answer?.kept === true }

  get answer() { return this.row === undefined ? undefined : this.kept.get(this.row.id) }

  // Show what the workspace has kept; nothing is computed.
  look() {
    if (this.opened && this.row !== undefined && this.answer === undefined && this.waiting !== this.row.id) {
      this.ask(this.row, {compute: false})
    }
  }

  // Fit a lens to the candidate, unless that is done or under way; from the images that are pointed at, anew.
  run() {
    const {row, picked} = this
    if (row === undefined || this.waiting !== null || (this.answer?.kept && !picked?.length)) { return }
    const positions = picked ?? []
    this.stopPicking()
    this.ask(row, {compute: true, positions})
  }

  // Every click on the large picture is an image from now on, until the test is run.
  pick() {
    this.picked = []
    this.viewer.onPick = ({x, y}) => {
      const size = this.viewer.catalog.size_arcsec
      if (this.picked.length < MOST_PICKED) { this.picked.push([(x - 0.5) * size, (0.5 - y) * size]) }
      this.draw()
    }
    this.draw()
  }

  stopPicking() {
    this.picked = null
    this.viewer.onPick = null
  }

  async ask(row, asked) {
    const {compute} = asked
    if (compute) {
      this.waiting = row.id
      this.since = performance.now()
      this.timer = setInterval(() => this.tick(), TICK_MS)
      this.draw()
    }
    let answer
    try {
      answer = await this.question(row, asked)
    } catch (error) {
      answer = {kept: false, problem: error.message}
    }
    if (compute) {
      clearInterval(this.timer)
      this.waiting = null
    }
    if (this.kept.size >= MOST_KEPT) { this.kept.clear() }
    if (compute || !this.kept.get(row.id)?.kept) { this.kept.set(row.id, answer) }
    this.draw()
  }

  tick() {
    const clock = this.body.querySelector(".lens-clock")
    if (clock !== null) { clock.textContent = this.elapsed }
  }

  get elapsed() { return `${((performance.now() - this.since) / 1000).toFixed(0)} s` }

  draw() {
    const {row, answer} = this
    if (row === undefined || !this.opened) { return }
    this.node.dataset.state = this.waiting === row.id ? "fitting" : answer === undefined ? "asking"
      : answer.kept ? answer.verdict : answer.problem ? "problem" : "none"
    if (this.waiting === row.id) {
      this.body.replaceChildren(h("p", {className: "lens-fitting", role: "status"}, h("span", {className: "lens-spinner"}),
        "Fitting a lens … ", h("span", {className: "lens-clock"}, this.elapsed)), sketch())
    } else if (this.picked !== null) {
      this.body.replaceChildren(...this.picking())
    } else if (answer === undefined) {
      this.body.replaceChildren(sketch())
    } else if (answer.kept) {
      this.body.replaceChildren(...result(answer, this.controls), this.pointing())
    } else {
      const other = this.waiting !== null ? "Another candidate is being fitted; wait for it." : null
      this.body.replaceChildren(...[
        answer.problem ? h("p", {className: "failure", role: "alert"}, answer.problem) : null,
        h("p", {}, "Fit a simple lens to this cutout, and compare it with models without a lens. It takes a few seconds."),
        h("button", {type: "button", className: "primary", disabled: other !== null, title: other ?? "",
          onclick: () => this.run()}, "Run the lens test ", h("kbd", {}, "m")),
        this.pointing(),
      ].filter(Boolean))
    }
    this.drawCurves()
  }

  pointing() {
    return h("button", {type: "button", disabled: this.waiting !== null, onclick: () => this.pick(),
      title: "Start the fit from images that you click on"}, "Point at the images")
  }

  picking() {
    const n = this.picked.length
    return [
      h("p", {}, "Click on the images of the source in the large picture, two to four of them if you can; then run the test."),
      h("div", {className: "lens-picking"},
        h("button", {type: "button", className: "primary", disabled: n === 0, onclick: () => this.run()},
          n === 0 ? "No image yet" : `Run from ${n} ${n === 1 ? "image" : "images"} `, n ? h("kbd", {}, "m") : null),
        h("button", {type: "button", onclick: () => { this.stopPicking(); this.draw() }}, "Cancel")),
    ]
  }

  drawCurves() {
    const {answer} = this
    if (this.picked !== null) {
      this.viewer.showModel({curves: [], points: [...this.picked]})
      return
    }
    const shown = this.opened && answer?.pictures && this.choices.curves !== false
    this.viewer.showModel(shown ? {
      curves: [answer.critical_curve], points: answer.images.map(([x, y]) => [x, y]),
    } : null)
  }

  remove() {
    clearInterval(this.timer)
    this.below?.remove()
  }
}

function sketch() {
  return h("div", {className: "lens-pictures lens-sketch", "aria-hidden": "true"},
    PICTURES.map(() => h("figure", {}, h("div", {className: "lens-tile"}))))
}

function result(answer, controls) {
  const verdict = h("div", {className: `lens-verdict ${answer.verdict}`},
    h("strong", {}, answer.title ?? "No lens test"), h("p", {}, reason(answer.sentence)))
  if (!answer.pictures) { return [verdict] }
  return [
    verdict,
    h("p", {className: "faint"}, answer.indicative),
    h("div", {className: "lens-pictures"}, PICTURES.map(([name, title]) => tile(answer, name, title))),
    controls,
    numbers(answer),
    h("p", {className: "faint"}, `Bands ${answer.bands.join(", ")}; method ${answer.version}; ${answer.at ? `${answer.at.slice(0, 10)}, ` : ""}`
      + `${answer.seconds.toFixed(1)} s${begun(answer)}. On the source: caustic, and dashed the line within which there is a second image.`),
  ]
}

function begun({settings}) {
  const n = settings.positions_arcsec.length
  return n ? `, started from ${n} ${n === 1 ? "image" : "images"} that somebody pointed at` : ""
}

// The sentence without the words of its title.
function reason(sentence) {
  const [, rest] = sentence.split(/^[^:.]*: /)
  return rest === undefined ? sentence : rest[0].toUpperCase() + rest.slice(1)
}

function tile(answer, name, title) {
  const {critical_curve, caustic, cut, images, source_side_arcsec, side_arcsec} = answer
  const middle = name === "source" ? [answer.source_x_arcsec.value, answer.source_y_arcsec.value] : [0, 0]
  const side = name === "source" ? source_side_arcsec : side_arcsec
  const at = ([x, y]) => [0.5 + (x - middle[0]) / side, 0.5 - (y - middle[1]) / side]
  const line = (points, className) => h("path", {class: className,
    d: points.map((point, k) => `${k ? "L" : "M"}${at(point).map((v) => v.toFixed(4)).join(" ")}`).join("")})
  const drawn = name === "source" ? [line(caustic, "caustic"), line(cut, "cut")]
    : name === "lensed" ? [line(critical_curve, "caustic"), ...images.map((image) => {
      const [cx, cy] = at(image)
      return h("circle", {cx, cy, r: 0.025, class: "lens-image"})
    })] : []
  return h("figure", {}, h("div", {className: "lens-tile"}, h("img", {src: answer.pictures[name], alt: title}),
    h("svg", {viewBox: "0 0 1 1", "aria-hidden": "true"}, drawn)), h("figcaption", {}, name === "source" ? `Source, ${side.toFixed(1)}″` : title))
}

function numbers(answer) {
  const value = ({value, error}, digits, unit = "") => `${value.toFixed(digits)} ± ${error === null ? "–" : error.toFixed(digits)}${unit}`
  const {evidence} = answer
  const rows = [
    ["θ_E", value(answer.theta_e_arcsec, 2, "″")],
    ["Axis ratio q", value(answer.axis_ratio, 2)],
    ["Direction", value(answer.angle_deg, 0, "°")],
    ["Shear γ", value(answer.shear, 3)],
    ["Source radius", value(answer.source_radius_arcsec, 2, "″")],
    ["Images", `${evidence.n_images}; S/N inside ${evidence.inner_snr.toFixed(0)}, outside ${evidence.outer_snr.toFixed(0)}`],
    ["Reduced χ²", `${answer.reduced_chi2.toFixed(2)}; no lens ${answer.reduced_chi2_no_lens.toFixed(2)}`],
    ["ΔBIC", `${signed(evidence.delta_bic)} over no lens; ${signed(evidence.rival_delta_bic)} over ${evidence.rival}`],
  ]
  return h("dl", {className: "lens-numbers"}, rows.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]))
}

function signed(value) { return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(0)}` }
