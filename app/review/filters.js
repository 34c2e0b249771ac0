// Which candidates are listed, and in which order.

import { debounce, formatCount, h } from "../widgets/dom.js"
import { hasExtras, MoreFilters, NO_EXTRAS, SCORE_RANGES } from "./more.js"
import { mineChoices, mineOfQuery, mineToQuery } from "./my_grade.js"

const SORTS = {
  score: "Score",
  epistemic: "Epistemic uncertainty",
  disagreement: "Disagreement",
  ood: "Out of distribution",
  magnitude: "Magnitude",
  theta_e: "θ_E proxy",
  arc_radius: "Arc radius",
  graded: "Time of last grade",
  object_id: "Object id",
}
const SORTS_WITHOUT_SCORES = ["magnitude", "theta_e", "arc_radius", "graded", "object_id"]
const ASCENDING_FIRST = ["magnitude", "object_id"]
const LABELS = {
  "": "Any label", lens: "Labeled lens", not_lens: "Labeled not a lens", labeled: "Labeled",
  unlabeled: "Unlabeled",
}
const TYPING_PAUSE_MS = 250

// A drop-down with check boxes; `options` is a list of [value, text].
class CheckMenu {
  constructor(name, everything, options, onChange) {
    this.name = name
    this.everything = everything
    this.options = new Map(options)
    this.boxes = new Map(options.map(([value, text]) => {
      const box = h("input", {type: "checkbox", onchange: () => {
        this.write()
        onChange(this.chosen)
      }})
      return [value, {box, node: h("label", {}, box, h("span", {title: text}, text))}]
    }))
    this.summary = h("summary", {})
    this.node = h("details", {className: "menu"}, this.summary, h(
      "div", {className: "menu-items", role: "group", "aria-label": name},
      [...this.boxes.values()].map(({node}) => node),
    ))
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.node.open) {
        this.node.open = false
        this.summary.focus()
        event.stopPropagation()
      }
    })
    this.node.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.node.contains(event.relatedTarget)) { this.node.open = false }
    })
  }

  get chosen() {
    return [...this.boxes].filter(([, {box}]) => box.checked).map(([value]) => value)
  }

  set chosen(values) {
    for (const [value, {box}] of this.boxes) { box.checked = values.includes(value) }
    this.write()
  }

  write() {
    const {chosen} = this
    this.summary.textContent = chosen.length === 0 || chosen.length === this.boxes.size
      ? this.everything
      : chosen.length === 1 ? this.options.get(chosen[0]) : `${chosen.length} of ${this.boxes.size}`
    this.summary.ariaLabel = `${this.name}: ${this.summary.textContent}`
    this.summary.title = chosen.map((value) => this.options.get(value)).join(", ")
    this.node.classList.toggle("active", chosen.length > 0 && chosen.length < this.boxes.size)
  }
}

export class FilterBar {
  constructor({ensembles, catalogs, stages, defaults, signed_in, selection, grades, query = defaults}, onChange, ask) {
    this.onChange = onChange
    this.defaults = defaults
    this.query = defaults
    const changed = (field) => (value) => this.update({[field]: value})
    this.ensemble = h(
      "select", {"aria-label": "Ensemble", title: "Ensemble whose scores are shown",
        onchange: () => this.chooseEnsemble(Number(this.ensemble.value) || null)},
      ensembles.filter((one) => !one.archived || one.id === query.ensemble_id)
        .map(({id, title}) => h("option", {value: id}, title)),
      h("option", {value: ""}, "No scores (all candidates)"),
    )
    this.catalogs = new CheckMenu("Catalogs", "All catalogs",
      catalogs.filter((one) => !one.archived || query.catalog_ids.includes(one.id))
        .map(({id, title, n}) => [id, `${title} (${formatCount(n)})`]), changed("catalog_ids"))
    this.stages = new CheckMenu("Stages", "Any stage",
      stages.map((stage) => [stage, stage]), changed("stages"))
    this.label = h(
      "select", {"aria-label": "Label", title: "Label as imported",
        onchange: () => this.update({label: this.label.value || null})},
      Object.entries(LABELS).map(([value, text]) => h("option", {value}, text)),
    )
    const bound = (name, field, fallback) => h("input", {
      type: "number", min: 0, max: 1, step: "any", inputMode: "decimal", placeholder: String(fallback),
      "aria-label": name, title: name, onchange: (event) => this.bound(event.target, field, fallback),
    })
    this.low = bound("Smallest score", "probability_min", 0)
    this.high = bound("Largest score", "probability_max", 1)
    this.range = h("span", {className: "range"}, h("span", {}, "Score"), this.low,
      h("span", {}, "to"), this.high)
    const typed = debounce(() => this.update({object_id: this.object.value.trim()}), TYPING_PAUSE_MS)
    this.object = h("input", {
      type: "search", placeholder: "Object id", maxLength: 255, spellcheck: false,
      "aria-label": "Object id contains", title: "Part of the object id (key /)", oninput: typed,
    })
    this.mine = h("select", {"aria-label": "My grade", title: "Candidates by the grade that you gave", hidden: !signed_in,
      onchange: () => this.update(mineToQuery(this.mine.value))},
    mineChoices(grades ?? []).map(([value, text]) => h("option", {value}, text)))
    this.more = new MoreFilters(this, ask, signed_in)
    this.more.selection = selection
    this.sort = h("select", {"aria-label": "Order", title: "Order",
      onchange: () => this.order(this.sort.value)})
    this.direction = h("button", {type: "button", className: "icon",
      onclick: () => this.update({descending: !this.query.descending})})
    this.clear = h("button", {type: "button", className: "text", onclick: () => this.reset()},
      "Clear filters")
    this.node = h(
      "form", {className: "filters", role: "search", "aria-label": "Filters",
        onsubmit: (event) => event.preventDefault()},
      this.ensemble, this.catalogs.node, this.range, this.label, this.stages.node, this.mine, this.object, this.more.node,
      h("span", {className: "order"}, this.sort, this.direction), this.more.chips, this.clear,
    )
    // a menu closes when something else is clicked; inside a shadow root that is seen here
    this.closeMenus = (event) => {
      const path = event.composedPath()
      for (const {node} of [this.catalogs, this.stages, this.more]) {
        if (!path.includes(node)) { node.open = false }
      }
    }
    document.addEventListener("pointerdown", this.closeMenus)
  }

  remove() { document.removeEventListener("pointerdown", this.closeMenus) }

  // Show a query without reporting it back.
  set(query) {
    this.query = query
    const scored = query.ensemble_id !== null
    this.ensemble.value = query.ensemble_id ?? ""
    this.catalogs.chosen = query.catalog_ids
    this.stages.chosen = query.stages
    this.label.value = query.label ?? ""
    this.mine.value = mineOfQuery(query)
    this.low.value = query.probability_min > 0 ? query.probability_min : ""
    this.high.value = query.probability_max < 1 ? query.probability_max : ""
    this.range.hidden = !scored
    if (this.object.value.trim() !== query.object_id) { this.object.value = query.object_id }
    this.sort.replaceChildren(...(scored ? Object.keys(SORTS) : SORTS_WITHOUT_SCORES)
      .map((value) => h("option", {value, title: value === "graded" ? "Lists only graded candidates" : null},
        `By ${SORTS[value][0].toLowerCase()}${SORTS[value].slice(1)}`)))
    this.sort.value = query.sort
    this.direction.textContent = query.descending ? "↓" : "↑"
    this.direction.title = query.descending ? "Largest first" : "Smallest first"
    this.direction.setAttribute("aria-label", this.direction.title)
    for (const [node, active] of [
      [this.label, query.label], [this.mine, this.mine.value], [this.low, query.probability_min > 0],
      [this.high, query.probability_max < 1], [this.object, query.object_id],
    ]) { node.classList.toggle("active", Boolean(active)) }
    this.more.set(query)
    this.clear.hidden = !this.filtered
  }

  get filtered() {
    const {query} = this
    return Boolean(query.catalog_ids.length || query.stages.length || query.label
      || query.object_id || query.probability_min > 0 || query.probability_max < 1 || hasExtras(query))
  }

  update(changes) {
    this.set({...this.query, ...changes})
    this.onChange(this.query)
  }

  // Limit the list to a stored selection.
  choose(selection) {
    this.more.selection = selection
    this.update({selection: selection.id})
  }

  chooseEnsemble(ensemble_id) {
    const changes = {ensemble_id}
    if (ensemble_id === null) {
      const ranges = this.query.ranges.filter(([name]) => !SCORE_RANGES.includes(name))
      Object.assign(changes, {probability_min: 0, probability_max: 1, ranges})
      if (!SORTS_WITHOUT_SCORES.includes(this.query.sort)) {
        Object.assign(changes, {sort: "object_id", descending: false})
      }
    } else if (this.query.ensemble_id === null) {
      Object.assign(changes, {sort: "score", descending: true})
    }
    this.update(changes)
  }

  // Order by `sort`; by the same again: the other way round.
  order(sort) {
    this.update(sort === this.query.sort
      ? {descending: !this.query.descending}
      : {sort, descending: !ASCENDING_FIRST.includes(sort)})
  }

  bound(input, field, fallback) {
    const value = input.value === "" ? fallback : Number(input.value)
    const range = {probability_min: this.query.probability_min,
      probability_max: this.query.probability_max, [field]: value}
    const bad = !(value >= 0 && value <= 1) || range.probability_min > range.probability_max
    input.setCustomValidity(bad ? "From 0 to 1, the smaller number first" : "")
    if (bad) {
      input.reportValidity()
    } else {
      this.update({[field]: value})
    }
  }

  reset() {
    const {catalog_ids, stages, label, object_id, probability_min, probability_max} = this.defaults
    this.object.value = ""
    this.update({catalog_ids, stages, label, object_id, probability_min, probability_max, ...NO_EXTRAS})
  }
}
