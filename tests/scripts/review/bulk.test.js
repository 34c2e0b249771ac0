// What is done to many candidates at once: how many events, what is said first, and what takes it back.

import assert from "node:assert/strict"
import {test} from "node:test"

import {gradePlan, stagePlan, tagPlan, undoPlan} from "../../../app/review/bulk.js"

let number = 0
const make = (kind, row, fields) => ({uuid: `u${++number}`, kind, candidate: row.id, ...fields})
const rows = [{id: 1, stage: "detection", tags: []}, {id: 2, stage: "triage", tags: ["Quad"]},
  {id: 3, stage: "rejected", tags: []}]
const byId = (id) => rows.find((row) => row.id === id)
const tagsOf = (row) => row.tags

test("each grade is an event; who has the grade is left alone, and what is replaced is said", () => {
  const own = new Map([[1, {grade: "A"}], [2, {grade: "B"}]])
  const plan = gradePlan(rows, {key: "B", title: "probable"}, (id) => own.get(id), make, {view: {mode: "gallery"}})
  assert.deepEqual(plan.events.map(({kind, candidate, grade, view}) => [kind, candidate, grade, view.mode]),
    [["grade", 1, "B", "gallery"], ["grade", 3, "B", "gallery"]])
  assert.equal(plan.question,
    "Grade 2 candidates B (probable)? 1 more has that grade of yours. 1 other grade of yours is replaced.")
  assert.equal(plan.doing, "Grade 2 candidates B")
})

test("a tag is written once, whatever the case of its letters and the spaces in it", () => {
  const plan = tagPlan(rows, "  quad ", tagsOf, make)
  assert.deepEqual(plan.events.map(({candidate, tag}) => [candidate, tag]), [[1, "quad"], [3, "quad"]])
  assert.equal(plan.question, "Tag 2 candidates “quad”? 1 more has that tag.")
  assert.equal(tagPlan(rows, " , ", tagsOf, make).events.length, 0)
})

test("a move names the stage that was seen", () => {
  const plan = stagePlan(rows, "triage", null, make)
  assert.deepEqual(plan.events.map(({candidate, expected}) => [candidate, expected]), [[1, "detection"], [3, "rejected"]])
  const rejected = stagePlan(rows, "rejected", {key: "edge_on", title: "edge-on disc"}, make)
  assert.equal(rejected.question, "Move 2 candidates to rejected (edge-on disc)? 1 more is there already.")
  assert.equal(rejected.events[0].reason, "edge_on")
})

test("grades are taken back as far as they still stand", () => {
  const done = gradePlan(rows, {key: "A", title: "sure"}, () => null, make, {})
  const own = new Map(done.events.map(({candidate, uuid}) => [candidate, {uuid}]))
  own.set(2, {uuid: "a later grade"})
  const back = undoPlan(done, byId, (id) => own.get(id), tagsOf, make)
  assert.deepEqual(back.events.map(({kind, candidate, undoes}) => [kind, candidate, undoes]),
    [["undo", 1, done.events[0].uuid], ["undo", 3, done.events[2].uuid]])
  assert.match(back.question, /^Take back: 3 candidates graded A\? 1 is left as it is/)
})

test("tags and moves are taken back; what was rejected before stays, for want of its reason", () => {
  const moved = rows.map((row) => ({...row, stage: "triage", tags: ["quad"]}))
  const now = (id) => moved.find((row) => row.id === id)
  const tagged = tagPlan(rows, "quad", tagsOf, make)
  assert.deepEqual(undoPlan(tagged, now, () => null, tagsOf, make).events.map(({kind, candidate}) => [kind, candidate]),
    [["untag", 1], ["untag", 3]])
  const stage = stagePlan(rows, "triage", null, make)
  assert.deepEqual(undoPlan(stage, now, () => null, tagsOf, make).events.map((e) => [e.candidate, e.stage, e.expected]),
    [[1, "detection", "triage"]])
})
