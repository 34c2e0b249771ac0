// One chart on a canvas: bars of scores, or points and densities with zoom, lasso and box.

import { colorOnWhite, isDark } from "../widgets/chart_svg.js"
import { h } from "../widgets/dom.js"
import { SvgPen } from "../widgets/svg_pen.js"
import { AXES, interpolate, niceTicks, PROBABILITY_TICKS } from "./chart_axes.js"
import { unpack } from "./chart_columns.js"

const CHART_PAD = {left: 60, right: 10, top: 8, bottom: 42}
const CLICK_PX = 5
const REACH_PX = 9
const PAPER_PX = 420
const TICK_PX = 46 // room for the longest label, 0.0001, in any font

export class ChartCanvas {
  /**
   * @param {object} handlers
   * @param {(extent: number[] | null) => void} handlers.view
   * @param {(x: number, y: number, dx: number, dy: number) => void} handlers.open
   * @param {(place: number[] | null) => void} handlers.hover with the pixel
   * @param {(corners: number[][]) => void} handlers.select
   * @param {(low: number, high: number, open: boolean, end: boolean) => void} handlers.range
   */
  constructor(handlers) {
    this.handlers = handlers
    this.canvas = h("canvas", {"aria-label": "Chart of the candidates of this list", role: "img"})
    this.node = h("div", {className: "chart-canvas"}, this.canvas)
    this.tool = "lasso"
    this.data = null
    this.place = null
    this.path = null
    this.paper = null // its size in px, while it is drawn for a file
    this.canvas.addEventListener("pointerdown", (event) => this.start(event))
    this.canvas.addEventListener("pointermove", (event) => this.move(event))
    this.canvas.addEventListener("pointerup", () => this.end())
    this.canvas.addEventListener("pointercancel", () => { this.path = null; this.draw() })
    this.canvas.addEventListener("pointerleave", () => this.handlers.hover(null))
    this.canvas.addEventListener("wheel", (event) => this.zoom(event), {passive: false})
    this.canvas.addEventListener("dblclick", () => this.handlers.view(null))
    this.resized = new ResizeObserver(() => this.fit())
    this.resized.observe(this.node)
    this.themed = new MutationObserver(() => requestAnimationFrame(() => this.draw()))
    this.themed.observe(document.documentElement, {attributes: true})
  }

  remove() {
    this.resized.disconnect()
    this.themed.disconnect()
  }

  get size() { return this.paper ?? this.screen }
  get screen() { return [Math.max(this.node.clientWidth, 40), Math.max(this.node.clientHeight, 40)] }
  get inner() {
    const [width, height] = this.size
    return [width - CHART_PAD.left - CHART_PAD.right, height - CHART_PAD.top - CHART_PAD.bottom]
  }

  fit() {
    const ratio = devicePixelRatio || 1
    const [width, height] = this.size
    this.canvas.width = Math.round(width * ratio)
    this.canvas.height = Math.round(height * ratio)
    this.draw()
  }

  set(data) {
    this.data = data
    this.extent = data.extent ?? null
    if (data.points) {
      data.x = unpack(data.points.x, Float32Array)
      data.y = unpack(data.points.y, Float32Array)
      data.p = unpack(data.points.p, Float32Array)
      if (data.points.ra_deg) {
        data.position = {ra_deg: unpack(data.points.ra_deg, Float64Array), dec_deg: unpack(data.points.dec_deg, Float64Array)}
      }
    }
    this.image = null
    this.draw()
  }

  clear() {
    this.data = null
    this.place = null
    this.draw()
  }

  color(name) {
    this.canvas.style.color = `var(--lt-${name})`
    const {color} = getComputedStyle(this.canvas)
    return this.paper && isDark() ? colorOnWhite(color) : color
  }

  toPixel(x, y) {
    const [left, right, bottom, top] = this.extent
    const [width, height] = this.inner
    return [CHART_PAD.left + (x - left) / (right - left) * width,
      CHART_PAD.top + (top - y) / (top - bottom) * height]
  }

  /** @returns {[number, number]} */
  toData(px, py) {
    const [left, right, bottom, top] = this.extent
    const [width, height] = this.inner
    return [left + (px - CHART_PAD.left) / width * (right - left),
      top - (py - CHART_PAD.top) / height * (top - bottom)]
  }

  // --- drawing ----------------------------------------------------------------------------------

  draw(pen = this.canvas.getContext("2d")) {
    const ratio = devicePixelRatio || 1
    const [width, height] = this.size
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    pen.clearRect(0, 0, width, height)
    if (this.data === null) { return }
    this.ink = {text: this.color("text"), muted: this.color("muted"), line: this.color("line"),
      accent: this.color("accent"), mark: this.color("warning")}
    pen.font = `11px ${getComputedStyle(this.node).fontFamily}`
    if (this.data.counts) {
      this.drawBars(pen)
    } else {
      this.drawMap(pen)
    }
    this.titleAxes(pen)
    this.drawPath(pen)
  }

  titleAxes(pen) {
    const [x, y] = AXES[this.data.counts ? "histogram" : this.data.kind] ?? []
    if (x === undefined) { return }
    const [width, height] = this.inner
    this.text(pen, x, CHART_PAD.left + width / 2, CHART_PAD.top + height + 34, "center")
    pen.save()
    pen.translate(12, CHART_PAD.top + height / 2)
    pen.rotate(-Math.PI / 2)
    this.text(pen, y, 0, 0, "center")
    pen.restore()
  }

  // The chart as SVG, as it is drawn now, as wide as a column of text and in colors for white paper.
  toSvg() {
    const [width, height] = this.screen
    this.paper = [PAPER_PX, PAPER_PX * height / width].map(Math.round)
    try {
      const pen = new SvgPen(...this.paper)
      this.draw(/** @type {any} */ (pen))
      return String(pen)
    } finally {
      this.paper = null
    }
  }

  drawBars(pen) {
    const {counts, edges, probabilities} = this.data
    if (!counts.length) { return }
    const most = Math.max(...counts)
    const [width, height] = this.inner
    this.extent = [edges[0], edges.at(-1), 0, Math.log10(most + 1) * 1.05]
    const base = CHART_PAD.top + height
    for (const n of [1, 10, 100, 1000, 10000, 100000, 1000000].filter((n) => n <= most)) {
      const [, y] = this.toPixel(0, Math.log10(n + 1))
      this.rule(pen, [[CHART_PAD.left, y], [CHART_PAD.left + width, y]])
      this.text(pen, n >= 1000 ? `${n / 1000}k` : String(n), CHART_PAD.left - 6, y + 4, "right")
    }
    pen.fillStyle = this.ink.accent
    counts.forEach((n, k) => {
      if (!n) { return }
      const [x0, y] = this.toPixel(edges[k], Math.log10(n + 1))
      const [x1] = this.toPixel(edges[k + 1], 0)
      pen.fillRect(x0 + 0.5, y, Math.max(x1 - x0 - 1, 1), base - y)
    })
    let after = -Infinity
    for (const p of PROBABILITY_TICKS) {
      if (p < probabilities[0] || p > probabilities.at(-1)) { continue }
      const [x] = this.toPixel(interpolate(p, probabilities, edges), 0)
      if (x - after < TICK_PX) { continue }
      after = x
      this.rule(pen, [[x, base], [x, base + 4]])
      this.text(pen, String(p), x, base + 16, "center")
    }
    if (this.place !== null) {
      const [x] = this.toPixel(this.place[0], 0)
      pen.strokeStyle = this.ink.mark
      pen.lineWidth = 2
      pen.strokeRect(x, CHART_PAD.top, 0.01, height)
      pen.lineWidth = 1
    }
  }

  drawMap(pen) {
    const {data, ink} = this
    const [width, height] = this.inner
    pen.save()
    pen.beginPath()
    pen.rect(CHART_PAD.left, CHART_PAD.top, width, height)
    pen.clip()
    pen.strokeStyle = ink.line
    for (const corners of data.cells ?? []) { this.rule(pen, corners.map(([x, y]) => this.toPixel(x, y)), true) }
    for (const {points} of data.lines ?? []) { this.rule(pen, points.map(([x, y]) => this.toPixel(x, y))) }
    if (data.grid) { this.drawGrid(pen) }
    if (data.x) { this.drawPoints(pen) }
    if (this.place !== null) {
      const [x, y] = this.toPixel(...this.place)
      pen.strokeStyle = ink.mark
      pen.lineWidth = 2
      pen.beginPath()
      pen.arc(x, y, 6, 0, 2 * Math.PI)
      pen.stroke()
      pen.lineWidth = 1
    }
    pen.restore()
    for (const line of data.lines ?? []) { this.labelLine(pen, line) }
    if (data.kind === "uncertainty") {
      const [left, right, bottom, top] = this.extent
      for (const tick of niceTicks(left, right, 6)) {
        const [x] = this.toPixel(tick, bottom)
        this.rule(pen, [[x, CHART_PAD.top + height], [x, CHART_PAD.top + height + 4]])
        this.text(pen, String(tick), x, CHART_PAD.top + height + 15, "center")
      }
      for (const tick of niceTicks(bottom, top, 4)) {
        const [, y] = this.toPixel(left, tick)
        this.rule(pen, [[CHART_PAD.left - 4, y], [CHART_PAD.left, y]])
        this.text(pen, String(tick), CHART_PAD.left - 7, y + 4, "right")
      }
    }
    pen.strokeStyle = ink.line
    pen.strokeRect(CHART_PAD.left, CHART_PAD.top, width, height)
  }

  // Right ascensions below the map, declinations to its left: where the line meets the edge. On a map
  // of the whole sky along the equator and the left limb.
  labelLine(pen, {along, text, points}) {
    const [width, height] = this.inner
    const pixels = points.map(([x, y]) => this.toPixel(x, y))
    const base = CHART_PAD.top + height
    if (this.data.whole_sky) {
      const [x, y] = along === "ra" ? pixels[Math.floor(pixels.length / 2)] : pixels[0]
      const far = along === "dec" ? pixels.at(-1) : [x, y]
      const at = far[0] < x ? far : [x, y]
      this.text(pen, text, Math.max(at[0] - 2, 2), at[1] - 3, along === "dec" ? "left" : "center")
      return
    }
    const axis = along === "ra" ? 1 : 0
    const edge = along === "ra" ? base : CHART_PAD.left
    for (let k = 1; k < pixels.length; k++) {
      const [a, b] = [pixels[k - 1], pixels[k]]
      if ((a[axis] - edge) * (b[axis] - edge) > 0 || a[axis] === b[axis]) { continue }
      const part = (edge - a[axis]) / (b[axis] - a[axis])
      const other = a[1 - axis] + part * (b[1 - axis] - a[1 - axis])
      if (along === "ra" && other > CHART_PAD.left + 8 && other < CHART_PAD.left + width - 8) {
        this.text(pen, text, other, base + 15, "center")
      } else if (along === "dec" && other > CHART_PAD.top + 4 && other < base) {
        this.text(pen, text, CHART_PAD.left - 5, other + 4, "right")
      }
      return
    }
  }

  drawGrid(pen) {
    const {grid, extent} = this.data
    if (this.image === null || this.imageInk !== this.ink.accent) {
      const [rows, columns] = grid.shape
      const counts = unpack(grid.counts, Uint16Array)
      const most = Math.log1p(Math.min(grid.most, 65535))
      const sheet = new OffscreenCanvas(columns, rows)
      const brush = sheet.getContext("2d")
      brush.fillStyle = this.ink.accent
      brush.fillRect(0, 0, 1, 1)
      const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data
      const pixels = brush.createImageData(columns, rows)
      counts.forEach((n, k) => {
        const at = 4 * ((rows - 1 - Math.floor(k / columns)) * columns + k % columns)
        pixels.data.set([red, green, blue, n ? 40 + 215 * Math.log1p(n) / most : 0], at)
      })
      brush.putImageData(pixels, 0, 0)
      this.image = sheet
      this.imageInk = this.ink.accent
    }
    const [x0, y0] = this.toPixel(extent[0], extent[3])
    const [x1, y1] = this.toPixel(extent[1], extent[2])
    pen.imageSmoothingEnabled = false
    pen.drawImage(this.image, x0, y0, x1 - x0, y1 - y0)
  }

  drawPoints(pen) {
    const {x, y, p} = this.data
    pen.fillStyle = this.ink.accent
    const radius = x.length > 800 ? 1.6 : 2.6
    for (let k = 0; k < x.length; k++) {
      const [px, py] = this.toPixel(x[k], y[k])
      pen.globalAlpha = 0.3 + 0.7 * p[k]
      pen.beginPath()
      pen.arc(px, py, radius, 0, 2 * Math.PI)
      pen.fill()
    }
    pen.globalAlpha = 1
  }

  drawPath(pen) {
    if (this.path === null || this.path.length < 2 || this.tool === "pan") { return }
    pen.strokeStyle = this.ink.text
    pen.fillStyle = this.ink.accent
    pen.beginPath()
    for (const [x, y] of this.corners()) { pen.lineTo(x, y) }
    pen.closePath()
    pen.globalAlpha = 0.15
    pen.fill()
    pen.globalAlpha = 1
    pen.stroke()
  }

  rule(pen, points, closed = false) {
    pen.strokeStyle = this.ink.line
    pen.beginPath()
    for (const [x, y] of points) { pen.lineTo(x, y) }
    if (closed) { pen.closePath() }
    pen.stroke()
  }

  text(pen, text, x, y, align) {
    pen.fillStyle = this.ink.muted
    pen.textAlign = align
    pen.fillText(text, x, y)
  }

  // --- the pointer ------------------------------------------------------------------------------

  // The marked region in pixels: what was drawn, a box, or a range of the bars.
  corners() {
    const [x0, y0] = this.path[0]
    const [x1, y1] = this.path.at(-1)
    if (this.data.counts) {
      const [, height] = this.inner
      return [[x0, CHART_PAD.top], [x1, CHART_PAD.top], [x1, CHART_PAD.top + height],
        [x0, CHART_PAD.top + height]]
    }
    return this.tool === "box" ? [[x0, y0], [x1, y0], [x1, y1], [x0, y1]] : this.path
  }

  start(event) {
    if (this.data === null || event.button !== 0 || !this.extent) { return }
    this.canvas.setPointerCapture(event.pointerId)
    this.path = [[event.offsetX, event.offsetY]]
    this.before = this.extent
    this.handlers.hover(null)
  }

  move(event) {
    /** @type {[number, number]} */
    const at = [event.offsetX, event.offsetY]
    if (this.path !== null) {
      const last = this.path.at(-1)
      if (Math.hypot(at[0] - last[0], at[1] - last[1]) >= 3) { this.path.push(at) }
      if (this.tool === "pan" && !this.data.counts) { this.pan(at) }
      this.draw()
    } else if (this.data !== null && !this.data.counts && this.extent) {
      this.handlers.hover([...this.toData(...at), ...this.reach(), ...at])
    }
  }

  /** @returns {[number, number]} */
  reach() {
    const [left, right, bottom, top] = this.extent
    const [width, height] = this.inner
    return [REACH_PX * (right - left) / width, REACH_PX * (top - bottom) / height]
  }

  pan([x, y]) {
    const [left, right, bottom, top] = this.before
    const [width, height] = this.inner
    const dx = (x - this.path[0][0]) / width * (right - left)
    const dy = (y - this.path[0][1]) / height * (top - bottom)
    this.extent = [left - dx, right - dx, bottom + dy, top + dy]
  }

  end() {
    const {path} = this
    if (path === null) { return }
    const far = Math.max(...path.map(([x, y]) => Math.hypot(x - path[0][0], y - path[0][1])))
    if (far < CLICK_PX) {
      if (!this.data.counts) { this.handlers.open(...this.toData(...path[0]), ...this.reach()) }
    } else if (this.data.counts) {
      const [low, high] = [path[0], path.at(-1)].map(([x]) => this.toData(x, 0)[0]).sort((a, b) => a - b)
      const {edges, probabilities} = this.data
      this.handlers.range(interpolate(low, edges, probabilities), interpolate(high, edges, probabilities),
        low <= edges[0], high >= edges.at(-1))
    } else if (this.tool === "pan") {
      this.handlers.view(this.extent)
    } else {
      this.handlers.select(this.corners().map(([x, y]) => this.toData(x, y)))
    }
    this.path = null
    this.draw()
  }

  zoom(event) {
    if (this.data === null || this.data.counts || !this.extent) { return }
    event.preventDefault()
    const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 240)))
    const [x, y] = this.toData(event.offsetX, event.offsetY)
    const [left, right, bottom, top] = this.extent
    this.extent = [x + (left - x) * factor, x + (right - x) * factor,
      y + (bottom - y) * factor, y + (top - y) * factor]
    this.draw()
    this.handlers.view(this.extent)
  }
}
