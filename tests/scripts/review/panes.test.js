import assert from "node:assert/strict"
import test from "node:test"

import { fitted } from "../../../app/review/panes.js"

test("panes are as wide as asked for where there is room", () => {
  assert.deepEqual(fitted({list: 400, side: 300}, 1400), {list: 400, side: 300})
})

test("panes leave the picture its least, and keep theirs", () => {
  assert.deepEqual(fitted({list: 2000, side: 300}, 1400), {list: 770, side: 300})
  assert.deepEqual(fitted({list: 300, side: 2000}, 1400), {list: 220, side: 850})
  assert.deepEqual(fitted({list: 10, side: 10}, 1400), {list: 220, side: 220})
  assert.deepEqual(fitted({list: 400, side: 400}, 500), {list: 220, side: 220})
})
