// Calibrations of catalogs: zero points, widths of the PSF, noise of the sky.

import { infoUrl } from "./tiles.js"

export class Calibrations {
  constructor() {
    this.entries = new Map() // by the id of the catalog
  }

  // What is known of a catalog; undefined before it has come.
  of(catalog) { return this.entries.get(catalog.id)?.found }

  // Ask once for the calibration of a catalog, by one of its candidates; `then` is called when it has come.
  async ask(catalog, row, view, then) {
    if (this.entries.has(catalog.id)) { return }
    const entry = {found: undefined}
    this.entries.set(catalog.id, entry)
    try {
      const answer = await fetch(infoUrl(catalog, row, view))
      if (!answer.ok) { throw new Error(await answer.text()) }
      entry.found = await answer.json()
      then()
    } catch {
      this.entries.delete(catalog.id) // asked for again at the next candidate
    }
  }
}
