// Review graded by the keys of Label: no key does two things.

import assert from "node:assert/strict"
import test from "node:test"

import { gradeKeysOf, regraded } from "../../../app/review/grade_keys.js"
import { GRADE_KEYS, PANEL_KEYS } from "../../../app/review/panel.js"
import { IMAGE_KEYS, STRETCH_KEYS, ZOOM_KEYS } from "../../../app/viewer/keys.js"
import { HELP_KEYS, LIST_KEYS } from "../../../app/widgets/keyboard.js"

const grades = ["A", "B", "C", "X"].map((key) => ({key, title: key}))
const SECTIONS = [LIST_KEYS, IMAGE_KEYS, ZOOM_KEYS, STRETCH_KEYS, PANEL_KEYS, GRADE_KEYS, HELP_KEYS]
const keysOf = (label) => gradeKeysOf({grades, preferences: {general: {grade_keys: "label"}, label}})

test("without that preference Review has its own keys", () => {
  const none = gradeKeysOf({grades, preferences: {general: {}, label: {hand: "left"}}})
  assert.equal(none, null)
  assert.equal(regraded(SECTIONS, grades, none), SECTIONS)
})

for (const label of [{}, {hand: "left"}, {hand: "right", own: {"grade:A": "1"}}]) {
  test(`keys of Label, ${JSON.stringify(label)}: each does one thing`, () => {
    const keys = keysOf(label)
    const rows = regraded(SECTIONS, grades, keys).flatMap((section) => section.keys)
    const all = rows.flatMap((row) => row.keys)
    assert.equal(new Set(all).size, all.length, all.join(" "))
    for (const {key} of grades) {
      assert.deepEqual(rows.filter((row) => row.action === `grade:${key}`).map((row) => row.keys), [[keys[key]]])
    }
    assert.ok(!rows.some(({action}) => action === "grade" || action === "gradeNow"))
  })
}

test("the hand and own choices are those of Label", () => {
  assert.deepEqual(keysOf({}), {A: "a", B: "b", C: "c", X: "x"})
  assert.deepEqual(keysOf({hand: "left", own: {"grade:X": "q"}}), {A: "a", B: "s", C: "d", X: "q"})
})
