// What the list is limited to stands in its address.

import assert from "node:assert/strict"
import test from "node:test"

import { addressWords } from "../../../app/review/address.js"
import { NO_EXTRAS } from "../../../app/review/more.js"

const BARE = {ensemble_id: 7, catalog_ids: [], sort: "score", descending: true, probability_min: 0, probability_max: 1,
  stages: [], label: null, object_id: "", ...NO_EXTRAS}
const START = {ensembles: [{id: 7, name: "first"}], defaults: BARE}
const wordsOf = (changes) => addressWords({...BARE, ...changes}, START, new Map(), undefined).toString()

test("notes, tags and flags are in the address, and only where they are set", () => {
  assert.equal(wordsOf({}), "ensemble=first")
  assert.equal(wordsOf({tags: ["ring", "quad"], all_tags: true, note: "50% arc", flagged: "mine"}),
    "ensemble=first&tag=ring&tag=quad&tags=all&note=50%25+arc&flag=mine")
  assert.equal(wordsOf({all_tags: true}), "ensemble=first") // of no tag
})
