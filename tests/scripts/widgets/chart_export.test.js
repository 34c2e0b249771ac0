import assert from "node:assert/strict"
import test from "node:test"

import { csvOf, fileName } from "../../../app/widgets/chart_export.js"
import { renamed } from "../../../app/widgets/chart_menu.js"
import { onWhite } from "../../../app/widgets/chart_svg.js"
import { chartColumns } from "../../../app/review/chart_columns.js"
import { SvgPen } from "../../../app/widgets/svg_pen.js"

test("columns become lines, what is not known an empty cell", () => {
  const columns = {fpr: Float64Array.of(0.01, 0.1), recall: [0.5, NaN], bin: ["a, b", "=1+1"]}
  assert.equal(csvOf([{name: "", columns}]), 'fpr,recall,bin\n0.01,0.5,"a, b"\n0.1,,\'=1+1\n')
})

test("numbers below zero are no formulas", () => {
  assert.equal(csvOf([{name: "", columns: {logit: [-2.5]}}]), "logit\n-2.5\n")
  assert.equal(csvOf([{name: "", columns: {logit: Float32Array.of(-2.1)}}]), "logit\n-2.1\n")
})

test("several series are told apart by the first column", () => {
  const series = [{name: "lenses", columns: {left: [1], top: [2]}}, {name: "others", columns: {left: [3]}}]
  assert.equal(csvOf(series), "series,left,top\nlenses,1,2\nothers,3,\n")
})

test("files have plain names", () => {
  assert.equal(fileName("Einstein radius (arcsec)", "svg"), "einstein-radius-arcsec.svg")
  assert.equal(fileName("…", "csv"), "chart.csv")
})

test("only columns that have a name for files are saved", () => {
  assert.deepEqual(renamed({hours: [2], bottom: [0.6]}, {hours: "review (hours)", found: "lenses_found"}), {"review (hours)": [2]})
})

test("colors of a dark page are told on white", () => {
  assert.deepEqual(onWhite([59, 130, 214]), [59, 130, 214]) // data are as they were
  assert.deepEqual(onWhite([224, 224, 224]), [31, 31, 31])
  assert.deepEqual(onWhite([118, 179, 245]), [10, 71, 137]) // pale blue turns dark blue
})

test("a pen writes what a canvas draws", () => {
  const pen = new SvgPen(100, 50)
  pen.save()
  pen.beginPath()
  pen.rect(10, 5, 80, 40)
  pen.clip()
  pen.beginPath()
  pen.lineTo(0, 0)
  pen.lineTo(10.123, 5)
  pen.closePath()
  pen.stroke()
  pen.globalAlpha = 0.5
  pen.beginPath()
  pen.arc(20, 20, 3, 0, 2 * Math.PI)
  pen.fill()
  pen.restore()
  pen.save()
  pen.translate(12, 25)
  pen.rotate(-Math.PI / 2)
  pen.restore()
  pen.textAlign = "right"
  pen.fillText("a < b & c", 5, 6)
  const text = String(pen)
  assert.match(text, /<path d="M0 0L10.12 5Z" fill="none"/)
  assert.match(text, /M17 20a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z" fill="#000" opacity="0.5"/)
  assert.match(text, /text-anchor="end".*>a &lt; b &amp; c<\/text>/)
  assert.match(text, /<g transform="translate\(12 25\)">\n<g transform="rotate\(-90\)">/)
  assert.equal(text.split("<g").length, text.split("</g>").length)
  assert.ok(text.indexOf("</g>") < text.indexOf("<text"))
})

test("bars, points and densities become columns", () => {
  const bars = chartColumns({counts: [3, 4], edges: [-1, 0, 1], probabilities: [0.27, 0.5, 0.73]})
  assert.deepEqual(bars, {probability_from: [0.27, 0.5], probability_to: [0.5, 0.73], logit_from: [-1, 0],
    logit_to: [0, 1], candidates: [3, 4]})
  const points = chartColumns({kind: "uncertainty", x: [1], y: [2], p: [0.5]})
  assert.deepEqual(points, {logit: [1], epistemic_nat: [2], probability: [0.5]})
  const counts = btoa(String.fromCharCode(...new Uint8Array(Uint16Array.of(0, 5, 7, 0).buffer)))
  const cells = chartColumns({kind: "embedding", grid: {shape: [2, 2], counts}, extent: [0, 4, 0, 8]})
  assert.deepEqual(cells, {first_direction: [3, 1], second_direction: [2, 6], candidates: [5, 7]})
  const position = {ra_deg: [150.1], dec_deg: [2.2]}
  assert.deepEqual(chartColumns({kind: "sky", x: [1], y: [2], p: [0.5], position}), {...position, probability: [0.5]})
})
