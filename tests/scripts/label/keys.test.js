// Keys of the labeling view: no key does two things, whatever the scheme and the hand.

import assert from "node:assert/strict"
import {test} from "node:test"

import {keySections} from "../../../app/label/keys.js"
import {labelKeys} from "../../../app/widgets/grade_keys.js"

const schemeOf = (keys, continuous = false) => ({grades: keys.map((key) => ({key, title: key})), continuous})
const SCHEMES = {
  letters: schemeOf(["A", "B", "C", "X"]),
  initials: schemeOf(["lens", "maybe", "none"]),
  clashing: schemeOf(["sure", "so-so", "no"]),
  numbers: schemeOf(["3", "2", "1", "0"]),
  taken: schemeOf(["U", "N", "Q", "E", "Y"]), // keys that the view has by itself
}

for (const [name, scheme] of Object.entries(SCHEMES)) {
  for (const hand of ["own", "left", "right"]) {
    test(`${name}, ${hand}: no key twice`, () => {
      const keys = Object.values(labelKeys(scheme, hand)).filter(Boolean)
      assert.equal(new Set(keys).size, keys.length, keys.join(" "))
      for (const {key} of scheme.grades) { assert.ok(labelKeys(scheme, hand)[`grade:${key}`]) }
    })
  }
}

test("grades have their letters, their initials, or numbers from the best down", () => {
  assert.equal(labelKeys(SCHEMES.letters, "own")["grade:X"], "x")
  assert.equal(labelKeys(SCHEMES.initials, "own")["grade:maybe"], "m")
  assert.equal(labelKeys(SCHEMES.clashing, "own")["grade:sure"], "3")
})

test("own choices come before the preset", () => {
  assert.equal(labelKeys(SCHEMES.letters, "left", {undo: "#"}).undo, "#")
})

test("the viewer's letters that are taken work with Shift", () => {
  const viewer = [{title: "Image", keys: [
    {keys: ["a"], action: "one", text: ""}, {keys: ["k", "b"], action: "two", text: ""},
    {keys: ["w"], action: "three", text: ""}]}]
  const [image] = keySections(SCHEMES.letters, labelKeys(SCHEMES.letters, "own"), viewer).slice(-1)
  assert.deepEqual(image.keys.map(({keys}) => keys), [["A"], ["k"], ["w"]])
})

test("a letter yields no key to another action", () => {
  const viewer = [{title: "Image", keys: [
    {keys: ["a"], action: "one", text: ""}, {keys: ["A", "k"], action: "two", text: ""}]}]
  const [image] = keySections(SCHEMES.letters, labelKeys(SCHEMES.letters, "own"), viewer).slice(-1)
  assert.deepEqual(image.keys.map(({action, keys}) => [action, keys]), [["two", ["A", "k"]]])
})
