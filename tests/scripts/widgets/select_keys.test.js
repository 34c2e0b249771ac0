import assert from "node:assert/strict"
import { test } from "node:test"

import { chooserOf } from "../../../app/widgets/select_keys.js"

function chooser(attributes = {}) {
  return {
    matches: (selector) => selector === ".MuiSelect-select[role=combobox]",
    getAttribute: (name) => attributes[name] ?? null,
  }
}

function press(key, at, more = {}) {
  return {key, composedPath: () => [at], ...more}
}

test("Enter, Space and the arrows open a closed chooser", () => {
  const at = chooser({"aria-expanded": "false"})
  for (const key of ["Enter", " ", "ArrowDown", "ArrowUp"]) {
    assert.equal(chooserOf(press(key, at)), at)
  }
})

test("Other keys, other places, open and disabled choosers are left alone", () => {
  assert.equal(chooserOf(press("a", chooser())), null)
  assert.equal(chooserOf(press("Enter", chooser(), {ctrlKey: true})), null)
  assert.equal(chooserOf(press("Enter", {matches: () => false})), null)
  assert.equal(chooserOf(press("Enter", {})), null) // the document itself
  assert.equal(chooserOf(press("Enter", chooser({"aria-expanded": "true"}))), null)
  assert.equal(chooserOf(press("Enter", chooser({"aria-disabled": "true"}))), null)
})
