// Why a member scored a candidate as it did: a map over the picture, or features in log-odds.

import { formatCount, h } from "../widgets/dom.js"
import { signed } from "./panel_scores.js"

export class AttentionPanel {
  constructor(frame, choices, keep) {
    this.choices = choices
    this.keep = keep
    this.opened = false
    this.list = []
    this.key = null // of what is shown or on its way
    this.image = h("img", {className: "attention-map", alt: "", hidden: true})
    frame.append(this.image)
    this.image.addEventListener("load", () => { this.image.hidden = !this.choices.overlay })
    this.buttons = h("div", {className: "segments members-choice", role: "group", "aria-label": "Member"})
    this.overlay = h("input", {type: "checkbox", checked: choices.overlay, onchange: () => this.toggle()})
    this.opacity = h("input", {type: "range", min: 0.1, max: 1, step: 0.05, value: choices.opacity,
      "aria-label": "Opacity of the map", oninput: () => {
        this.choices.opacity = Number(this.opacity.value)
        this.style()
        this.keep()
      }})
    this.controls = h("div", {className: "attention-controls"},
      h("label", {}, this.overlay, " On the picture ", h("kbd", {}, "z")),
      h("label", {className: "opacity"}, h("span", {}, "Opacity"), this.opacity))
    this.methods = h("div", {className: "segments methods-choice", role: "group", "aria-label": "Map", hidden: true})
    this.body = h("div", {className: "attention-body", "aria-live": "polite"})
    this.node = h("section", {className: "attention", "aria-label": "Attention"},
      this.buttons, this.controls, this.methods, this.body)
    this.style()
  }

  style() { this.image.style.opacity = String(this.choices.opacity) }

  // Another candidate: what belongs to the last one goes at once.
  candidate(row, catalog) {
    this.row = row
    this.catalog = catalog
    this.clear()
  }

  clear() {
    this.key = null
    this.image.hidden = true
    this.image.removeAttribute("src")
    this.body.classList.add("loading")
  }

  members(list) {
    if (list === undefined || list === this.list) { return }
    this.list = list
    if (!list.some(({name}) => name === this.choices.member)) {
      this.choices.member = (list.find(({kind}) => kind === "network") ?? list[0])?.name ?? ""
      this.choices.method = ""
    }
    this.draw()
    if (this.opened || this.choices.overlay) { this.fetch() }
  }

  draw() {
    this.buttons.hidden = this.list.length < 2
    this.buttons.replaceChildren(...this.list.map(({name, kind}) => h("button", {
      type: "button", title: `${name} (${kind})`, "aria-pressed": String(name === this.choices.member),
      onclick: () => this.choose(name)}, name)))
    if (!this.list.length) {
      this.body.classList.remove("loading")
      this.body.replaceChildren(h("p", {className: "faint"}, "No ensemble has scored this candidate: nothing to explain."))
    }
  }

  choose(name) {
    this.choices.member = name
    this.choices.method = "" // the other member's first
    this.keep()
    this.clear()
    this.draw()
    this.fetch()
  }

  // Maps of one member, where it has more than one.
  drawMethods({method, methods = []}) {
    this.methods.hidden = methods.length < 2
    this.methods.replaceChildren(...methods.map(([name, title]) => h("button", {type: "button",
      "aria-pressed": String(name === method), onclick: () => this.use(name)}, title)))
  }

  use(method) {
    this.choices.method = method
    this.keep()
    this.clear()
    this.fetch()
  }

  next() {
    if (!this.list.length) { return }
    const at = this.list.findIndex(({name}) => name === this.choices.member)
    this.choose(this.list[(at + 1) % this.list.length].name)
  }

  // The map is on the picture while the panel is open, unless somebody takes it away.
  open(opened) {
    if (opened === this.opened) { return }
    this.opened = opened
    this.lay(opened)
  }

  toggle() {
    this.lay(!this.choices.overlay)
    this.keep()
  }

  lay(shown) {
    this.choices.overlay = shown
    this.overlay.checked = shown
    this.image.hidden = !this.choices.overlay || !this.image.complete || !this.image.naturalWidth
    this.fetch()
  }

  // Ask for what is wanted and not here; the server computes it when it is asked.
  async fetch() {
    const {row, catalog, choices} = this
    if (row === undefined || !(this.opened || choices.overlay) || !this.list.length) { return }
    const base = `attention/${encodeURIComponent(choices.member)}/${encodeURIComponent(catalog.name)}/${row.index}`
    const asked = `v=${row.version}${choices.method ? `&method=${choices.method}` : ""}`
    const key = `${base}?${asked}`
    if (this.key === key) { return }
    this.key = key
    let answer
    try {
      const response = await fetch(`${base}/info?${asked}`)
      answer = response.ok ? await response.json() : {kind: "none", sentence: await response.text()}
    } catch {
      answer = {kind: "none", sentence: "The server does not answer; is it running?"}
    }
    if (this.key !== key) { return }
    this.body.classList.remove("loading")
    this.body.replaceChildren(...this.explain(answer))
    this.drawMethods(answer)
    this.controls.classList.toggle("idle", answer.kind !== "map")
    if (answer.kind === "map") { this.image.src = key }
  }

  explain(answer) {
    if (answer.kind === "map") {
      return [
        ...(answer.scale ? [scaleBar(answer.scale)] : []),
        ...(answer.methods.length > 1 ? [] : [h("h3", {}, answer.title)]), // else a button names it
        h("p", {}, answer.sentence),
        h("p", {className: "faint"}, `Raw logit ${signed(answer.logit, 2)}. A map shows what a member used, `
          + "not whether that is a lens."),
      ]
    }
    if (answer.kind === "features") { return [h("h3", {}, "Features, in log-odds"), featureBars(answer)] }
    return [h("p", {className: "faint"}, answer.sentence)]
  }
}

// The colors of the map as they are drawn over a dark sky, with what both ends stand for.
function scaleBar({colors, low, high, unit}) {
  const last = colors.length - 1
  const stops = colors.map((color, k) => `${color}${Math.round((255 * k) / last).toString(16).padStart(2, "0")}`)
  const bar = h("span", {className: "scale-colors", "aria-hidden": "true"}, h("i", {}))
  bar.firstElementChild.style.background = `linear-gradient(to right, ${stops.join(", ")})`
  return h("div", {className: "scale-bar", role: "img", "aria-label": `Scale: ${low} to ${high} ${unit}`},
    bar, h("span", {}, low), h("span", {className: "faint"}, unit), h("span", {}, high))
}

// Contributions as bars to both sides of zero; with the base they add up to the member's logit.
function featureBars({rows, rest, n_rest, base, logit}) {
  const longest = Math.max(...rows.map((row) => Math.abs(row.log_odds)), Math.abs(rest), 1e-6)
  const line = (name, value, logOdds, kind, title) => {
    const bar = h("i", {className: logOdds < 0 ? "against" : "for"})
    bar.style.width = `${(50 * Math.abs(logOdds)) / longest}%`
    return h("div", {className: `contribution ${kind}`, title}, h("span", {className: "name"}, name,
      value === "" ? null : h("small", {}, value)), h("span", {className: "bar"}, kind === "sum" ? null : bar),
    h("span", {className: "value"}, signed(logOdds, 2)))
  }
  return h("div", {className: "contributions"},
    rows.map((row) => {
      const value = row.value === null ? "" : `${formatFeature(row.value)}${row.unit ? ` ${row.unit}` : ""}`
      return line(row.name, value, row.log_odds, "", `${row.name}${value && ` = ${value}`}: ${signed(row.log_odds, 3)} log-odds`)
    }),
    n_rest ? line(`${formatCount(n_rest)} others`, "", rest, "rest", "Sum of all other features") : null,
    line("Base", "", base, "sum", "Of an average object"),
    line("Raw logit", "", logit, "sum total", "Before calibration"))
}

function formatFeature(value) {
  const size = Math.abs(value)
  return size !== 0 && (size < 0.01 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)))
}
