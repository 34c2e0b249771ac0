// What was said of a candidate stands until the server's own word holds it.

import assert from "node:assert/strict"
import {test} from "node:test"

import {inThreads, Remarks} from "../../../app/review/remarks.js"

let n = 0
const said = (kind, fields, candidate = 7) => ({uuid: `u${n++}`, kind, candidate, ...fields})

test("stage and tags stand at once, in the order in which they were said", () => {
  const remarks = new Remarks()
  const moved = said("stage", {stage: "triage"})
  for (const event of [moved, said("stage", {stage: "validation"}), said("tag", {tag: "Ring"}),
    said("tag", {tag: "blue"}), said("untag", {tag: "quad"})]) { assert.equal(remarks.add(event), true) }
  assert.equal(remarks.add(moved), false) // as when the outbox tells of it again
  assert.equal(remarks.stage(7, "detection"), "validation")
  assert.deepEqual(remarks.tags(7, ["quad", "ring"]), ["ring", "blue"])
  assert.equal(remarks.stage(8, "detection"), "detection")
  assert.deepEqual(remarks.tags(8, ["quad"]), ["quad"])
})

test("what is settled stands until an answer that is later", () => {
  const remarks = new Remarks()
  const event = said("stage", {stage: "triage"})
  remarks.add(event)
  remarks.heard(7, 1000) // an answer that does not know of it
  assert.equal(remarks.isPending(7), true)
  remarks.settled(event, 2000, false)
  assert.equal(remarks.isPending(7), false)
  remarks.heard(7, 1500) // asked before it was written
  assert.equal(remarks.stage(7, "detection"), "triage")
  remarks.heard(7, 2500) // somebody else has moved it since
  assert.equal(remarks.stage(7, "confirmation"), "confirmation")
})

test("what the server refuses was never said", () => {
  const remarks = new Remarks()
  const event = said("tag", {tag: "ring"})
  remarks.add(event)
  remarks.settled(event, 1, true)
  assert.deepEqual(remarks.tags(7, []), [])
  remarks.settled(said("tag", {tag: "x"}, 9), 1, false) // of an earlier visit
  assert.deepEqual(remarks.of(9), [])
})

test("answers stand below their note, the first one first", () => {
  const entries = [ // the newest first, as the server has them
    {text: "b2", note: 5, reply_to: 1}, {text: "tag", note: null, reply_to: null}, {text: "b1", note: 3, reply_to: 1},
    {text: "a", note: 2, reply_to: null}, {text: "b", note: 1, reply_to: null}, {text: "lone", note: 9, reply_to: 8},
  ]
  assert.deepEqual(inThreads(entries).map(({text}) => text), ["tag", "a", "b", "b1", "b2", "lone"])
})
