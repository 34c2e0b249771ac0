// Going on by itself after a grade, and taking back the grade that led on.

import assert from "node:assert/strict"
import {test} from "node:test"

import {AutoAdvance} from "../../../app/review/auto_advance.js"

function storage() {
  const kept = new Map()
  return {getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text)}
}

test("it is off until it is switched on, and the browser remembers", () => {
  const place = storage()
  const first = new AutoAdvance(place)
  assert.equal(first.given(1), false)
  first.toggle()
  assert.equal(first.given(1), true)
  assert.equal(new AutoAdvance(place).on, true)
})

test("what a person prefers comes before what the browser remembers", () => {
  const place = storage()
  new AutoAdvance(place).toggle()
  assert.deepEqual(["", "on", "off"].map((preferred) => new AutoAdvance(place, preferred).on), [true, true, false])
})

test("undo means the grade that led here, unless the candidate was asked for or has a grade", () => {
  const advance = new AutoAdvance(storage())
  advance.toggle()
  advance.given(1)
  advance.shows(2)
  assert.equal(advance.toUndo(2, null), 1)
  assert.equal(advance.toUndo(2, {grade: "A"}), 2)
  advance.shows(3)
  assert.equal(advance.toUndo(3, null), 3)
})

test("where nothing can be kept it lasts as long as the page", () => {
  const broken = {getItem() { throw new Error("off") }, setItem() { throw new Error("off") }}
  const advance = new AutoAdvance(broken)
  advance.toggle()
  assert.equal(advance.given(1), true)
})
