// Light or dark: as preferred, as the system, or as the page was left.

import assert from "node:assert/strict"
import test from "node:test"

import { ThemeChoice } from "../../../app/theme_choice.js"

function choice(given) {
  const asked = [], kept = []
  const made = new ThemeChoice({theme: "", dark: false, left: false, system: {matches: false},
    ask: (dark) => asked.push(dark), keep: (theme) => kept.push(theme), ...given})
  return {made, asked, kept}
}

test("a browser that was never here shows what the system has; one that was, how it was left", () => {
  assert.deepEqual(choice({system: {matches: true}}).asked, [true])
  assert.deepEqual(choice({system: {matches: true}, left: true}).asked, [])
  assert.deepEqual(choice({theme: "dark", left: true}).asked, [true])
  assert.deepEqual(choice({theme: "light", system: {matches: true}}).asked, [])
})

test("the page follows the system while it is open, and what is preferred on Settings", () => {
  const system = {matches: false}
  const {made, asked} = choice({theme: "system", system})
  system.matches = true
  made.follow()
  made.turned(true)
  made.prefer("light")
  assert.deepEqual(asked, [true, false])
})

test("the button of the page is a choice where one is kept, and an answer to a question is none", () => {
  const {made, kept} = choice({theme: "system", system: {matches: true}})
  made.turned(true) // as asked
  made.turned(false) // by the button
  assert.deepEqual(kept, ["light"])
  assert.equal(made.wanted, false)
  const left = choice({left: true})
  left.made.turned(true)
  assert.deepEqual(left.kept, []) // the cookie has it
})
