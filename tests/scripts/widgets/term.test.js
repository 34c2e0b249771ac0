import assert from "node:assert/strict"
import { test } from "node:test"
import { placeOf } from "../../../app/widgets/term.js"

const VIEW = {width: 400, height: 300}

test("a meaning stands below its word, above it where there is no room, and within the window", () => {
  const word = (left, top) => ({left, top, bottom: top + 16})
  assert.deepEqual(placeOf(word(50, 20), {width: 100, height: 40}, VIEW), {left: 50, top: 42})
  assert.deepEqual(placeOf(word(50, 260), {width: 100, height: 40}, VIEW), {left: 50, top: 214})
  assert.equal(placeOf(word(380, 20), {width: 100, height: 40}, VIEW).left, 294)
  assert.equal(placeOf(word(-20, 20), {width: 100, height: 40}, VIEW).left, 6)
})
