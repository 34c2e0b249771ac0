// What is drawn over pictures: scale, compass, PSF, cursor, and what the user measures.

import { h } from "../widgets/dom.js"
import { RADIANS_PER_DEG } from "./sky.js"

const BAR_LENGTHS_ARCSEC = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600]
const overlayAt = (fraction) => `${(100 * fraction).toFixed(3)}%`

// An SVG over one frame. `isLarge`: with scale bar, compass, PSF and the numbers of what is measured.
export class Overlay {
  constructor(isLarge) {
    this.isLarge = isLarge
    this.node = h("svg", {class: "overlay", "aria-hidden": "true"})
  }

  // How much larger, in fractions of a small frame, things must be that stay readable.
  get spread() { return Math.min(2.2, Math.max(1, 300 / (this.node.clientWidth || 300))) }

  // `scene`: camera, sizeArcsec, plane, psfArcsec, cursor, crosshair, decorations, marks, model.
  render(scene) {
    const parts = []
    if (scene.decorations && this.isLarge) {
      parts.push(...scaleBar(scene), ...compass(scene.plane, this.spread), ...psfDisc(scene))
    }
    if (scene.model) { parts.push(...drawModel(scene)) }
    for (const mark of scene.marks) { parts.push(...drawMark(scene, mark, this.isLarge)) }
    if (scene.cursor !== null) { parts.push(...drawCursor(scene)) }
    this.node.replaceChildren(...parts)
  }
}

function overlayLine(from, to, className) {
  return h("line", {x1: overlayAt(from.x), y1: overlayAt(from.y), x2: overlayAt(to.x), y2: overlayAt(to.y),
    class: className})
}

function overlayText(at, text, className = "note") {
  return h("text", {x: overlayAt(at.x), y: overlayAt(at.y), class: className}, text)
}

function scaleBar({camera, sizeArcsec}) {
  const seen = sizeArcsec / camera.zoom
  const length = BAR_LENGTHS_ARCSEC.filter((one) => one <= 0.3 * seen).at(-1)
  if (length === undefined) { return [] }
  const left = 0.03
  return [
    overlayLine({x: left, y: 0.97}, {x: left + length / seen, y: 0.97}, "bar"),
    overlayText({x: left, y: 0.955}, `${length}″`, "note start"),
  ]
}

// Arrows to the north and east, of any direction and handedness.
function compass(plane, spread) {
  if (!plane.isOriented) { return [] }
  const turn = plane.sky.north_deg * RADIANS_PER_DEG
  const handed = plane.sky.is_mirrored ? -1 : 1
  // On the screen y runs down.
  const north = {x: Math.sin(turn), y: -Math.cos(turn)}
  const east = {x: -handed * Math.cos(turn), y: -handed * Math.sin(turn)}
  const reach = 0.028 * spread
  const middle = {
    x: 1 - 0.09 * spread - reach * (north.x + east.x), y: 0.09 * spread - reach * (north.y + east.y)}
  const tip = (way, length) =>
    ({x: middle.x + length * spread * way.x, y: middle.y + length * spread * way.y})
  return [[north, "N"], [east, "E"]].flatMap(([way, letter]) => [
    overlayLine(middle, tip(way, 0.062), "arrow"),
    overlayText(tip(way, 0.083), letter, "note centered"),
  ])
}

function psfDisc({camera, sizeArcsec, psfArcsec}) {
  if (psfArcsec === null) { return [] }
  const radius = (0.5 * psfArcsec * camera.zoom) / sizeArcsec
  if (radius > 0.2) { return [] } // it would hide what it is there to explain
  const at = {x: 0.97 - Math.max(radius, 0.01), y: 0.97 - Math.max(radius, 0.01)}
  return [
    h("circle", {cx: overlayAt(at.x), cy: overlayAt(at.y), r: overlayAt(radius), class: "psf"}),
    overlayText({x: at.x - Math.max(radius, 0.01) - 0.015, y: 0.965}, `PSF ${psfArcsec.toFixed(2)}″`, "note end"),
  ]
}

function drawCursor({camera, cursor, crosshair}) {
  const at = camera.toFrame(cursor)
  if (crosshair) {
    return [overlayLine({x: 0, y: at.y}, {x: 1, y: at.y}, "cross"), overlayLine({x: at.x, y: 0}, {x: at.x, y: 1}, "cross")]
  }
  return [h("circle", {cx: overlayAt(at.x), cy: overlayAt(at.y), r: 3, class: "spot"})]
}

// Critical curves and images of a lens model.
function drawModel({camera, sizeArcsec, model}) {
  const place = ([x, y]) => camera.toFrame({x: 0.5 + x / sizeArcsec, y: 0.5 - y / sizeArcsec})
  const path = model.curves.map((points) => points.map((point, k) => {
    const {x, y} = place(point)
    return `${k ? "L" : "M"}${x.toFixed(4)} ${y.toFixed(4)}`
  }).join("")).join("")
  return [
    h("svg", {viewBox: "0 0 1 1", preserveAspectRatio: "none", width: "100%", height: "100%", x: 0, y: 0, overflow: "hidden"},
      h("path", {d: path, class: "critical"})),
    ...model.points.map((point) => {
      const {x, y} = place(point)
      return h("circle", {cx: overlayAt(x), cy: overlayAt(y), r: 5, class: "model-image"})
    }),
  ]
}

// A ruler (from, to) or a circle (about `from`, through `to`), places of the image.
function drawMark({camera, measure}, mark, isLarge) {
  const [from, to] = [camera.toFrame(mark.from), camera.toFrame(mark.to)]
  const parts = []
  if (mark.kind === "ruler") {
    parts.push(overlayLine(from, to, "mark"))
  } else {
    const radius = Math.hypot(to.x - from.x, to.y - from.y)
    parts.push(h("circle", {cx: overlayAt(from.x), cy: overlayAt(from.y), r: overlayAt(radius), class: "mark"}))
  }
  parts.push(h("circle", {cx: overlayAt(from.x), cy: overlayAt(from.y), r: 2, class: "mark-end"}))
  if (isLarge) {
    const right = to.x < 0.7
    const at = {x: to.x + (right ? 0.015 : -0.015), y: Math.min(0.95, Math.max(0.05, to.y))}
    parts.push(overlayText(at, measure(mark), right ? "note start" : "note end"))
  }
  return parts
}
