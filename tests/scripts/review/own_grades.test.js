// What a person's own grade is while the server has not heard of it, has, or has refused it.

import assert from "node:assert/strict"
import {test} from "node:test"

import {OwnGrades} from "../../../app/review/own_grades.js"

test("a grade stands at once, and the server's word counts again once it is later", () => {
  const own = new OwnGrades()
  assert.equal(own.of(7), undefined)
  own.heard(7, null, 1)
  assert.equal(own.of(7), null)
  own.give(7, {uuid: "a", grade: "A"})
  assert.equal(own.of(7).grade, "A")
  own.heard(7, null, 2) // asked before the grade was written
  assert.equal(own.of(7).grade, "A")
  own.settled(7, 5, false)
  own.heard(7, null, 4) // on its way while the grade was written
  assert.equal(own.of(7).grade, "A")
  own.heard(7, {uuid: "b", grade: "B"}, 6) // changed in another tab since
  assert.equal(own.of(7).grade, "B")
})

test("undo goes back grade by grade, to those that the server knew", () => {
  const own = new OwnGrades()
  own.heard(7, {uuid: "s", grade: "C"}, 1)
  own.give(7, {uuid: "a", grade: "A"})
  own.give(7, {uuid: "b", grade: "B"})
  own.undo(7)
  assert.equal(own.of(7).uuid, "a")
  own.undo(7)
  assert.equal(own.of(7).uuid, "s")
  own.undo(7)
  assert.equal(own.of(7), null)
})

test("what the server refuses was never given", () => {
  const own = new OwnGrades()
  own.heard(7, {uuid: "s", grade: "C"}, 1)
  own.give(7, {uuid: "a", grade: "A"})
  assert.ok(own.isPending(7))
  own.settled(7, 3, true)
  assert.equal(own.of(7).grade, "C")
  assert.ok(!own.isPending(7))
})

test("an answer to an earlier question than the last says nothing", () => {
  const own = new OwnGrades()
  own.heard(7, {uuid: "b", grade: "B"}, 6)
  own.heard(7, null, 2) // a page of the list that was fetched ahead
  assert.equal(own.of(7).grade, "B")
})
