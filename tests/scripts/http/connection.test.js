// The page asks until the server is back, and says what of it is gone.

import assert from "node:assert/strict"
import {test} from "node:test"

import {Connection, connectionText} from "../../../app/http/connection.js"

test("a server that went away is asked until it answers, and once it does the page goes on", async () => {
  const pauses = []
  let answers = -5
  let back = 0
  const connection = new Connection({
    probe: async () => { if (++answers < 0) { throw new Error("away") } },
    onChange: () => {}, onBack: () => { back += 1 },
    later: (action, ms) => { pauses.push(ms); queueMicrotask(action) },
  })
  connection.lost()
  connection.lost() // of another request at the same time
  assert.match(connectionText(connection), /does not answer/)
  for (let k = 0; k < 40; k++) { await null }
  assert.equal(back, 1)
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 4000])
  assert.equal(connectionText(connection), "")
  connection.detach()
  assert.match(connectionText(connection), /reload/)
})
