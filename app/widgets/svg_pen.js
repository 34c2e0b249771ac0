// A pen that writes SVG, with those methods of a canvas' 2D context that our charts use.

const NUMBER = (value) => Number(value.toFixed(2))

function escaped(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
}

export class SvgPen {
  constructor(width, height) {
    this.size = [width, height]
    this.parts = []
    this.clips = 0
    this.open = 0
    this.saved = []
    this.path = ""
    this.box = null
    this.fillStyle = "#000"
    this.strokeStyle = "#000"
    this.lineWidth = 1
    this.globalAlpha = 1
    this.textAlign = "left"
    this.font = "11px sans-serif"
    this.imageSmoothingEnabled = false
  }

  setTransform() {} // SVG has no pixels to be scaled to

  clearRect() {}

  save() { this.saved.push(this.open) }

  translate(x, y) { this.move(`translate(${NUMBER(x)} ${NUMBER(y)})`) }

  rotate(radians) { this.move(`rotate(${NUMBER(radians * 180 / Math.PI)})`) }

  move(transform) {
    this.open += 1
    this.parts.push(`<g transform="${transform}">`)
  }

  // Groups that a clip or a move has opened since are closed.
  restore() {
    const before = this.saved.pop() ?? 0
    while (this.open > before) {
      this.parts.push("</g>")
      this.open -= 1
    }
  }

  beginPath() {
    this.path = ""
    this.box = null
  }

  lineTo(x, y) { this.path += `${this.path ? "L" : "M"}${NUMBER(x)} ${NUMBER(y)}` }

  closePath() { this.path += "Z" }

  rect(x, y, width, height) { this.box = [x, y, width, height].map(NUMBER) }

  // A whole circle: charts draw no others.
  arc(x, y, radius) {
    const [r, left] = [NUMBER(radius), NUMBER(x - radius)]
    this.path += `M${left} ${NUMBER(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`
  }

  clip() {
    const [x, y, width, height] = this.box
    this.clips += 1
    this.open += 1
    this.parts.push(`<clipPath id="clip${this.clips}"><rect x="${x}" y="${y}" width="${width}" height="${height}"/></clipPath>`,
      `<g clip-path="url(#clip${this.clips})">`)
  }

  get alpha() { return this.globalAlpha === 1 ? "" : ` opacity="${NUMBER(this.globalAlpha)}"` }

  stroke() {
    this.parts.push(`<path d="${this.path}" fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${this.lineWidth}"${this.alpha}/>`)
  }

  fill() { this.parts.push(`<path d="${this.path}" fill="${escaped(this.fillStyle)}"${this.alpha}/>`) }

  fillRect(x, y, width, height) {
    this.parts.push(`<rect x="${NUMBER(x)}" y="${NUMBER(y)}" width="${NUMBER(width)}" height="${NUMBER(height)}" fill="${escaped(this.fillStyle)}"${this.alpha}/>`)
  }

  strokeRect(x, y, width, height) {
    this.parts.push(`<rect x="${NUMBER(x)}" y="${NUMBER(y)}" width="${NUMBER(width)}" height="${NUMBER(height)}" fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${this.lineWidth}"${this.alpha}/>`)
  }

  fillText(text, x, y) {
    const anchor = {left: "start", center: "middle", right: "end"}[this.textAlign] ?? "start"
    const [, size, family] = /^(\S+) (.*)$/.exec(this.font)
    this.parts.push(`<text x="${NUMBER(x)}" y="${NUMBER(y)}" text-anchor="${anchor}" fill="${escaped(this.fillStyle)}" font-size="${size}" font-family="${escaped(family)}">${escaped(text)}</text>`)
  }

  // `image`: anything that a canvas can draw; it is kept as PNG.
  drawImage(image, x, y, width, height) {
    const sheet = document.createElement("canvas")
    sheet.width = image.width
    sheet.height = image.height
    sheet.getContext("2d").drawImage(image, 0, 0)
    this.parts.push(`<image x="${NUMBER(x)}" y="${NUMBER(y)}" width="${NUMBER(width)}" height="${NUMBER(height)}" preserveAspectRatio="none" style="image-rendering: pixelated" href="${sheet.toDataURL("image/png")}"/>`)
  }

  toString() {
    const [width, height] = this.size
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${this.parts.join("\n")}</svg>\n`
  }
}
