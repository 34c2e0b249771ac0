// Zoom and pan: places of the image and of the frame.

import assert from "node:assert/strict"
import {test} from "node:test"

import {Camera} from "../../../app/viewer/camera.js"

const made = () => new Camera({style: {setProperty() {}}}, () => {})
const near = (one, other) => {
  for (const axis of ["x", "y"]) { assert.ok(Math.abs(one[axis] - other[axis]) < 1e-12, `${axis}: ${one[axis]}`) }
}

test("places go to the frame and back", () => {
  const camera = made()
  camera.zoomBy(3, {x: 0.2, y: 0.9})
  camera.panBy(0.05, -0.1)
  near(camera.toFrame(camera.toImage({x: 0.3, y: 0.7})), {x: 0.3, y: 0.7})
})

test("the place that is zoomed about stays where it is", () => {
  const camera = made()
  camera.zoomBy(2)
  const at = {x: 0.25, y: 0.6}
  const before = camera.toImage(at)
  camera.zoomBy(1.7, at)
  near(camera.toImage(at), before)
})

test("a pan moves by a part of what is seen", () => {
  const camera = made()
  camera.zoomBy(4)
  const before = camera.toImage({x: 0.5, y: 0.5})
  camera.panBy(0.2, -0.4)
  near(camera.toImage({x: 0.5, y: 0.5}), {x: before.x + 0.05, y: before.y - 0.1})
})

test("no zoom is below the whole image or above 64, and no pan leaves the image", () => {
  const camera = made()
  camera.zoomBy(0.1)
  assert.equal(camera.zoom, 1)
  camera.panBy(5, 5)
  near(camera, {x: 0.5, y: 0.5})
  camera.zoomBy(1e6)
  assert.equal(camera.zoom, 64)
  camera.panBy(1e3, -1e3)
  near(camera.toImage({x: 1, y: 0}), {x: 1, y: 0})
})
