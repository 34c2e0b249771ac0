// Charts beside the list: nothing is asked of the server, or drawn, until they are opened.

import { tileUrl } from "../viewer/tiles.js"
import { debounce, formatCount, formatProbability, h, picture } from "../widgets/dom.js"
import { saveButton } from "../widgets/chart_menu.js"
import { ChartCanvas } from "./chart.js"
import { chartColumns } from "./chart_columns.js"

const CHARTS = {
  // kind: [tab, what it shows]
  histogram: ["Scores", "Candidates by score; drag to limit the list to a range"],
  uncertainty: ["Uncertainty", "Epistemic uncertainty (nat) against the ensemble's logit"],
  embedding: ["Embeddings", "Candidates that the network finds similar lie close together"],
  sky: ["Sky", "Positions, ICRS, north up and east to the left"],
}
const CHART_TOOLS = {lasso: "Lasso", box: "Box", pan: "Move"}
const VIEW_PAUSE_MS = 160
const HOVER_PAUSE_MS = 70
const MARK_PAUSE_MS = 120

export class ChartPanel {
  /**
   * @param {object} parts
   * @param {(message: object, then: (answer: any) => void, failed?: (sentence: string) => void) => void} parts.ask
   * @param {Map<number, any>} parts.catalogs by id
   * @param {(candidate: number) => void} parts.onOpen
   * @param {(low: number, high: number) => void} parts.onRange
   * @param {(selection: any) => void} parts.onSelection
   */
  constructor({ask, catalogs, onOpen, onRange, onSelection}) {
    this.ask = ask
    this.catalogs = catalogs
    this.onOpen = onOpen
    this.onRange = onRange
    this.onSelection = onSelection
    this.kind = "histogram"
    this.asked = 0
    this.button = h("button", {type: "button", className: "charts-toggle", "aria-pressed": "false",
      title: "Diagrams of this list (key d)", onclick: () => this.toggle()}, "Charts")
    this.tabs = Object.fromEntries(Object.entries(CHARTS).map(([kind, [tab, title]]) => [kind,
      h("button", {type: "button", role: "tab", title, onclick: () => this.show(kind)}, tab)]))
    this.tools = Object.fromEntries(Object.entries(CHART_TOOLS).map(([tool, text]) => [tool,
      h("button", {type: "button", "aria-pressed": "false", onclick: () => this.use(tool)}, text)]))
    this.whole = h("button", {type: "button", title: "Show everything (double click)",
      onclick: () => this.setView(null)}, "All")
    this.state = h("span", {className: "chart-state", role: "status"})
    this.message = h("p", {className: "chart-message", hidden: true})
    this.tip = h("div", {className: "chart-tip", hidden: true})
    this.chart = new ChartCanvas({
      view: (extent) => this.setView(extent),
      open: (...place) => this.near(place, ({candidate}) => { if (candidate) { this.onOpen(candidate.id) } }),
      hover: (place) => this.hover(place),
      select: (corners) => this.select(corners),
      range: (low, high, open, end) => this.onRange(
        open ? 0 : Number(low.toPrecision(3)), end ? 1 : Number(high.toPrecision(3))),
    })
    this.toolbar = h("span", {className: "segments", role: "group", "aria-label": "Tool"},
      Object.values(this.tools), this.whole)
    this.saving = saveButton(() => this.saved())
    this.node = h("section", {className: "charts", hidden: true, "aria-label": "Charts"},
      h("div", {className: "charts-head"},
        h("span", {className: "segments", role: "tablist", "aria-label": "Chart"}, Object.values(this.tabs)),
        h("span", {className: "spacer"}), this.toolbar, this.saving),
      h("div", {className: "chart-body"}, this.chart.node, this.message, this.tip),
      this.state)
    this.askView = debounce(() => this.load(), VIEW_PAUSE_MS)
    this.askHover = debounce(() => this.showTip(), HOVER_PAUSE_MS)
    this.askPlace = debounce(() => this.findPlace(), MARK_PAUSE_MS)
    this.use("lasso")
  }

  remove() {
    this.chart.remove()
    for (const later of [this.askView, this.askHover, this.askPlace]) { later.cancel() }
  }

  get open() { return !this.node.hidden }

  /** @returns {import("../widgets/chart_export.js").Chart} */
  saved() {
    const title = CHARTS[this.kind][0]
    return {title, dark: false, svg: () => this.chart.toSvg(),
      series: () => [{name: title, columns: chartColumns(this.chart.data)}]}
  }

  toggle() {
    this.node.hidden = !this.node.hidden
    this.button.setAttribute("aria-pressed", String(this.open))
    if (this.open) {
      this.chart.fit()
      this.show(this.kind)
    }
  }

  show(kind) {
    this.kind = kind
    for (const [name, tab] of Object.entries(this.tabs)) {
      tab.setAttribute("aria-selected", String(name === kind))
      tab.setAttribute("aria-pressed", String(name === kind))
    }
    this.toolbar.hidden = kind === "histogram"
    this.view = null
    this.saving.disabled = true
    this.chart.clear()
    this.load()
  }

  use(tool) {
    this.chart.tool = tool
    for (const [name, button] of Object.entries(this.tools)) {
      button.setAttribute("aria-pressed", String(name === tool))
    }
  }

  setQuery(query) {
    this.query = query
    const scored = query.ensemble_id !== null
    for (const kind of ["histogram", "uncertainty"]) { this.tabs[kind].disabled = !scored }
    if (!scored && ["histogram", "uncertainty"].includes(this.kind)) { this.kind = "sky" }
    if (this.open) { this.show(this.kind) }
  }

  setView(extent) {
    this.view = extent
    this.askView()
  }

  load() {
    if (!this.open) { return }
    const {kind} = this
    const asked = ++this.asked
    const [width, height] = this.chart.inner
    const slow = setTimeout(() => this.say(kind === "embedding" ? "Projecting the embeddings …" : "Reading …"), 250)
    const mine = (then) => (answer) => {
      if (asked !== this.asked) { return }
      clearTimeout(slow)
      then(answer)
    }
    const message = kind === "histogram" ? {type: "histogram"} : {type: "chart", kind, view: this.view,
      width: Math.round(width / 2), height: Math.round(height / 2)}
    this.ask({...message, query: this.query}, mine((answer) => this.draw(answer)),
      mine((text) => {
        this.chart.clear()
        this.say(text)
        this.state.textContent = ""
      }))
  }

  draw(answer) {
    this.say(answer.n ? "" : "No candidate to show.")
    this.saving.disabled = !answer.n
    this.chart.set(answer)
    const parts = [`${formatCount(answer.n)} candidates`]
    if (this.kind === "histogram") { parts.push("count on a logarithmic axis, score below") }
    if (this.kind === "uncertainty") { parts.push("epistemic uncertainty (nat) against logit") }
    if (answer.n_left_out) { parts.push(`${formatCount(answer.n_left_out)} without a place here`) }
    if (answer.grid) { parts.push(`up to ${formatCount(answer.grid.most)} a cell`) }
    if (answer.caption) { parts.push(answer.caption) }
    this.state.textContent = parts.join(" · ")
    this.state.title = this.state.textContent
    this.node.dataset.drawn = this.kind
    this.findPlace()
  }

  say(text) {
    this.message.hidden = text === ""
    this.message.textContent = text
  }

  // --- the chosen candidate and those under the pointer ------------------------------------------

  mark(id) {
    this.chosen = id
    if (this.open) { this.askPlace() }
  }

  findPlace() {
    const {chosen, kind} = this
    if (chosen === undefined || this.chart.data === null) { return }
    const on = kind === "histogram" ? "uncertainty" : kind
    this.ask({type: "chart_place", kind: on, query: this.query, id: chosen}, ({place}) => {
      if (chosen !== this.chosen || kind !== this.kind) { return }
      this.chart.place = place
      this.chart.draw()
    }, () => {})
  }

  /** @param {number[]} place @param {(answer: any) => void} then */
  near([x, y, dx, dy], then) {
    this.ask({type: "chart_near", kind: this.kind, query: this.query, x, y, dx, dy}, then)
  }

  hover(place) {
    this.under = place
    this.tip.hidden = true
    if (place === null) {
      this.askHover.cancel()
    } else {
      this.askHover()
    }
  }

  showTip() {
    const {under} = this
    if (!under) { return }
    this.near(under, ({candidate}) => {
      if (under !== this.under || candidate === null) { return }
      const catalog = this.catalogs.get(candidate.catalog_id)
      this.tip.replaceChildren(
        picture({src: tileUrl(catalog, candidate, null, {preset: "auto"}, 64), alt: "", width: 48, height: 48}),
        h("span", {}, h("b", {}, candidate.object_id), formatProbability(candidate.probability)))
      const [px, py] = under.slice(4)
      const [width] = this.chart.size
      this.tip.style.left = px > width / 2 ? "" : `${px + 12}px`
      this.tip.style.right = px > width / 2 ? `${width - px + 12}px` : ""
      this.tip.style.top = `${Math.max(0, py - 30)}px`
      this.tip.hidden = false
    })
  }

  select(corners) {
    const step = Math.ceil(corners.length / 500)
    this.ask({type: "chart_select", kind: this.kind, query: this.query,
      corners: corners.filter((_, k) => k % step === 0)},
    ({selection}) => this.onSelection(selection), (text) => { this.state.textContent = text })
  }
}
