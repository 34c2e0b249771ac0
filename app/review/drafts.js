// Notes and tags that are written and not yet saved: kept in the browser, by candidate and field.

const DRAFT_KEY = "lens-triage-draft"

export class Drafts {
  /**
   * @param {string} place whose they are: workspace and grader
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} storage
   */
  constructor(place, storage) {
    this.prefix = `${DRAFT_KEY}:${place}`
    this.storage = storage
    this.unstored = new Map() // where the storage takes nothing: as long as the page is open
  }

  /** @returns {string} */
  of(candidate, field) {
    const key = this.key(candidate, field)
    try {
      return this.unstored.get(key) ?? this.storage.getItem(key) ?? ""
    } catch {
      return ""
    }
  }

  // Keep a text; an empty one is forgotten.
  keep(candidate, field, text) {
    const key = this.key(candidate, field)
    this.unstored.delete(key)
    try {
      if (text) { this.storage.setItem(key, text) } else { this.storage.removeItem(key) }
    } catch {
      if (text) { this.unstored.set(key, text) }
    }
  }

  key(candidate, field) { return `${this.prefix}:${candidate}:${field}` }
}
