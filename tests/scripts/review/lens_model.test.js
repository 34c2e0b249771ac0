// Medians with their intervals, as the lens model shows them.

import assert from "node:assert/strict"
import {test} from "node:test"

import {interval} from "../../../app/review/lens_model.js"

test("digits follow the smaller error", () => {
  assert.equal(interval({p16: 1.19, p50: 1.2004, p84: 1.2154, unit: "″"}), "1.200 −0.010 +0.015″")
  assert.equal(interval({p16: 31, p50: 43.2, p84: 60, unit: "°"}), "43 −12 +17°")
  assert.equal(interval({p16: 1, p50: 1, p84: 1, unit: ""}), "1.0 −0.0 +0.0")
})

test("large numbers are powers of ten", () => {
  assert.equal(interval({p16: 3.1e11, p50: 3.2e11, p84: 3.4e11, unit: " M☉"}), "(3.20 −0.10 +0.20) × 10¹¹ M☉")
})
