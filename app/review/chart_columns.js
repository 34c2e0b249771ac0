// The numbers of a chart, as columns of a table.

const NAMES = {uncertainty: ["logit", "epistemic_nat"], embedding: ["first_direction", "second_direction"],
  sky: ["map_x_deg", "map_y_deg"]}

/** @param {string} text base64 @param {any} Type a typed array */
export function unpack(text, Type) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  return new Type(bytes.buffer)
}

/**
 * Columns of what is drawn: bars, points, or cells of a density that hold candidates.
 * @param {any} data as the server sends it, points unpacked
 * @returns {Record<string, ArrayLike<any>>}
 */
export function chartColumns({counts, edges, probabilities, x, y, p, position, grid, extent, kind}) {
  if (counts) {
    return {probability_from: probabilities.slice(0, -1), probability_to: probabilities.slice(1),
      logit_from: edges.slice(0, -1), logit_to: edges.slice(1), candidates: counts}
  }
  const [across, up] = NAMES[kind]
  if (position) { return {...position, probability: p} }
  if (x) { return {[across]: x, [up]: y, probability: p} }
  if (!grid) { return {} }
  const [rows, columns] = grid.shape
  const [left, right, bottom, top] = extent
  const cells = [...unpack(grid.counts, Uint16Array)].map((n, k) => [n, k]).filter(([n]) => n > 0)
  const middle = (k, n, low, high) => low + (k + 0.5) / n * (high - low)
  return {[across]: cells.map(([, k]) => middle(k % columns, columns, left, right)),
    [up]: cells.map(([, k]) => middle(Math.floor(k / columns), rows, bottom, top)),
    candidates: cells.map(([n]) => n)}
}
