// The outbox of grades: one that the server cannot read holds up none of the others.

import assert from "node:assert/strict"
import {beforeEach, test} from "node:test"

import {Outbox} from "../../app/label/outbox.js"

const stored = new Map()
let requests

globalThis.window = {addEventListener() {}, removeEventListener() {}}
globalThis.localStorage = {
  get length() { return stored.size },
  key: (k) => [...stored.keys()][k],
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => stored.set(key, value),
  removeItem: (key) => stored.delete(key),
}

// A server that refuses every request in which there is an event called "poison".
globalThis.fetch = async (_path, {body}) => {
  const uuids = JSON.parse(body).events.map((event) => event.uuid)
  requests.push(uuids)
  const poisoned = uuids.includes("poison")
  const answer = poisoned ? {error: "The request is not JSON."} : {written: uuids, refused: {}, feedback: {}}
  return {ok: !poisoned, status: poisoned ? 400 : 200, json: async () => answer}
}

beforeEach(() => { stored.clear(); requests = [] })

async function sent(events) {
  const outbox = new Outbox("s", 1, {onChange() {}, onFeedback() {}})
  outbox.add(events)
  while (outbox.unsent) { await new Promise((resolve) => setTimeout(resolve, 1)) }
  outbox.remove()
  return outbox
}

test("an event that cannot be read is put aside, and the others are written", async () => {
  const outbox = await sent([{uuid: "a"}, {uuid: "poison"}, {uuid: "b"}])
  assert.equal(outbox.written, 2)
  assert.deepEqual([...outbox.refused.keys()], ["poison"])
  assert.equal(outbox.refused.get("poison").refused, "The request is not JSON.")
  assert.equal(stored.size, 1) // it stays in the browser until it is dismissed
  outbox.dismiss()
  assert.equal(stored.size, 0)
})

test("a request stays within what the server reads", async () => {
  const view = "x".repeat(200000)
  const outbox = await sent(["a", "b", "c", "d"].map((uuid) => ({uuid, view})))
  assert.equal(outbox.written, 4)
  assert.ok(requests.every((uuids) => uuids.length <= 2))
})
