// The outbox without a browser: a server that answers as it is told, a clock that is moved by hand.

import assert from "node:assert/strict"
import {test} from "node:test"

import {Outbox, refusedText, unsavedText} from "../../../app/http/outbox.js"

class Storage {
  constructor() { this.kept = new Map() }
  get length() { return this.kept.size }
  key(k) { return [...this.kept.keys()][k] }
  getItem(key) { return this.kept.get(key) }
  setItem(key, text) { this.kept.set(key, text) }
  removeItem(key) { this.kept.delete(key) }
}

class Clock {
  constructor() { this.ms = 0; this.timers = [] }
  now() { return this.ms }
  later(action, ms) {
    const timer = {action, at: this.ms + ms}
    this.timers.push(timer)
    return timer
  }
  cancel(timer) { this.timers = this.timers.filter((one) => one !== timer) }
  async pass(ms) {
    const end = this.ms + ms
    for (;;) {
      await settle()
      const due = this.timers.filter(({at}) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) { break }
      this.ms = due.at
      this.cancel(due)
      due.action()
    }
    this.ms = end
  }
}

async function settle() { for (let k = 0; k < 20; k++) { await null } }

function failure(status, retryAfterMs = 0) {
  return Object.assign(new Error(`The server answered ${status}.`), {status, retryAfterMs})
}

const events = (...names) => names.map((uuid) => ({uuid, kind: "grade"}))

// `server(events)` returns the answer or throws.
function made(server, {storage = new Storage(), clock = new Clock(), place = "review:1"} = {}) {
  const settled = []
  const sent = []
  const outbox = new Outbox({
    place, storage, clock,
    send: async (batch) => {
      sent.push(batch.map(({uuid}) => uuid))
      return server(batch)
    },
    onChange: () => {}, onSettled: (event, told) => settled.push([event.uuid, told]),
  })
  return {outbox, settled, sent, storage, clock}
}

const write = (batch) => ({written: batch.map(({uuid}) => uuid), refused: {}})

test("events are forgotten once the server has written them", async () => {
  const {outbox, settled, storage} = made(write)
  outbox.add(events("a", "b"))
  assert.equal(storage.length, 2)
  await settle()
  assert.equal(outbox.unsent, 0)
  assert.equal(storage.length, 0)
  assert.deepEqual(settled.map(([uuid]) => uuid), ["a", "b"])
})

test("what is given while a request is on its way goes with the next one, in order, once each", async () => {
  let answer
  const held = new Promise((resolve) => { answer = resolve })
  const {outbox, sent, clock} = made(async (batch) => { await held; return write(batch) })
  outbox.add(events("a"))
  outbox.add(events("b"))
  outbox.add(events("c"))
  answer()
  await clock.pass(0)
  assert.deepEqual(sent, [["a"], ["b", "c"]])
  assert.equal(outbox.unsent, 0)
})

test("a server that is away is asked again, after longer and longer pauses", async () => {
  let away = true
  const {outbox, sent, clock} = made((batch) => { if (away) { throw failure(undefined) } return write(batch) })
  outbox.add(events("a"))
  await clock.pass(10_000)
  assert.equal(sent.length, 6) // at 0, 0.3, 0.9, 2.1, 4.6 and 9.6 s
  assert.equal(unsavedText(outbox), "1 grade not yet saved")
  away = false
  await clock.pass(5000)
  assert.equal(outbox.unsent, 0)
  assert.equal(unsavedText(outbox), "")
})

test("a busy server is left alone as long as it asks for", async () => {
  let busy = true
  const {outbox, sent, clock} = made((batch) => { if (busy) { throw failure(503, 20_000) } return write(batch) })
  outbox.add(events("a"))
  await clock.pass(19_999)
  assert.equal(sent.length, 1)
  busy = false
  await clock.pass(1)
  assert.equal(outbox.unsent, 0)
})

for (const status of [401, 403]) {
  test(`after ${status} grades are kept, and sent when the person has signed in again`, async () => {
    let signedIn = false
    const {outbox, clock, storage} = made((batch) => { if (!signedIn) { throw failure(status) } return write(batch) })
    outbox.add(events("a", "b"))
    await clock.pass(2000)
    assert.equal(outbox.refused.size, 0)
    assert.equal(storage.length, 2)
    assert.equal(unsavedText(outbox), "2 grades not yet saved; sign in again, and they are sent")
    signedIn = true
    await clock.pass(5000)
    assert.equal(outbox.unsent, 0)
  })
}

test("one that is refused keeps none of the others out, and is told with its reason", async () => {
  const {outbox, settled, storage} = made(() => ({written: ["a", "c"], refused: {b: "Session is closed."}}))
  outbox.add(events("a", "b", "c"))
  await settle()
  assert.equal(outbox.unsent, 0)
  assert.deepEqual(settled.at(-1), ["b", {refused: "Session is closed."}])
  assert.equal(refusedText(outbox.refused), "1 grade was not taken: Session is closed.")
  assert.equal(storage.length, 1) // until the person has seen it
  const reopened = made(write, {storage}).outbox
  reopened.takeOver()
  await settle()
  assert.equal(refusedText(reopened.refused), "1 grade was not taken: Session is closed.")
  reopened.dismiss()
  assert.equal(storage.length, 0)
})

for (const status of [400, 413, 500]) {
  test(`an event on which the whole request fails with ${status} holds up no other`, async () => {
    const {outbox, clock, settled} = made((batch) => {
      if (batch.some(({uuid}) => uuid === "bad")) { throw failure(status) }
      return write(batch)
    })
    outbox.add(events("a", "b", "bad"))
    outbox.add(events("c", "d"))
    await clock.pass(60_000)
    const written = settled.filter(([, told]) => told.refused === undefined).map(([uuid]) => uuid)
    if (status === 500) { // a fault of the server may pass: the event waits, and those after it
      assert.deepEqual(written, ["a", "b"])
      assert.equal(outbox.unsent, 3)
    } else {
      assert.deepEqual(written, ["a", "b", "c", "d"])
      assert.deepEqual([...outbox.refused.keys()], ["bad"])
    }
  })
}

test("requests stay short: a long event goes alone", async () => {
  const {outbox, sent, clock} = made(write)
  outbox.add([...events("a"), {uuid: "long", view: "x".repeat(600_000)}, ...events("b", "c")])
  await clock.pass(0)
  assert.deepEqual(sent, [["a"], ["long"], ["b", "c"]])
})

test("an answer that decides nothing is a failure, not an endless loop", async () => {
  const {outbox, sent, clock} = made(() => ({written: [], refused: {}}))
  outbox.add(events("a"))
  await clock.pass(1000)
  assert.equal(sent.length, 3)
  assert.equal(outbox.unsent, 1)
})

test("what a closed tab left is sent in the order in which it was given, by its own grader alone", async () => {
  const storage = new Storage()
  const clock = new Clock()
  const closed = made(() => { throw failure(undefined) }, {storage, clock})
  closed.outbox.add(events("z"))
  clock.ms += 5
  closed.outbox.add(events("a", "m"))
  await settle()
  closed.outbox.close()
  storage.setItem("lens-triage-event:review:1:broken", "{")
  const other = made(write, {storage, clock, place: "review:12"})
  other.outbox.takeOver()
  await settle()
  assert.deepEqual(other.sent, [])
  const again = made(write, {storage, clock})
  again.outbox.takeOver()
  await settle()
  assert.deepEqual(again.sent, [["z", "a", "m"]])
})

test("two tabs that send the same events forget them once each", async () => {
  const storage = new Storage()
  const first = made(write, {storage})
  const second = made(write, {storage})
  first.outbox.add(events("a"))
  second.outbox.takeOver()
  await settle()
  assert.equal(first.outbox.unsent + second.outbox.unsent, 0)
  assert.equal(storage.length, 0)
})

test("without storage the page says that the tab must stay open", async () => {
  const storage = {
    length: 0, key: () => null, getItem: () => null, removeItem: () => { throw new Error("off") },
    setItem: () => { throw new Error("full") },
  }
  const {outbox} = made(() => new Promise(() => {}), {storage})
  outbox.add(events("a"))
  assert.match(unsavedText(outbox), /^1 grade not yet saved; this browser does not store anything/)
})

test("a grade that waits for a moment only is not spoken of", async () => {
  const {outbox, clock} = made(() => new Promise(() => {}))
  outbox.add(events("a"))
  await clock.pass(999)
  assert.equal(unsavedText(outbox), "")
  await clock.pass(1)
  assert.equal(unsavedText(outbox), "1 grade not yet saved")
})

test("where not all are grades they are called changes", async () => {
  const {outbox, clock} = made((batch) => {
    if (batch[0].kind === "grade") { throw failure(503) }
    return {written: [], refused: {b: "Somebody has moved it."}}
  })
  outbox.add([{uuid: "b", kind: "stage"}])
  await settle()
  assert.equal(refusedText(outbox.refused), "1 change was not taken: Somebody has moved it.")
  outbox.add(events("a"))
  await clock.pass(2000)
  assert.equal(unsavedText(outbox), "1 grade not yet saved")
  outbox.add([{uuid: "c", kind: "note"}])
  assert.equal(unsavedText(outbox), "2 changes not yet saved")
  outbox.close()
})
