// The way through a ranking of 250 rows in pages of 100, with answers that come when the test says so.

import assert from "node:assert/strict"
import {test} from "node:test"

import {RankingWalk} from "../../../app/review/walk.js"

const N = 250
const PAGE = 100
const row = (k) => ({id: k, cursor: [0, k]})

function pageOf(first) {
  const rows = Array.from({length: Math.max(0, Math.min(PAGE, N - first))}, (_, k) => row(first + k))
  return {rows, has_before: first > 0, has_after: first + rows.length < N, notices: []}
}

function answerTo(message) {
  if (message.after) { return pageOf(message.after[1] + 1) }
  if (message.before) { return pageOf(message.before[1] - PAGE) }
  return {...pageOf(0), first_rank: 1}
}

async function settle() { for (let k = 0; k < 20; k++) { await null } }

function made({slow = false, fail = () => null} = {}) {
  const asked = []
  const problems = []
  const pauses = []
  let wakeUp
  const open = slow ? new Promise((resolve) => { wakeUp = resolve }) : Promise.resolve()
  const walk = new RankingWalk({
    ask: async (message) => {
      asked.push(message)
      await open
      const error = fail(asked.length)
      if (error !== null) { throw error }
      return answerTo(message)
    },
    onPage: () => {}, onRow: () => {}, onState: () => {}, onProblem: (sentence) => problems.push(sentence),
    later: (action, ms) => { pauses.push(ms); queueMicrotask(action) },
  })
  walk.begin({}, {...pageOf(0), first_rank: 1})
  return {walk, asked, problems, pauses, wakeUp}
}

// Grade and go on, as the two keys do, `n` times without a pause.
function hammer(walk, n, graded) {
  for (let k = 0; k < n; k++) {
    walk.do(() => { if (!walk.past) { graded.push(walk.row.id) } })
    walk.do(() => walk.move(1))
  }
}

test("each candidate is graded once however late the next page comes", async () => {
  const {walk, wakeUp} = made({slow: true})
  const graded = []
  hammer(walk, N, graded)
  assert.equal(graded.length, PAGE) // the others wait for their page
  assert.equal(walk.held.length, 2 * (N - PAGE))
  wakeUp()
  await settle()
  assert.deepEqual(graded, Array.from({length: N}, (_, k) => k))
  assert.equal(walk.held.length, 0)
  assert.equal(walk.first, 201)
})

test("the next page is there before it is asked for, and is turned to at once", async () => {
  const {walk, asked} = made()
  await settle()
  assert.equal(asked.length, 1)
  const graded = []
  hammer(walk, PAGE + 1, graded)
  assert.equal(graded.at(-1), 100)
  assert.equal(walk.row.id, 101)
})

test("keys beyond the last candidate grade nobody", async () => {
  const {walk} = made()
  const graded = []
  hammer(walk, 100, graded)
  await settle()
  hammer(walk, 100, graded)
  await settle()
  hammer(walk, 90, graded)
  assert.equal(graded.length, N)
  assert.equal(walk.row.id, N - 1)
  assert.ok(walk.past)
  walk.move(-1) // back to the last one
  assert.equal(walk.row.id, N - 1)
  assert.ok(!walk.past)
})

test("while the server is away the page is asked for again, and keys wait", async () => {
  const gone = Object.assign(new Error("The server does not answer."), {passing: true})
  const {walk, problems, pauses} = made({fail: (n) => n < 5 ? gone : null})
  const graded = []
  hammer(walk, 120, graded)
  assert.equal(graded.length, PAGE)
  await settle()
  await settle()
  assert.deepEqual(graded, Array.from({length: 120}, (_, k) => k))
  assert.deepEqual(problems, [])
  assert.deepEqual(pauses, [300, 600, 1200, 2500])
})

test("a page that is refused is told, and the keys for it are forgotten", async () => {
  const {walk, problems} = made({fail: () => new Error("That makes no sense.")})
  const graded = []
  hammer(walk, 102, graded)
  await settle()
  assert.equal(graded.length, PAGE)
  assert.deepEqual(problems, ["That makes no sense."])
  assert.equal(walk.held.length, 0)
  walk.do(() => graded.push(walk.row.id)) // the row that is on the screen can be used
  assert.equal(graded.at(-1), 99)
})

test("Escape forgets the keys that wait", async () => {
  const {walk, wakeUp} = made({slow: true})
  const graded = []
  hammer(walk, 110, graded)
  walk.dropHeld()
  wakeUp()
  await settle()
  assert.equal(graded.length, PAGE)
  assert.equal(walk.row.id, 100) // the turn itself is made
})

test("back over the beginning of a page, to the last row of the one before", async () => {
  const {walk} = made()
  await settle()
  walk.turn(1)
  assert.equal(walk.row.id, 100)
  walk.move(-1)
  walk.do(() => walk.move(-1))
  await settle()
  assert.equal(walk.row.id, 98)
  assert.equal(walk.first, 1)
})

test("another list takes the place of a turn, and drops the keys that were for it", async () => {
  const {walk, wakeUp} = made({slow: true})
  const graded = []
  hammer(walk, 105, graded)
  walk.list({sort: "magnitude"})
  wakeUp()
  await settle()
  assert.equal(graded.length, PAGE)
  assert.equal(walk.row.id, 0)
  assert.equal(walk.query.sort, "magnitude")
})

test("of two lists that are asked for the later is shown, whichever comes first", async () => {
  const waits = []
  const walk = new RankingWalk({
    ask: (message) => new Promise((resolve) => waits.push([message, resolve])),
    onPage: () => {}, onRow: () => {}, onState: () => {}, onProblem: () => {}, later: () => {},
  })
  walk.begin({}, {rows: [], has_before: false, has_after: false})
  walk.list({name: "first"})
  walk.list({name: "second"})
  waits[1][1]({rows: [row(2)], has_before: false, has_after: false})
  await settle()
  waits[0][1]({rows: [row(1)], has_before: false, has_after: false})
  await settle()
  assert.equal(walk.row.id, 2)
})
