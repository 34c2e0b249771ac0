"""Pages looked at by axe-core, and in narrow windows, through all shadow roots."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Page

_AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"

# Rules that depend on colors alone.
COLORS = ("color-contrast", "link-in-text-block")

_RUN = """async (rules) => {
  const asked = {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}
  if (rules.length) { Object.assign(asked, {runOnly: {type: "rule", values: rules}, rules: {}}) }
  const {violations} = await axe.run(document, asked)
  return violations.flatMap(({id, impact, help, nodes}) => nodes.map((node) =>
    `${id} (${impact}): ${help}: ${node.target.flat().join(" ")}: ${node.html.slice(0, 160)}: `
    + node.any.concat(node.all, node.none).map(({message}) => message).join("; ")))
}"""

# What is wider than its window, and what is cut off by a part that does not scroll.
_OVERFLOWS = """() => {
  const parentOf = (node) =>
    node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null
  const faults = []
  const name = (node) => `${node.tagName.toLowerCase()}.${[...node.classList].join(".")} `
    + `"${(node.ariaLabel ?? node.textContent ?? "").trim().slice(0, 40)}"`
  function cutBy(node) {
    let box = node.getBoundingClientRect()
    for (let at = node; at !== null; at = parentOf(at)) {
      const style = getComputedStyle(at)
      if (style.clipPath !== "none") { return null } // for screen readers
      if (style.textOverflow === "ellipsis") { box = at.getBoundingClientRect() }
      if (at !== node && style.overflowX !== "visible") {
        const around = at.getBoundingClientRect()
        if (style.overflowX === "auto" || style.overflowX === "scroll") {
          return at.matches(".main-content, html, body") && box.right > around.right + 1 ? at : null
        }
        if (box.right > around.right + 1 || box.left < around.left - 1) { return at }
      }
      if (style.position === "fixed") { break }
    }
    return box.right > innerWidth + 1 ? document.documentElement : null
  }
  function search(root) {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) { search(node.shadowRoot) }
      const speaks = node.matches("button, a, input, select, textarea, summary, img, canvas")
        || [...node.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.data.trim())
      const seen = node.checkVisibility({visibilityProperty: true})
      if (!speaks || !seen || node.closest("svg, legend, .MuiSelect-nativeInput")) { continue }
      const by = cutBy(node)
      if (by !== null) { faults.push(`${name(node)} is cut off by ${name(by)}`) }
    }
  }
  search(document.body)
  for (const node of [document.scrollingElement, document.querySelector(".main-content")]) {
    if (node !== null && node.scrollWidth > node.clientWidth + 1) {
      faults.push(`${name(node)} scrolls sideways: ${node.scrollWidth} > ${node.clientWidth}`)
    }
  }
  return faults
}"""


@cache
def _script() -> str:
    if not _AXE.exists():
        pytest.fail("axe-core is missing: npm ci (make test does it) brings it into node_modules.")
    return _AXE.read_text(encoding="utf-8")


def violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe-core finds on the page as it stands: rule, impact, element and why.

    Parameters
    ----------
    rules : sequence of str, optional
        Only these; all that are on by default and the size of targets where there are none.
    """
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(_script())
    return page.evaluate(_RUN, list(rules))


def overflows(page: Page, width: int, height: int) -> list[str]:
    """What does not fit into a window of that size."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(120)
    return page.evaluate(_OVERFLOWS)
