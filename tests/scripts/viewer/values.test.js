// Pixel values in words: fluxes by the AB zero point, units of the noise, levels of pictures.

import assert from "node:assert/strict"
import {test} from "node:test"

import {describeValue, pictureCaption, unitNote} from "../../../app/viewer/values.js"

const CALIBRATED = {rendered: false, snr: false, scale: 0.2, info: {zero_point_mag: {i: 27}, sky_sigma: {i: 0.02}}}

test("a value has its flux and its surface brightness", () => {
  const {short, brightness, long} = describeValue("i", 1, CALIBRATED)
  assert.equal(short, "57.54 nJy") // 10^(0.4 (31.4 - 27))
  assert.equal(brightness, "23.51 m/″²") // 27 + 5 log10 0.2
  assert.equal(long, "i: 1 (ZP 27.00) · 57.54 nJy · 23.51 mag/″² · σ 0.02")
})

test("a band without a zero point has counts alone", () => {
  assert.deepEqual(describeValue("z", 2.5, CALIBRATED), {short: "2.5", brightness: "", long: "z: 2.5 (no ZP)"})
})

test("negative light has a flux and no magnitude", () => {
  const {brightness, long} = describeValue("i", -1, CALIBRATED)
  assert.equal(brightness, "")
  assert.match(long, /−57.54 nJy/)
})

test("missing pixels, noise units and pictures are named", () => {
  assert.equal(describeValue("i", NaN, CALIBRATED).long, "i: no data")
  const inNoise = {...CALIBRATED, snr: true, info: {noise_from: "variance"}}
  assert.equal(describeValue("i", 3.21, inNoise).long, "i: 3.21 σ. Values in σ of the variance map")
  assert.equal(describeValue("r", 200, {...CALIBRATED, rendered: true}).long, "r: level 200 of 255, no flux")
  assert.equal(unitNote({...CALIBRATED, rendered: true}), "8-bit picture: levels, no flux")
  assert.match(unitNote({...inNoise, info: undefined}), /there is no variance map/)
})

test("a caption says which bands and what was done to them", () => {
  const catalog = {bands: ["g", "r", "i"], rgb_bands: ["i", "r", "g"], rendered: false}
  assert.equal(pictureCaption(catalog, null, {}), "i r g")
  assert.match(pictureCaption(catalog, "g", {light: true, snr: true}), /^g · galaxy subtracted · S\/N$/)
  assert.match(pictureCaption({...catalog, rendered: true}, null, {}), /8-bit, no flux/)
})
