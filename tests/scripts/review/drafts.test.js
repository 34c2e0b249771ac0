// Notes and tags that are not yet saved stay with their candidate.
import assert from "node:assert/strict"
import { test } from "node:test"
import { Drafts } from "../../../app/review/drafts.js"

function storage() {
  const kept = new Map()
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => { kept.set(key, text) },
    removeItem: (key) => { kept.delete(key) },
  }
}

test("a draft is of its candidate, field, grader and workspace, and outlives the page", () => {
  const here = storage()
  new Drafts("sky:1", here).keep(7, "note", "an arc?")
  const again = new Drafts("sky:1", here)
  assert.equal(again.of(7, "note"), "an arc?")
  assert.equal(again.of(8, "note"), "")
  assert.equal(again.of(7, "tag"), "")
  assert.equal(new Drafts("sky:2", here).of(7, "note"), "")
})

test("what is saved is forgotten", () => {
  const here = storage()
  const drafts = new Drafts("sky:1", here)
  drafts.keep(7, "note", "an arc?")
  drafts.keep(7, "note", "")
  assert.equal(drafts.of(7, "note"), "")
  assert.equal(here.kept.size, 0)
})

test("without storage a draft lasts as long as the page", () => {
  const off = () => { throw new Error("off") }
  const drafts = new Drafts("sky:1", { getItem: off, setItem: off, removeItem: off })
  drafts.keep(7, "note", "an arc?")
  assert.equal(drafts.of(7, "note"), "an arc?")
  drafts.keep(7, "note", "")
  assert.equal(drafts.of(7, "note"), "")
})
