// The lens model of a candidate: a run on the server samples its posterior, which is shown when it is there.

import { saveButton } from "../widgets/chart_menu.js"
import { h } from "../widgets/dom.js"
import { niceTicks } from "./chart_axes.js"

const LOOK_MS = 4000
const SHOWN = ["theta_e_arcsec", "axis_ratio", "angle_deg", "slope", "shear", "shear_angle_deg", "magnification",
  "mass_msun", "theta_e_kpc", "sigma_v_km_s", "source_radius_arcsec"]
const MASSES = [["sie", "Isothermal (SIE)"], ["epl", "Power law (EPL)"]]
const WIDTH = 300
const HEIGHT = 130
const PAD = {left: 44, right: 8, top: 6, bottom: 32}

export class LensModelSection {
  // `ask(row, asked)`: the answer of the server, as a promise.
  constructor(ask) {
    this.question = ask
    this.row = undefined
    this.opened = false
    this.answer = undefined
    this.asking = false // whether the form is open
    this.problem = ""
    this.body = h("div", {className: "lens-body", "aria-live": "polite"})
    this.node = h("section", {className: "lens-model", "aria-label": "Lens model", hidden: true}, this.body)
  }

  // A candidate, or none, in a panel that is open or not.
  show(row, opened) {
    const other = row?.id !== this.row?.id
    this.row = row
    this.opened = opened
    if (other) {
      this.answer = undefined
      this.asking = false
      this.problem = ""
    }
    clearTimeout(this.timer)
    this.draw()
    if (opened && row !== undefined && (other || this.answer === undefined || this.answer.run?.active)) { this.look() }
  }

  remove() { clearTimeout(this.timer) }

  // Ask what there is; with `start` begin a run first.
  async look(start) {
    const {row} = this
    let answer
    try {
      answer = await this.question(row, start === undefined ? {} : {start})
      this.problem = ""
      this.asking = false
    } catch (error) {
      this.problem = error.message
    }
    if (row?.id !== this.row?.id) { return }
    this.answer = answer ?? this.answer
    this.draw()
    clearTimeout(this.timer)
    if (this.opened && this.answer?.run?.active) { this.timer = setTimeout(() => this.look(), LOOK_MS) }
  }

  draw() {
    const {answer, row} = this
    this.node.hidden = row === undefined || !this.opened || (answer === undefined && !this.problem)
    if (this.node.hidden) { return }
    const run = answer?.run
    const model = answer?.model
    this.node.dataset.state = run?.active ? "running" : model?.status ?? (run ? run.status : "none")
    const held = document.activeElement?.closest?.(".lens-model form")
    if (held && this.asking) { return } // what somebody types stays
    this.body.replaceChildren(...[
      h("h3", {}, "Lens model"),
      this.problem ? h("p", {className: "failure", role: "alert"}, this.problem) : null,
      ...(run ? this.running(run) : []),
      ...(model?.status === "sampled" ? posterior(model, row) : []),
      model?.status === "failed" ? h("p", {}, model.sentence) : null,
      model || run ? null : h("p", {}, "Sample the posterior of the mass, the shear and the source around the lens test's fit. "
        + "It is a run of some minutes."),
      this.asking ? this.form() : this.button(run),
    ].filter(Boolean))
  }

  running(run) {
    if (run.active) {
      return [h("p", {className: "lens-fitting", role: "status"}, h("span", {className: "lens-spinner"}),
        run.status === "queued" ? "Waiting for other runs …" : run.activity || "Starting …")]
    }
    const said = {failed: run.error ?? "It failed.", cancelled: "It was cancelled.", lost: run.error ?? "Its process ended."}
    return run.status in said ? [h("p", {className: "failure"}, `The last run: ${said[run.status]} `,
      h("a", {href: `runs?run=${run.id}`}, "Open it in Runs"))] : []
  }

  button(run) {
    const refusal = this.answer?.refusal ?? ""
    return h("button", {type: "button", className: "lens-model-start", disabled: refusal !== "" || run?.active === true,
      title: refusal, onclick: () => {
        this.asking = true
        this.draw()
        this.body.querySelector("form").scrollIntoView({block: "nearest"})
        this.body.querySelector("select").focus({preventScroll: true})
      }}, "Model…")
  }

  form() {
    const mass = h("select", {"aria-label": "Mass"}, MASSES.map(([value, title]) => h("option", {value}, title)))
    const redshift = (title) => h("input", {type: "number", min: "0", max: "19", step: "any", placeholder: "z", "aria-label": title})
    const lens = redshift("Redshift of the lens")
    const source = redshift("Redshift of the source")
    const close = () => { this.asking = false; leave(); this.draw() }
    return h("form", {className: "lens-model-form", onsubmit: (event) => {
      event.preventDefault()
      leave()
      this.look({mass: mass.value, z_lens: Number(lens.value) || 0, z_source: Number(source.value) || 0})
    }, onkeydown: (event) => {
      event.stopPropagation() // keys of the page are none here
      if (event.key === "Escape") { close() }
    }},
    h("label", {}, "Mass ", mass), h("label", {}, "z lens ", lens), h("label", {}, "z source ", source),
    h("p", {className: "faint"}, "Redshifts give masses and delays; empty: those of the confirmation, if there is one."),
    h("div", {className: "lens-picking"}, h("button", {type: "submit", className: "primary"}, "Start the run"),
      h("button", {type: "button", onclick: close}, "Cancel")))
  }
}

function posterior(model, row) {
  const {diagnostics, quantities} = model
  const rows = SHOWN.filter((name) => name in quantities).map((name) => [quantities[name].title, interval(quantities[name])])
  const warnings = []
  if (!diagnostics.converged) { warnings.push("The sample has not converged: do not use it.") }
  if (model.lens_test.verdict === "no_lens") { warnings.push("The lens test says that no lens model fits.") }
  if (model.reduced_chi2 > 1.5) { warnings.push(`The best model is a poor fit: reduced χ² ${model.reduced_chi2.toFixed(2)}.`) }
  return [
    ...warnings.map((text) => h("p", {className: "failure"}, text)),
    ...posteriorOfRadius(model),
    h("dl", {className: "lens-numbers"}, rows.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)])),
    images(model),
    ...(model.corner ? cornerPlot(model) : []),
    h("p", {className: "faint"}, `68 % intervals from ${diagnostics.effective_samples.toLocaleString("en")} effective samples of `
      + `${diagnostics.calls.toLocaleString("en")} models; reduced χ² ${model.reduced_chi2.toFixed(2)}; bands ${model.bands.join(", ")}; `
      + `${model.cosmology}; ${model.at.slice(0, 10)}, ${(model.seconds / 60).toFixed(1)} min.`),
    h("p", {}, h("a", {href: `lens-models/${row.id}`, download: ""}, "Files"), " (samples, COOLEST, lenstronomy, PyAutoLens) · ",
      h("a", {href: `runs?run=${model.run}`}, "run")),
  ].filter(Boolean)
}

function leave() {
  const held = document.activeElement
  if (held instanceof HTMLElement) { held.blur() }
}

// The median with its 68 % interval, to two digits of the smaller error.
export function interval({p16, p50, p84, unit}) {
  const [low, high] = [p50 - p16, p84 - p50]
  if (Math.abs(p50) >= 1e6) {
    const power = Math.floor(Math.log10(Math.abs(p50)))
    const one = (value) => (value / 10 ** power).toFixed(2)
    return `(${one(p50)} −${one(low)} +${one(high)}) × 10${superscript(power)}${unit}`
  }
  const smaller = Math.min(...[low, high].filter((error) => error > 0), Math.abs(p50) || 1)
  const digits = Math.min(Math.max(1 - Math.floor(Math.log10(smaller)), 0), 4)
  return `${p50.toFixed(digits)} −${low.toFixed(digits)} +${high.toFixed(digits)}${unit}`
}

function superscript(power) { return [...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)] ?? "⁻").join("") }

// The posterior of the Einstein radius with its axes, and the button that saves it.
function posteriorOfRadius({histogram: {edges, shares}, quantities: {theta_e_arcsec: {p16, p50, p84}}}) {
  const [first, last] = [edges[0], edges.at(-1)]
  const most = Math.max(...shares)
  const base = HEIGHT - PAD.bottom
  const x = (value) => PAD.left + ((value - first) / (last - first)) * (WIDTH - PAD.left - PAD.right)
  const y = (share) => base - (share / most) * (base - PAD.top)
  const bars = shares.map((share, k) => h("rect", {x: x(edges[k]), width: Math.max(x(edges[k + 1]) - x(edges[k]) - 0.5, 0.5),
    y: y(share), height: base - y(share), class: edges[k] >= p16 && edges[k + 1] <= p84 ? "within" : "beyond"}))
  const middle = PAD.top + (base - PAD.top) / 2
  const drawn = h("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": `Posterior of θ_E, from ${first.toFixed(3)} to ${last.toFixed(3)} arcsec`}, bars,
  h("line", {class: "median", x1: x(p50), x2: x(p50), y1: PAD.top, y2: base}),
  h("line", {x1: PAD.left, x2: WIDTH - PAD.right, y1: base, y2: base}),
  niceTicks(first, last, 6).map((tick) => h("g", {}, h("line", {x1: x(tick), x2: x(tick), y1: base, y2: base + 4}),
    h("text", {x: x(tick), y: base + 14, "text-anchor": "middle"}, String(tick)))),
  niceTicks(0, most, 3).map((tick) => h("g", {}, h("line", {x1: PAD.left - 4, x2: PAD.left, y1: y(tick), y2: y(tick)}),
    h("text", {x: PAD.left - 6, y: y(tick) + 3, "text-anchor": "end"}, String(tick)))),
  h("text", {x: x((first + last) / 2), y: HEIGHT - 3, "text-anchor": "middle"}, "Einstein radius θ_E (arcsec)"),
  h("text", {x: 10, y: middle, "text-anchor": "middle", transform: `rotate(-90 10 ${middle})`}, "share of draws"))
  return [h("figure", {className: "lens-histogram"}, drawn), saveButton(() => ({title: "Posterior of the Einstein radius",
    svg: () => drawn, series: () => [{name: "", columns: {theta_e_from_arcsec: edges.slice(0, -1), theta_e_to_arcsec: edges.slice(1),
      share_of_draws: shares}}]}))]
}

// The text of a picture that is an address of its own.
const textOf = (address) => new TextDecoder().decode(Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0)))

function cornerPlot({corner, quantities}) {
  const told = SHOWN.filter((name) => name in quantities).map((name) => [name, quantities[name]])
  const column = (name) => told.map(([, quantity]) => quantity[name])
  return [h("img", {className: "lens-corner", src: corner, alt: "Corner plot: each pair of quantities, 68 and 95 %"}),
    saveButton(() => ({title: "Corner plot", dark: false, svg: () => textOf(corner),
      series: () => [{name: "", columns: {quantity: told.map(([name]) => name), p16: column("p16"), p50: column("p50"), p84: column("p84")}}]}))]
}

function images({images: {each, share}, is_compact, settings}) {
  if (!each.length) { return null }
  const delays = each.some((image) => image.delay_days !== null)
  const head = ["Image", "μ", ...(delays ? ["delay, days"] : [])]
  const cells = (image, k) => [`${k + 1} (${image.x_arcsec.toFixed(2)}″, ${image.y_arcsec.toFixed(2)}″)`,
    interval({...image.magnification, unit: ""}), ...(delays ? [k ? interval({...image.delay_days, unit: ""}) : "first"] : [])]
  const why = delays ? "" : is_compact ? (settings.z_lens && settings.z_source ? "" : " Delays need both redshifts.")
    : " The source is no point: no delays."
  return h("div", {},
    h("table", {className: "lens-images"}, h("thead", {}, h("tr", {}, head.map((text) => h("th", {scope: "col"}, text)))),
      h("tbody", {}, each.map((image, k) => h("tr", {}, cells(image, k).map((text) => h("td", {}, text)))))),
    h("p", {className: "faint"}, `Images of the source's center in the order of arrival; so many in ${(100 * share).toFixed(0)} % of the draws.${why}`))
}
