// The numbers under the cursor: place, position on the sky, and the value of every band.

import { h } from "../widgets/dom.js"
import { formatRaDec, separation } from "./sky.js"

const PIXEL_BYTES_KEPT = 64 * 2 ** 20

// Pixel values of cutouts, (band, y, x), fetched once each.
export class PixelPool {
  constructor() { this.entries = new Map() }

  load(url) {
    let entry = this.entries.get(url)
    if (entry === undefined) {
      entry = {values: null, bytes: 0}
      entry.ready = this.fetch(url, entry)
    }
    this.entries.delete(url)
    this.entries.set(url, entry)
    return entry
  }

  async fetch(url, entry) {
    try {
      const answer = await fetch(url)
      if (!answer.ok) { throw new Error(await answer.text()) }
      const buffer = await answer.arrayBuffer()
      entry.values = new Float32Array(buffer)
      entry.bytes = buffer.byteLength
      this.evict()
    } catch {
      this.entries.delete(url) // asked for again at the next move
    }
    return entry
  }

  evict() {
    let bytes = [...this.entries.values()].reduce((sum, entry) => sum + entry.bytes, 0)
    for (const [url, entry] of this.entries) {
      if (bytes <= PIXEL_BYTES_KEPT) { return }
      bytes -= entry.bytes
      if (entry.bytes) { this.entries.delete(url) }
    }
  }
}

export class Readout {
  constructor() {
    this.place = h("span", {})
    this.sky = h("span", {})
    this.value = h("span", {})
    this.node = h("div", {className: "readout", "aria-label": "Values under the cursor"},
      h("div", {}, this.place), h("div", {}, this.sky), h("div", {}, this.value))
    this.rest()
  }

  rest(text = "Point at a picture for pixel values and sky position") {
    this.place.textContent = text
    this.node.classList.add("faint")
    this.sky.textContent = this.value.textContent = ""
  }

  // `pixel` as in FITS: the middle of the first pixel is 1, 1. `from`: the object's own pixel.
  show(pixel, plane, from) {
    this.node.classList.remove("faint")
    const {length, angle} = separation(plane, from, {x: pixel.x - 1, y: pixel.y - 1})
    const turned = angle === null ? "" : ` PA ${angle.toFixed(0)}°`
    this.place.replaceChildren(
      h("span", {title: "Pixel of the cutout, as in FITS: the first has its middle at 1, 1"},
        `x ${pixel.x.toFixed(1)}  y ${pixel.y.toFixed(1)}`),
      h("span", {title: "Distance from the object, and position angle east of north"},
        `r ${length.toFixed(2)}″${turned}`))
    const radec = plane.radec({x: pixel.x - 1, y: pixel.y - 1})
    if (radec === null) {
      const offset = plane.offset(from, {x: pixel.x - 1, y: pixel.y - 1})
      this.sky.textContent = offset === null
        ? `No RA, Dec (${plane.missing})`
        : `Δα cos δ ${signedArcsec(offset.east)}″  Δδ ${signedArcsec(offset.north)}″ (${plane.missing})`
      return
    }
    const {sexagesimal: text, degrees} = formatRaDec(radec)
    this.sky.replaceChildren(
      h("span", {title: "Right ascension, declination (ICRS), sexagesimal"}, text),
      h("span", {title: "Right ascension, declination (ICRS), degrees"}, degrees))
  }

  // The value of the band under the cursor, in every unit that it has.
  showValue(text) { this.value.textContent = text }
}

const signedArcsec = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`
