// What a tab says of runs that have ended.

import assert from "node:assert/strict"
import test from "node:test"

import { marked, sentenceOf } from "../../../app/run_bell.js"

test("the title has a mark until what ended is seen, whatever page it is of", () => {
  assert.equal(marked("Review · lens-triage", 2), "(2) Review · lens-triage")
  assert.equal(marked("(2) Runs · lens-triage", 3), "(3) Runs · lens-triage")
  assert.equal(marked("(3) Runs · lens-triage", 0), "Runs · lens-triage")
})

test("an end is one sentence", () => {
  assert.equal(sentenceOf({title: "Score a", status: "succeeded", error: ""}), "Score a has ended.")
  assert.equal(sentenceOf({title: "Score a", status: "failed", error: "No room."}), "Score a has failed: No room.")
})
