// One picture on a canvas; what happens to it (zoom, inversion) is a matter of style.

import { h } from "../widgets/dom.js"

const SPINNER_AFTER_MS = 150

// A canvas that shows one picture of the pool, or says why it cannot.
export class Frame {
  constructor(...overlays) {
    this.canvas = h("canvas", {width: 1, height: 1, "aria-hidden": "true"})
    this.context = this.canvas.getContext("2d", {willReadFrequently: true})
    this.message = h("span", {className: "frame-message"})
    this.node = h("div", {className: "frame"}, this.canvas, this.message, ...overlays)
    this.url = null
    this.timer = null
    this.missing = 0 // fraction of the pixels shown that have no data
  }

  // Draw the picture of `url`, its gray levels in the colors of `palette` if there is one; resolves
  // to whether it is (still) the one shown.
  async show(pool, url, palette = null) {
    this.url = url
    let entry = pool.load(url)
    if (entry.state === "loading") {
      this.clear()
      this.timer = setTimeout(() => { this.say("loading", "") }, SPINNER_AFTER_MS)
      entry = await entry.ready
      if (this.url !== url) { return false }
    }
    this.clear()
    if (entry.state === "failed") {
      this.say("failed", "This picture could not be loaded")
      return true
    }
    const {image} = entry
    this.canvas.width = image.naturalWidth
    this.canvas.height = image.naturalHeight
    this.context.drawImage(image, 0, 0)
    if (palette !== null) { recolor(this.context, palette) }
    this.missing = entry.missing
    this.say(entry.missing === 1 ? "empty" : "shown", entry.missing === 1 ? "no data" : "")
    return true
  }

  clear() {
    clearTimeout(this.timer)
    const {width, height} = this.canvas
    this.context.clearRect(0, 0, width, height)
    this.missing = 0
    this.say("", "")
  }

  say(state, text) {
    this.node.dataset.state = state
    this.message.textContent = text
  }
}

// Replace the gray levels of a canvas by the colors of a palette of 256.
function recolor(context, palette) {
  const {width, height} = context.canvas
  const pixels = context.getImageData(0, 0, width, height)
  const {data} = pixels
  for (let k = 0; k < data.length; k += 4) {
    const at = 3 * data[k]
    data[k] = palette[at]
    data[k + 1] = palette[at + 1]
    data[k + 2] = palette[at + 2]
  }
  context.putImageData(pixels, 0, 0)
}

// Palettes as the server sends them (256 colors, "rrggbb" in one string) as arrays of bytes.
export function readPalettes(palettes) {
  return new Map(Object.entries(palettes).map(([name, hex]) => [
    name, Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16)),
  ]))
}
