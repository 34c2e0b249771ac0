// Positions of pixels by the local matrix of a cutout, against values by astropy.

import assert from "node:assert/strict"
import {test} from "node:test"

import {SkyPlane, separation} from "../../../app/viewer/sky.js"

const SCALE = 0.25
// East and north in arcsec of a step in x and in y: turned by 30 degrees and not square.
const MATRIX = [[-0.2165, 0.125], [0.25, 0.433]]

test("the matrix counts, not the nominal scale and turn", () => {
  const plane = new SkyPlane(
    {ra_deg: 150, dec_deg: 60, x: 12, y: 20, north_deg: 0, is_mirrored: false, matrix: MATRIX}, SCALE)
  const offset = plane.offset({x: 12, y: 20}, {x: 22, y: 17})
  assert.ok(Math.abs(offset.east - (-2.165 - 0.375)) < 1e-12)
  assert.ok(Math.abs(offset.north - (2.5 - 1.299)) < 1e-12)
  const {ra, dec} = plane.radec({x: 22, y: 17})
  assert.ok(Math.abs((ra - 150) * Math.cos((60 * Math.PI) / 180) * 3600 - offset.east) < 1e-3)
  assert.ok(Math.abs((dec - 60) * 3600 - offset.north) < 1e-3)
  const {length} = separation(plane, {x: 12, y: 20}, {x: 22, y: 17})
  assert.ok(Math.abs(length - Math.hypot(offset.east, offset.north)) < 1e-12)
})

test("catalogs of older versions have no matrix: scale and turn count", () => {
  const plane = new SkyPlane(
    {ra_deg: 150, dec_deg: 2, north_deg: 0, is_mirrored: false, matrix: null}, SCALE)
  assert.deepEqual(plane.offset({x: 0, y: 0}, {x: 4, y: 8}), {east: -1, north: 2})
})
