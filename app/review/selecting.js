// Which candidates of a list are selected, page after page: by clicks, ranges and keys.

/** @typedef {{id: number}} Row */

export class StampSelection {
  constructor() {
    /** @type {Map<number, any>} */
    this.chosen = new Map() // rows by id, in the order in which they were chosen
    /** @type {any[]} */
    this.rows = [] // of the page that is shown
    this.anchor = null // where a range begins
    this.before = new Map() // what was chosen when the range began
  }

  get size() { return this.chosen.size }

  // Rows that are selected, on this page and on others.
  get all() { return [...this.chosen.values()] }

  get here() { return this.rows.filter(({id}) => this.chosen.has(id)).length }

  has(id) { return this.chosen.has(id) }

  // Another page, or the same rows anew; what is selected stays.
  show(rows) {
    this.rows = rows
    for (const row of rows) {
      if (this.chosen.has(row.id)) { this.chosen.set(row.id, row) }
    }
    this.begin(null)
  }

  clear() {
    this.chosen = new Map()
    this.begin(this.anchor)
  }

  // The cursor went somewhere without selecting: a range begins there.
  begin(index) {
    this.anchor = index
    this.before = new Map(this.chosen)
  }

  // Select a row of the page, or take it out.
  toggle(index) {
    const row = this.rows[index]
    if (row === undefined) { return }
    if (!this.chosen.delete(row.id)) { this.chosen.set(row.id, row) }
    this.begin(index)
  }

  // Select from where the range began to a row, with what was selected before it began.
  extend(index, from = index) {
    if (this.rows[index] === undefined) { return }
    if (this.anchor === null) { this.begin(from) }
    const [low, high] = [Math.min(this.anchor, index), Math.max(this.anchor, index)]
    this.chosen = new Map(this.before)
    for (const row of this.rows.slice(low, high + 1)) { this.chosen.set(row.id, row) }
  }

  // Select all rows of the page; where they are, take them out.
  togglePage() {
    const whole = this.rows.length > 0 && this.here === this.rows.length
    for (const row of this.rows) {
      if (whole) { this.chosen.delete(row.id) } else { this.chosen.set(row.id, row) }
    }
    this.begin(this.anchor)
  }
}

/**
 * Where an arrow leads in a grid of `n` cells; null: beyond the page.
 *
 * @param {number} index
 * @param {"left" | "right" | "up" | "down"} direction
 * @param {number} columns
 * @param {number} n
 */
export function stepInGrid(index, direction, columns, n) {
  const to = index + {left: -1, right: 1, up: -columns, down: columns}[direction]
  if (to >= 0 && to < n) { return to }
  const lastLine = Math.floor((n - 1) / columns)
  return direction === "down" && Math.floor(index / columns) < lastLine ? n - 1 : null // into a line that is not full
}
