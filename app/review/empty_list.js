// What the list says where it shows nothing, and of catalogs that are not in it for want of scores.

import { formatCount, h } from "../widgets/dom.js"

export class EmptyList {
  constructor(start, filters, catalogs) {
    this.ensembles = start.ensembles
    this.filters = filters
    this.catalogs = catalogs
    this.unscored = [] // ids of catalogs that the list's ensemble has not scored
    this.node = h("div", {className: "empty", hidden: true})
    this.link = h("a", {className: "unscored", hidden: true})
  }

  // Whether the ensemble has scored none of the list's catalogs.
  get isUnscored() {
    const {catalog_ids} = this.filters.query
    return this.unscored.length > 0 && this.unscored.length === (catalog_ids.length
      || [...this.catalogs.values()].filter(({archived}) => !archived).length)
  }

  show(none, unscored) {
    this.unscored = unscored
    this.node.hidden = !none
    this.link.hidden = none || unscored.length === 0
    if (none) { this.node.replaceChildren(...this.sentences()) }
    if (!this.link.hidden) {
      this.link.textContent = `${this.names} not scored`
      this.link.href = this.scoreAddress
      this.link.title = `${this.ensemble} has not scored ${unscored.map((id) => this.catalogs.get(id).title).join(", ")}, `
        + "and so not in this list. Opens Score."
    }
  }

  sentences() {
    const link = (page, text) => h("a", {href: page}, text)
    if (this.catalogs.size === 0) {
      return [h("h3", {}, "No candidates yet"), h("p", {}, "Import or simulate a catalog on ", link("catalogs", "Catalogs"), ".")]
    }
    if (this.isUnscored) { return this.notScored() }
    if (this.filters.filtered) {
      return [h("h3", {}, "No candidate passes these filters"), h("button", {type: "button",
        className: "text", onclick: () => this.filters.reset()}, "Clear filters")]
    }
    return [h("h3", {}, "Nothing is ranked yet"), h("p", {}, "Score a catalog on ", link("score", "Score"),
      ", or list all candidates without scores.")]
  }

  // Who has not scored what, how to have it scored, and how to see it without.
  notScored() {
    const n = this.unscored.reduce((sum, id) => sum + this.catalogs.get(id).n, 0)
    return [
      h("h3", {}, `${this.ensemble} has not scored ${this.names}`),
      h("p", {}, h("a", {href: this.scoreAddress}, `Score ${this.names} with ${this.ensemble}`)),
      h("p", {}, h("button", {type: "button", onclick: () => this.filters.chooseEnsemble(null)},
        n === 1 ? "Show the candidate without scores" : `Show the ${formatCount(n)} candidates without scores`)),
    ]
  }

  get chosen() { return this.ensembles.find(({id}) => id === this.filters.query.ensemble_id) }

  get ensemble() { return this.chosen?.name ?? "The ensemble" }

  get names() {
    const {unscored} = this
    return unscored.length === 1 ? this.catalogs.get(unscored[0]).title : `${unscored.length} catalogs`
  }

  // The form on Score, filled in.
  get scoreAddress() {
    const words = new URLSearchParams()
    if (this.chosen !== undefined) { words.set("ensemble", this.chosen.name) }
    words.set("catalog", this.catalogs.get(this.unscored[0]).name)
    return `score?${words}`
  }
}
