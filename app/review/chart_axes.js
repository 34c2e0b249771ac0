// Axes of charts: what they show, and where their ticks are.

// What the axes show, with their units; the two of embeddings have none.
export const AXES = {
  histogram: ["score: probability of being a lens", "candidates, log(1 + n)"],
  uncertainty: ["ensemble's logit", "epistemic uncertainty (nat)"],
  embedding: ["first direction of embeddings", "second direction"],
  sky: ["right ascension, ICRS (deg)", "declination, ICRS (deg)"],
}
export const PROBABILITY_TICKS = [0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999]

export function niceTicks(low, high, most) {
  const raw = (high - low) / most
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw)
  const ticks = []
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    ticks.push(Number((k * step).toPrecision(10)))
  }
  return ticks
}

// Where `value` lies among rising `xs`, as the value of `ys` there.
export function interpolate(value, xs, ys) {
  const last = xs.length - 1
  if (value <= xs[0]) { return ys[0] }
  if (value >= xs[last]) { return ys[last] }
  const k = xs.findIndex((x) => x >= value)
  const part = xs[k] > xs[k - 1] ? (value - xs[k - 1]) / (xs[k] - xs[k - 1]) : 0
  return ys[k - 1] + part * (ys[k] - ys[k - 1])
}
