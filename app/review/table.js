// The ranked candidates: one page of rows as a real table.

import { tileUrl } from "../viewer/tiles.js"
import { formatCount, formatNumber, formatProbability, h, loadMissing, MISSING, picture } from "../widgets/dom.js"
import { gradeMarks } from "./marks.js"

/** @type {[string, string, string, string | null, ((row: any) => string) | null, string][]} */
const COLUMNS = [
  // name, heading, title, sort key, text of a row, class
  ["rank", "#", "Rank in this list", null, null, "number"],
  ["thumbnail", "", "", null, null, ""],
  ["object", "Object", "Object id", "object_id", (row) => row.object_id, "object"],
  ["grade", "Grade", "Your grade (filled), and the consensus where others have graded (open)", null, null, "grade"],
  ["score", "Score", "Calibrated probability by the ensemble: a score, not a confirmation", "score",
    (row) => formatProbability(row.probability), "number scores"],
  ["p-galaxy", "Galaxy", "Score as a galaxy-scale lens", null,
    (row) => formatProbability(row.scales?.galaxy), "number scale"],
  ["p-cluster", "Cluster", "Score as a cluster-scale lens, of the nearest candidate within 15″", null,
    (row) => formatProbability(row.scales?.cluster), "number scale"],
  ["p-either", "Either", "Probability of a lens at one scale or both, taken as independent", null,
    (row) => formatProbability(row.scales?.either), "number scale"],
  ["epistemic", "Epist.", "Epistemic uncertainty: mutual information of the members, nat",
    "epistemic", (row) => formatNumber(row.epistemic), "number scores"],
  ["disagreement", "Disagr.", "Disagreement: standard deviation of the members' logits",
    "disagreement", (row) => formatNumber(row.disagreement, 2), "number scores"],
  ["magnitude", "Mag", "AB magnitude of the reference band", "magnitude",
    (row) => formatNumber(row.magnitude, 2), "number"],
  ["label", "Label", "Label as imported", null, null, ""],
  ["stage", "Stage", "Stage of the candidate", null, null, "stage"],
  ["catalog", "Catalog", "Catalog", null, null, "catalog"],
]

const LABEL_TEXT = {0: "not", 1: "lens"}

export function labelChip(label) {
  if (label === null) { return h("span", {className: "faint", title: "No label"}, MISSING) }
  const title = label ? "Imported with the label: lens" : "Imported with the label: not a lens"
  return h("span", {className: `chip label-${label}`, title}, LABEL_TEXT[label])
}

export function stageChip(stage) {
  return h("span", {className: `chip stage-${stage}`}, stage)
}

export class RankingTable {
  // `ownGrade(id)`: the person's grade that stands, {grade}; null or undefined: none is known.
  constructor(catalogs, {onSelect, onSort, ownGrade}) {
    this.ownGrade = ownGrade
    this.catalogs = catalogs
    this.onSelect = onSelect
    this.rows = []
    this.selected = -1
    this.headings = new Map()
    const heads = COLUMNS.map(([name, heading, title, sort, , kind]) => {
      const cell = h("th", {scope: "col", className: `${name} ${kind}`, title}, sort === null
        ? heading || h("span", {className: "hidden"}, name)
        : h("button", {type: "button", onclick: () => onSort(sort)}, heading))
      if (sort !== null) { this.headings.set(sort, cell) }
      return cell
    })
    this.body = h("tbody", {})
    this.table = h(
      "table", {role: "grid", className: "one-scale", tabIndex: 0, "aria-label": "Ranked candidates"},
      h("thead", {}, h("tr", {}, heads)), this.body,
    )
    this.node = h("div", {className: "table-scroll"}, this.table)
    this.body.addEventListener("click", (event) => {
      const line = event.target.closest("tr")
      if (line !== null) { this.onSelect([...this.body.children].indexOf(line)) }
    })
  }

  // Show a page; `first` is the rank of its first row, null while that is not known.
  setRows(rows, first, query) {
    this.rows = rows
    this.selected = -1
    this.table.classList.toggle("unscored", query.ensemble_id === null)
    this.table.classList.toggle("one-catalog", this.catalogs.size < 2 || query.catalog_ids.length === 1)
    this.table.classList.toggle("one-scale", rows.every((row) => row.scales === undefined))
    for (const [sort, cell] of this.headings) {
      const direction = query.descending ? "descending" : "ascending"
      cell.setAttribute("aria-sort", sort === query.sort ? direction : "none")
    }
    this.table.removeAttribute("aria-activedescendant")
    this.body.replaceChildren(...rows.map((row, k) => this.line(row, k, first)))
    this.node.scrollTop = 0
  }

  setRanks(first) {
    [...this.body.children].forEach((line, k) => {
      line.firstChild.textContent = formatCount(first + k)
    })
  }

  line(row, k, first) {
    const catalog = this.catalogs.get(row.catalog_id)
    const cells = COLUMNS.map(([name, , , , text, kind]) => {
      const className = `${name} ${kind}`
      switch (name) {
        case "rank": return h("td", {className}, first === null ? "" : formatCount(first + k))
        case "thumbnail": return h("td", {className}, catalog === undefined ? null : picture({
          src: tileUrl(catalog, row, null, {preset: "auto"}, 64), alt: "", loading: "lazy",
          width: 30, height: 30,
        }))
        case "object": return h("th", {className, scope: "row", title: row.object_id},
          h("span", {}, row.object_id))
        case "grade": return h("td", {className}, gradeMarks(row, this.ownGrade(row.id)))
        case "label": return h("td", {className}, labelChip(row.label))
        case "stage": return h("td", {className}, stageChip(row.stage))
        case "catalog": return h("td", {className, title: catalog?.title}, catalog?.title ?? MISSING)
        default: return h("td", {className}, text(row))
      }
    })
    return h("tr", {id: `candidate-${row.id}`, "aria-selected": "false"}, cells)
  }

  // A grade of a candidate was given or taken back.
  markGrade(id) {
    const row = this.rows.find((one) => one.id === id)
    const cell = this.body.querySelector(`#candidate-${id} td.grade`)
    if (row !== undefined) { cell?.replaceChildren(...gradeMarks(row, this.ownGrade(id)).filter((node) => node !== null)) }
  }

  // Ask again for the pictures that did not come.
  drawAgain() { loadMissing(this.body) }

  select(index) {
    const lines = this.body.children
    lines[this.selected]?.setAttribute("aria-selected", "false")
    this.selected = index
    const line = lines[index]
    if (line === undefined) { return }
    line.setAttribute("aria-selected", "true")
    this.table.setAttribute("aria-activedescendant", line.id)
    const head = this.table.tHead.offsetHeight
    const {offsetTop, offsetHeight} = line
    const {scrollTop, clientHeight} = this.node
    if (offsetTop < scrollTop + head) {
      this.node.scrollTop = offsetTop - head
    } else if (offsetTop + offsetHeight > scrollTop + clientHeight) {
      this.node.scrollTop = offsetTop + offsetHeight - clientHeight
    }
  }
}
