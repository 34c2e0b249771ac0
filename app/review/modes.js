// The ways to look at a list beside the table with its large picture: as stamps, and side by side.

import { STRETCH_KEYS } from "../viewer/keys.js"
import { REFERENCE_KEYS, ReferenceDrawer } from "../viewer/references.js"
import { debounce, h } from "../widgets/dom.js"
import { HELP_KEYS, Keyboard } from "../widgets/keyboard.js"
import { BulkBar } from "./bulk_bar.js"
import { Compare, COMPARE_KEYS, OPEN_COMPARE } from "./compare.js"
import { BULK_KEYS, Gallery, GALLERY_KEYS } from "./gallery.js"

const REFERENCE_PAUSE_MS = 150
const STAMP_ACTIONS = ["preset", "look", "triple", "invert", "smooth", "reset"]
const STAMP_KEYS = {title: "Stretch and color", keys: STRETCH_KEYS.keys.filter(({action}) => STAMP_ACTIONS.includes(action))}
export const MODE_KEYS = {title: "View", keys: [
  {keys: ["G"], shown: "G", action: "gallery", text: "The list as a gallery of stamps; again: as a table"},
  OPEN_COMPARE,
  REFERENCE_KEYS,
]}

export class Modes {
  /**
   * @param {any} start what the page began with
   * @param {any} page the review view: what it holds of list, pictures and panels
   */
  constructor(start, page) {
    this.page = page
    const ask = (...given) => page.ask(...given)
    const view = () => page.candidate.controls.view
    const ownGrade = (id) => page.side.ownGrade(id)
    this.gallery = new Gallery(page.catalogs, {
      walk: page.walk, view, ownGrade, onOpen: () => this.show(false), onSelection: () => this.bulk?.show(),
    })
    this.bulk = new BulkBar(start, {
      gallery: this.gallery, history: page.side.history, ask, record: () => page.record(),
      query: () => page.filters.query,
      onChoose: (selection) => page.filters.choose(selection), onCompare: () => this.compareNow(),
    })
    this.compare = new Compare(start, page.catalogs, {
      pool: page.candidate.pool, view, ask, ownGrade, ensemble: () => page.filters.query.ensemble_id,
      onOpen: (id) => {
        this.show(false)
        page.walk.open(id)
      },
    })
    this.references = new ReferenceDrawer((then, failed) => {
      if (page.row !== undefined) { page.ask({type: "references", id: page.row.id}, (answer) => then(answer.references), failed) }
    })
    this.askReferences = debounce(() => this.references.refresh(), REFERENCE_PAUSE_MS)
    this.buttons = h("span", {className: "segments modes", role: "group", "aria-label": "View"},
      [["Table", false], ["Gallery", true]].map(([text, shown]) => h("button", {type: "button", title: `${text} (key G)`,
        onclick: () => this.show(shown)}, text)))
  }

  // Whether the list stands as a table beside the large picture, and nothing over it.
  get plain() { return !this.gallery.shown && !this.compare.shown }

  // `actions`: of the page, each waiting for the row that it was meant for.
  listen(actions, whenShown) {
    this.keyboards = [
      new Keyboard([GALLERY_KEYS, BULK_KEYS, {...MODE_KEYS, keys: [OPEN_COMPARE, REFERENCE_KEYS]}, STAMP_KEYS, HELP_KEYS],
        {...actions, ...whenShown({...this.gallery.actions(), ...this.bulk.actions(), ...this.actions()})},
        () => this.gallery.shown && !this.compare.shown),
      new Keyboard([COMPARE_KEYS, STAMP_KEYS, HELP_KEYS], {...actions, ...this.compare.actions()}, () => this.compare.shown),
    ]
    return this.keyboards.map(({dialog}) => dialog)
  }

  actions() {
    return {
      gallery: () => this.show(!this.gallery.shown),
      compare: () => this.compareNow(),
      references: () => this.references.toggle(),
    }
  }

  // Another candidate is chosen: references that are not the candidate itself.
  chosen() { this.askReferences() }

  // The list as stamps over the whole page, or as a table beside the large picture.
  show(shown) {
    this.page.panes.node.classList.toggle("as-gallery", shown)
    this.bulk.node.hidden = this.gallery.columns.hidden = !shown
    ;[...this.buttons.children].forEach((button, k) => button.setAttribute("aria-pressed", String((k === 1) === shown)))
    this.bulk.close()
    this.gallery.open(shown)
    if (this.page.row !== undefined) { this.page.showRow() }
  }

  // The selection side by side; without one, the candidate that is shown and the one after it.
  compareNow() {
    const {rows, index} = this.page.walk
    const chosen = this.gallery.shown ? this.gallery.selection.all : []
    if (chosen.length > 1) {
      this.compare.open(chosen, 0, chosen.length)
    } else {
      this.compare.open(rows, index, 2)
    }
  }

  // Pictures are to be drawn otherwise; whether the large one is in sight.
  viewChanged() {
    this.gallery.redraw()
    if (this.compare.shown) { this.compare.draw() }
    return !this.gallery.shown
  }

  graded(id) { this.gallery.markGrade(id) }

  remove() {
    for (const keyboard of this.keyboards) { keyboard.remove() }
    this.bulk.remove()
    this.askReferences.cancel()
  }
}
