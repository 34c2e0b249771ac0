// What a list says of the opinion of others.

import assert from "node:assert/strict"
import {test} from "node:test"

import {opinionOf} from "../../../app/review/marks.js"

test("an opinion is short in the list and whole in its tooltip", () => {
  const text = (posterior) => opinionOf({posterior, state: "open", n_votes: 2}).text
  assert.deepEqual([0.99995, 0.946, 0.5, 0.0131, 1.3e-4].map(text), ["> .99", ".95", ".50", ".01", "< .01"])
  assert.equal(opinionOf({posterior: 1.3e-4, state: "retired", n_votes: 1}).title,
    "Consensus of 1 vote: P(lens) 1.3e-4, not a lens")
})

test("where nobody else has graded, or it may not be seen, there is none", () => {
  assert.equal(opinionOf(null), null)
  assert.equal(opinionOf(undefined), null)
})
