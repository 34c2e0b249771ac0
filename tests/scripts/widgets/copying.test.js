// Whether a text came to the clipboard is told.

import assert from "node:assert/strict"
import test from "node:test"

import { copyText } from "../../../app/widgets/copying.js"

test("a browser without a clipboard is told of, and nothing fails", async () => {
  const kept = []
  assert.equal(await copyText("x", {writeText: async (text) => { kept.push(text) }}), true)
  assert.deepEqual(kept, ["x"])
  assert.equal(await copyText("x", {writeText: async () => { throw new Error("denied") }}), false)
  assert.equal(await copyText("x", undefined), false)
})
