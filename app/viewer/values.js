// What pictures and their pixel values are, in words.

import { calibrate, formatValue } from "./sky.js"
import { tripleOf } from "./tiles.js"

// A value in all units that it has.
//
// `units`: {rendered, snr, info, scale}: whether the catalog has 8-bit pictures, whether values are in
// units of the noise, its calibration (undefined before it has come), and arcsec a pixel.
export function describeValue(band, value, units) {
  const {rendered, snr, info, scale} = units
  const number = formatValue(value, snr ? 3 : 4)
  if (Number.isNaN(value)) { return {short: "no data", brightness: "", long: `${band}: no data`} }
  if (rendered) {
    return {short: number, brightness: "", long: `${band}: level ${number} of 255, no flux`}
  }
  if (snr) {
    return {short: `${number} σ`, brightness: "", long: `${band}: ${number} σ. ${noiseNote(info)}`}
  }
  const zeroPoint = info?.zero_point_mag?.[band]
  const {njy, mu} = calibrate(value, zeroPoint, scale)
  const sigma = info?.sky_sigma?.[band]
  const parts = [
    typeof zeroPoint === "number" ? `${number} (ZP ${zeroPoint.toFixed(2)})` : `${number} (no ZP)`,
    njy === null ? null : `${formatValue(njy)} nJy`,
    mu === null ? null : `${mu.toFixed(2)} mag/″²`,
    typeof sigma === "number" ? `σ ${formatValue(sigma, 3)}` : null,
  ]
  return {
    short: njy === null ? number : `${formatValue(njy)} nJy`,
    brightness: mu === null ? "" : `${mu.toFixed(2)} m/″²`,
    long: `${band}: ${parts.filter(Boolean).join(" · ")}`,
  }
}

// The units of the values that stand below the pictures.
export function unitNote({rendered, snr, info}) {
  if (rendered) { return "8-bit picture: levels, no flux" }
  return snr ? noiseNote(info) : "Below: nJy a pixel and AB mag/arcsec² by band"
}

function noiseNote(info) {
  return info?.noise_from === "variance"
    ? "Values in σ of the variance map" : "Values in σ of the sky: there is no variance map"
}

// What a picture shows: `band` null is the color picture.
export function pictureCaption(catalog, band, view) {
  if (catalog.rendered) { return `${band ?? "picture as imported"} · 8-bit, no flux` }
  const what = [
    view.light ? "galaxy subtracted" : null,
    view.snr ? "S/N" : null,
  ].filter(Boolean)
  const [red, green, blue] = tripleOf(catalog, view)
  const name = band ?? (red === blue ? red : `${red} ${green || "mean"} ${blue}`)
  return [name, ...what].join(" · ")
}
