// The filter by one's own grade and the query that it stands for.

import assert from "node:assert/strict"
import {test} from "node:test"

import {mineChoices, mineOfQuery, mineToQuery} from "../../../app/review/my_grade.js"

test("each choice comes back from the query that it makes", () => {
  for (const [value] of mineChoices([{key: "A", title: "sure"}, {key: "X", title: "no"}])) {
    assert.equal(mineOfQuery(mineToQuery(value)), value)
  }
})

test("a query that the choice cannot say shows as any", () => {
  assert.equal(mineOfQuery({votes: "others", grades: ["A"]}), "")
  assert.equal(mineOfQuery({votes: "mine", grades: ["A", "B"]}), "")
  assert.equal(mineOfQuery({votes: null, grades: ["A"]}), "")
})
