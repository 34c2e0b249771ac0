// Selecting stamps of a list: by click, by range, by page, over pages.

import assert from "node:assert/strict"
import {test} from "node:test"

import {StampSelection, stepInGrid} from "../../../app/review/selecting.js"

const rows = (from, to) => Array.from({length: to - from + 1}, (_, k) => ({id: from + k}))
const ids = (selection) => selection.all.map(({id}) => id).sort((a, b) => a - b)

function page(from = 1, to = 10) {
  const selection = new StampSelection()
  selection.show(rows(from, to))
  return selection
}

test("a click selects, another takes out", () => {
  const selection = page()
  selection.toggle(2)
  selection.toggle(5)
  assert.deepEqual(ids(selection), [3, 6])
  selection.toggle(2)
  assert.deepEqual(ids(selection), [6])
  selection.toggle(99) // beyond the page
  assert.deepEqual(ids(selection), [6])
})

test("a range grows and shrinks about where it began, and keeps what was selected before", () => {
  const selection = page()
  selection.toggle(9)
  selection.toggle(3)
  selection.extend(6)
  assert.deepEqual(ids(selection), [4, 5, 6, 7, 10])
  selection.extend(4)
  assert.deepEqual(ids(selection), [4, 5, 10])
  selection.extend(1)
  assert.deepEqual(ids(selection), [2, 3, 4, 10])
})

test("a range without a beginning begins at the cursor", () => {
  const selection = page()
  selection.extend(3, 2)
  assert.deepEqual(ids(selection), [3, 4])
})

test("after a move without Shift another range begins", () => {
  const selection = page()
  selection.extend(1, 0)
  selection.begin(5)
  selection.extend(6)
  assert.deepEqual(ids(selection), [1, 2, 6, 7])
})

test("all of the page, then none of it, whatever is selected on others", () => {
  const selection = page()
  selection.toggle(0)
  selection.show(rows(11, 14))
  selection.togglePage()
  assert.deepEqual(ids(selection), [1, 11, 12, 13, 14])
  assert.equal(selection.here, 4)
  selection.togglePage()
  assert.deepEqual(ids(selection), [1])
})

test("a page that is fetched again brings its rows as they are now", () => {
  const selection = page()
  selection.toggle(0)
  selection.show([{id: 1, stage: "triage"}])
  assert.equal(selection.all[0].stage, "triage")
})

test("clearing forgets pages that are not in sight", () => {
  const selection = page()
  selection.togglePage()
  selection.show(rows(11, 12))
  selection.clear()
  assert.equal(selection.size, 0)
  selection.extend(1, 0)
  assert.deepEqual(ids(selection), [11, 12])
})

test("arrows stay within the grid, and find the last line that is not full", () => {
  assert.equal(stepInGrid(0, "right", 10, 25), 1)
  assert.equal(stepInGrid(0, "left", 10, 25), null)
  assert.equal(stepInGrid(3, "down", 10, 25), 13)
  assert.equal(stepInGrid(17, "down", 10, 25), 24) // below is nothing: the last one
  assert.equal(stepInGrid(22, "down", 10, 25), null)
  assert.equal(stepInGrid(5, "up", 10, 25), null)
  assert.equal(stepInGrid(24, "right", 10, 25), null)
})
