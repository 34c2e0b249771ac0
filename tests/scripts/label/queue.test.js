// The queue of a labeling session and what a grader takes back, without a server.

import assert from "node:assert/strict"
import {afterEach, test} from "node:test"

import {LabelQueue} from "../../../app/label/queue.js"
import {Strokes} from "../../../app/label/strokes.js"

const item = (number) => ({token: `t${number}`, number})
const grade = (token, uuid) => ({kind: "grade", token, uuid, grade: "A"})
const open = []

function made({history = [], n = 4, left = n} = {}) {
  const items = Array.from({length: n}, (_, k) => item(history.length + k))
  const queue = new LabelQueue("s", {history, items, n_left: left, n_done: history.length}, () => {})
  open.push(queue)
  return queue
}

function answering(answers) {
  const asked = []
  globalThis.document = {baseURI: "http://127.0.0.1/"}
  globalThis.fetch = async (url) => {
    asked.push(String(url))
    return {ok: true, status: 200, headers: new Map(), json: async () => answers.shift(), text: async () => ""}
  }
  return asked
}

afterEach(() => { while (open.length) { open.pop().remove() } })

test("grading goes to the next cutout without a grade", () => {
  const queue = made()
  queue.say(queue.entries[1], grade("t1", "u1"))
  queue.say(queue.current, grade("t0", "u0"))
  queue.advance()
  assert.equal(queue.current.token, "t2")
  assert.equal(queue.nDone, 2)
  assert.deepEqual(queue.ahead(5).map(({token}) => token), ["t2", "t3"])
})

test("a grade that is changed counts once, and one taken back not at all", () => {
  const queue = made()
  queue.say(queue.current, grade("t0", "u0"))
  queue.say(queue.current, {...grade("t0", "u1"), grade: "B"})
  assert.equal(queue.nDone, 1)
  queue.say(queue.current, null)
  assert.equal(queue.nDone, 0)
})

test("another tab's grade counts, but not for the cutout on screen", () => {
  const queue = made()
  queue.hear({token: "t2", response: grade("t2", "u")})
  queue.hear({token: "t0", response: grade("t0", "v")})
  queue.hear({token: "unknown", response: grade("unknown", "w")})
  assert.deepEqual(queue.entries.map(({response}) => response !== null), [false, false, true, false])
})

test("moves stay within the list, and the front is the first open cutout", () => {
  const queue = made({history: [{...item(0), response: grade("t0", "u0")}]})
  queue.move(-5)
  assert.equal(queue.at, 0)
  queue.move(50)
  assert.equal(queue.current, undefined)
  queue.toFront()
  assert.equal(queue.current.token, "t1")
})

test("more cutouts are asked for after the last, and none comes twice", async () => {
  const asked = answering([{items: [item(3), item(4)]}, {items: []}])
  const queue = made({n: 4, left: 5})
  await queue.fetchMore()
  assert.match(asked[0], /labeling\/s\/queue\?after=3$/)
  assert.deepEqual(queue.entries.map(({token}) => token), ["t0", "t1", "t2", "t3", "t4"])
  await queue.fetchMore()
  assert.ok(queue.exhausted)
})

test("what was skipped comes again when it is offered", async () => {
  const queue = made({n: 2})
  queue.say(queue.entries[0], {kind: "skip", token: "t0", uuid: "u0"})
  assert.deepEqual(queue.skipped.map(({token}) => token), ["t0"])
  assert.equal(queue.ahead(5).length, 1)
  answering([{items: [item(0), item(7)]}])
  await queue.offerSkipped()
  assert.deepEqual(queue.entries.map(({token, again}) => [token, again]), [["t0", true], ["t1", false], ["t7", false]])
})

test("strokes are taken back from the latest on, and one event alone", () => {
  const strokes = new Strokes()
  const [one, two, three] = made().entries
  strokes.add([{entry: one, uuid: "u1", before: null}])
  strokes.add([{entry: two, uuid: "u2", before: null}, {entry: three, uuid: "u3", before: null}])
  strokes.forget("u2")
  assert.deepEqual(strokes.takeLast().map(({uuid}) => uuid), ["u3"])
  strokes.forget("u1")
  assert.equal(strokes.takeLast(), undefined)
})

test("grades of an earlier visit can be taken back, those on their way count", () => {
  const queue = made({history: [{...item(0), response: grade("t0", "u0")}], n: 3})
  const strokes = new Strokes()
  strokes.restore(queue, [
    grade("t1", "u1"),
    {kind: "undo", token: "t0", undoes: "u0", uuid: "u2"},
    {kind: "undo", token: "t2", undoes: "unknown", uuid: "u3"},
    grade("elsewhere", "u4"),
  ])
  assert.deepEqual(queue.entries.map(({response}) => response?.uuid ?? null), [null, "u1", null, null])
  assert.equal(queue.nDone, 1)
  assert.deepEqual(strokes.all.map(([{uuid}]) => uuid), ["u0", "u1"])
})
