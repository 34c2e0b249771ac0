// Preferences of a person, from the server or from the browser, and only such as there are.

import assert from "node:assert/strict"
import test from "node:test"

import { checked, keepPreferences, preferencesOf, STANDARD } from "../../../app/widgets/preferences.js"

function storage() {
  const kept = new Map()
  return () => ({getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text)})
}

test("what is unknown, or of another kind, counts as not chosen", () => {
  assert.deepEqual(checked({theme: "pink", notify: "yes", stretch: "faint", x: 1}), {...STANDARD, stretch: "faint"})
  assert.deepEqual(checked(null), STANDARD)
})

test("a name has its own, whatever the browser keeps; who has none has the browser's", async () => {
  const place = storage()
  assert.equal((await keepPreferences({theme: "dark"}, null, place)).theme, "dark")
  assert.equal((await keepPreferences({advance: "on"}, null, place)).theme, "dark")
  assert.equal(preferencesOf(null, place).advance, "on")
  assert.deepEqual(preferencesOf({}, place), STANDARD)
  assert.deepEqual(preferencesOf(null, () => { throw new Error("no storage") }), STANDARD)
})
