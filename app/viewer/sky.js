// From pixels to the sky and to fluxes, for the readout.

import { MISSING } from "../widgets/dom.js"

export const RADIANS_PER_DEG = Math.PI / 180
const NJY_ZERO_POINT_MAG = 31.4 // AB magnitude of 1 nJy

// The tangent plane of a cutout. `sky` is what the server knows: ra_deg and dec_deg of the pixel x, y
// (from 0, y upwards), north_deg, the direction of north from the y axis towards the x axis, and
// matrix, east and north (rows) in arcsec of a step of a pixel in x and y (columns); null is unknown.
export class SkyPlane {
  constructor(sky, scaleArcsec) {
    this.sky = sky ?? {}
    this.scale = scaleArcsec
  }

  get isOriented() { return typeof this.sky.north_deg === "number" }

  get hasPosition() { return typeof this.sky.ra_deg === "number" && this.isOriented }

  // Offsets in arcsec to the east and to the north between two pixels; null where north is unknown.
  offset(from, to) {
    if (!this.isOriented) { return null }
    if (this.sky.matrix) {
      const [[xEast, yEast], [xNorth, yNorth]] = this.sky.matrix
      const [x, y] = [to.x - from.x, to.y - from.y]
      return {east: xEast * x + yEast * y, north: xNorth * x + yNorth * y}
    }
    const [dx, dy] = [(to.x - from.x) * this.scale, (to.y - from.y) * this.scale]
    const turn = this.sky.north_deg * RADIANS_PER_DEG
    const handed = this.sky.is_mirrored ? -1 : 1
    return {
      east: handed * (-dx * Math.cos(turn) + dy * Math.sin(turn)),
      north: dx * Math.sin(turn) + dy * Math.cos(turn),
    }
  }

  // Right ascension and declination in degrees of a pixel, by the tangent projection about the
  // object's position (Calabretta & Greisen 2002, A&A 395, 1077).
  radec(pixel) {
    if (!this.hasPosition) { return null }
    const {east, north} = this.offset(this.sky, pixel)
    const [xi, eta] = [(east / 3600) * RADIANS_PER_DEG, (north / 3600) * RADIANS_PER_DEG]
    const [ra0, dec0] = [this.sky.ra_deg * RADIANS_PER_DEG, this.sky.dec_deg * RADIANS_PER_DEG]
    const below = Math.cos(dec0) - eta * Math.sin(dec0)
    const ra = ra0 + Math.atan2(xi, below)
    const dec = Math.atan2(Math.sin(dec0) + eta * Math.cos(dec0), Math.hypot(xi, below))
    return {ra: (((ra / RADIANS_PER_DEG) % 360) + 360) % 360, dec: dec / RADIANS_PER_DEG}
  }

  // Why there is no position under the cursor.
  get missing() {
    if (typeof this.sky.ra_deg !== "number") { return "the catalog has no position" }
    return "no WCS, north unknown"
  }
}

// Length in arcsec and position angle (degrees east of north; null where north is unknown).
export function separation(plane, from, to) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) * plane.scale
  const offset = plane.offset(from, to)
  if (offset === null) { return {length, angle: null} }
  return {length: Math.hypot(offset.east, offset.north), angle: (Math.atan2(offset.east, offset.north) / RADIANS_PER_DEG + 360) % 360}
}

// A pixel value in nJy and its surface brightness in AB mag/arcsec²; null where that says nothing.
export function calibrate(value, zeroPointMag, scaleArcsec) {
  if (!Number.isFinite(value) || typeof zeroPointMag !== "number") { return {njy: null, mu: null} }
  return {
    njy: value * 10 ** (0.4 * (NJY_ZERO_POINT_MAG - zeroPointMag)),
    mu: value > 0 ? zeroPointMag - 2.5 * Math.log10(value / scaleArcsec ** 2) : null,
  }
}

// Sexagesimal hours (of an angle / 15) or degrees, rounded once so that no 60.0 is ever written.
function sexagesimal(value, digits, sign) {
  const unit = 10 ** digits
  let rest = Math.round(Math.abs(value) * 3600 * unit)
  const seconds = (rest % (60 * unit)) / unit
  rest = Math.floor(rest / (60 * unit))
  const width = digits ? 3 + digits : 2
  const parts = [Math.floor(rest / 60), rest % 60].map((part) => String(part).padStart(2, "0"))
  return `${sign ? (value < 0 ? "−" : "+") : ""}${parts.join(":")}:${seconds.toFixed(digits).padStart(width, "0")}`
}

export function formatRaDec({ra, dec}) {
  const hours = sexagesimal((Math.round((ra / 15) * 3.6e6) / 3.6e6) % 24, 3, false)
  return {
    sexagesimal: `${hours} ${sexagesimal(dec, 2, true)}`,
    degrees: `${ra.toFixed(6)} ${dec < 0 ? "−" : "+"}${Math.abs(dec).toFixed(6)}`,
  }
}

// A few significant digits, without a needless exponent.
export function formatValue(value, digits = 4) {
  if (value === null || Number.isNaN(value)) { return MISSING }
  const size = Math.abs(value)
  const text = size !== 0 && (size < 0.001 || size >= 1e6)
    ? value.toExponential(2) : String(Number(value.toPrecision(digits)))
  return text.replace("-", "−")
}
