// The viewer: a large picture of a candidate and all its bands, which zoom and pan together.

import { h } from "../widgets/dom.js"
import { Calibrations } from "./calibrations.js"
import { Camera } from "./camera.js"
import { Frame } from "./frame.js"
import { Overlay } from "./overlay.js"
import { Pointer } from "./pointer.js"
import { PixelPool, Readout } from "./readout.js"
import { separation, SkyPlane } from "./sky.js"
import { pixelsUrl, tileUrl, tripleOf } from "./tiles.js"
import { describeValue, pictureCaption, unitNote } from "./values.js"

const BLINK_MS = 600
const ZOOM_STEP = Math.SQRT2
const PAN_STEP = 0.15
const COLOR = "" // the cell of the color picture; every other cell has the name of its band

export class ImageViewer {
  // `palettes`: name to 256 colors, as readPalettes gives them.
  constructor(pool, palettes = new Map()) {
    this.pool = pool
    this.palettes = palettes
    this.pixels = new PixelPool()
    this.calibrations = new Calibrations()
    this.caption = h("span", {className: "frame-caption"})
    this.legend = h("span", {className: "frame-legend", hidden: true})
    this.overlay = new Overlay(true)
    this.frame = new Frame(this.overlay.node, this.caption, this.legend)
    this.strip = h("div", {className: "strip", role: "group", "aria-label": "Bands"})
    this.readout = new Readout()
    this.node = h("div", {className: "images"}, h("div", {className: "viewer-body"}, this.frame.node),
      this.readout.node, this.strip)
    this.cells = new Map()
    this.shown = null // band in the large picture; null: color
    this.tiled = false // all pictures side by side instead of a large one
    this.blinking = null
    this.tool = null // "ruler" or "circle": what a drag does
    this.crosshair = false
    this.decorations = true
    this.marks = []
    this.model = null // of a lens: {curves, points}, arcsec from the middle, y upwards
    this.cursor = null
    this.row = this.catalog = this.view = this.sky = null
    this.onPick = null // called with the place of the image where somebody clicks on the large picture
    this.onTool = () => {} // called when a tool, the layout or blinking changes
    this.settled = Promise.resolve(true) // when all pictures of the latest candidate are drawn
    this.camera = new Camera(this.node, () => {
      this.node.classList.toggle("zoomed", (this.camera?.zoom ?? 1) > 1)
      this.drawOverlays()
      this.onTool()
    })
    this.pointer = new Pointer(this)
    this.pointer.listen(this.frame.node, COLOR)
  }

  get bands() { return this.catalog === null ? [] : this.catalog.bands }

  // --- pictures ---------------------------------------------------------------------------------

  // Show a candidate; resolves when its large picture has been drawn (false: another came between).
  show(row, catalog, view) {
    if (this.catalog !== catalog) { this.arrange(catalog) }
    if (this.row !== row) {
      this.marks = []
      this.model = null
      this.sky = null
    }
    this.row = row
    this.catalog = catalog
    this.view = view
    this.node.classList.toggle("inverted", view.invert)
    this.node.classList.toggle("smooth", view.smooth)
    const drawn = this.tiled ? null : this.draw()
    if (this.tiled) { this.press() }
    const cells = [...this.cells].filter(([name]) => name !== COLOR || this.tiled).map(([name, cell]) =>
      cell.frame.show(this.pool, this.url(name || null), this.palette(name || null)))
    this.settled = Promise.all(drawn === null ? cells : [drawn, ...cells])
      .then((all) => all.every(Boolean))
    this.calibrations.ask(catalog, row, view, () => this.drawOverlays())
    this.readPixels()
    this.drawOverlays()
    return drawn ?? this.settled
  }

  url(band) { return tileUrl(this.catalog, this.row, band, this.view) }

  palette(band) {
    return band === null || this.catalog.rendered ? null : this.palettes.get(this.view.palette) ?? null
  }

  async draw() {
    const band = this.largeBand
    this.caption.textContent = pictureCaption(this.catalog, band, this.view)
    this.press()
    const drawn = await this.frame.show(this.pool, this.url(band), this.palette(band))
    if (drawn) {
      const {missing} = this.frame
      this.legend.hidden = missing === 0 || missing === 1
      this.legend.textContent = `hatched: no data, ${(100 * missing).toFixed(missing < 0.1 ? 1 : 0)} %`
    }
    return drawn
  }

  // Mark the cell of the band that is shown large.
  press() {
    for (const [name, cell] of this.cells) {
      cell.node.setAttribute("aria-pressed", String(!this.tiled && name === (this.largeBand ?? COLOR)))
    }
  }

  get largeBand() { return this.bands.includes(this.shown) ? this.shown : null }

  redraw() { return this.row === null ? null : this.show(this.row, this.catalog, this.view) }

  // Show one band large (null: color); the same band again goes back to color.
  choose(band) {
    this.shown = band === this.shown && !this.tiled ? null : band
    if (this.tiled) { return this.tile(false) }
    this.drawOverlays()
    return this.row === null ? null : this.draw()
  }

  // The next (1) or previous (-1) band, color between the last and the first.
  step(direction = 1) {
    if (this.row === null || !this.bands.length) { return }
    const all = [null, ...this.bands]
    const at = all.indexOf(this.largeBand) + direction + all.length
    this.choose(all[at % all.length])
  }

  // Step through the bands by itself, until called again.
  blink() {
    if (this.blinking !== null) {
      clearInterval(this.blinking)
      this.blinking = null
    } else {
      const next = () => {
        if (this.row === null || !this.bands.length) { return }
        this.shown = this.bands[(this.bands.indexOf(this.shown) + 1) % this.bands.length]
        this.drawOverlays()
        this.draw()
      }
      this.tile(false)
      this.blinking = setInterval(next, BLINK_MS)
      next()
    }
    this.onTool()
    return this.blinking !== null
  }

  // All pictures side by side, or one large and the others small.
  tile(tiled = !this.tiled) {
    if (tiled === this.tiled) { return null }
    if (tiled && this.blinking !== null) { this.blink() }
    this.tiled = tiled
    this.node.classList.toggle("tiled", tiled)
    this.setCells()
    this.onTool()
    return this.redraw()
  }

  // One large picture in color, whole, with nothing measured.
  reset() {
    if (this.blinking !== null) { this.blink() }
    this.shown = null
    this.crosshair = false
    this.decorations = true
    this.marks = []
    this.tool = null
    this.tile(false)
    this.camera.reset()
    this.onTool()
  }

  clear() {
    this.reset()
    this.row = null
    this.frame.url = null
    this.frame.clear()
    this.arrange(null)
    this.readout.rest()
  }

  // Addresses of all pictures of a candidate, the one that is shown large first.
  urls(row, catalog, view) {
    const bands = [null, ...catalog.bands]
    const first = catalog.bands.includes(this.shown) ? this.shown : null
    bands.sort((one, other) => Number(other === first) - Number(one === first))
    return bands.map((band) => tileUrl(catalog, row, band, view))
  }

  arrange(catalog) {
    this.catalog = catalog
    this.cells.clear()
    this.strip.replaceChildren()
    this.strip.hidden = this.bands.length < 2
    if (catalog === null) { return }
    this.addCell(COLOR, "0")
    catalog.bands.forEach((band, k) => this.addCell(band, k < 9 ? String(k + 1) : null))
    this.setCells()
  }

  addCell(name, key) {
    const band = name || null
    const overlay = new Overlay(band === null)
    const caption = h("span", {className: "band-name"}, key ? h("kbd", {}, key) : null, band ?? "color")
    const frame = new Frame(overlay.node, caption)
    const value = h("span", {className: "band-value"})
    const brightness = h("span", {className: "band-value"})
    const choose = () => { this.pointer.dragged || this.choose(band) }
    const node = h(
      "div", {className: "band", role: "button", tabIndex: 0, "aria-pressed": "false",
        title: `Show ${band ?? "the color picture"} large${key ? ` (key ${key})` : ""}`, onclick: choose,
        onkeydown: (event) => {
          if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose() }
        }},
      frame.node, h("div", {className: "band-values"}, value, brightness),
    )
    this.pointer.listen(frame.node, name)
    this.cells.set(name, {frame, overlay, node, value, brightness})
    this.strip.append(node)
  }

  setCells() {
    const color = this.cells.get(COLOR)
    if (color !== undefined) { color.node.hidden = !this.tiled }
    const n = this.cells.size
    this.strip.style.setProperty("--columns", n <= 4 ? 2 : n <= 9 ? 3 : 4)
    this.strip.style.setProperty("--in-row", Math.min(6, Math.max(3, this.bands.length)))
  }

  // --- what is known of the image ---------------------------------------------------------------

  // Where the image lies on the sky, once the server has said so.
  locate(row, sky) {
    if (row !== this.row || sky === this.sky) { return }
    this.sky = sky ?? null
    this.drawOverlays()
  }

  get plane() { return new SkyPlane(this.sky, this.scale) }

  get scale() { return this.catalog.size_arcsec / this.catalog.size_px }

  get info() { return this.catalog === null ? undefined : this.calibrations.of(this.catalog) }

  // Pixel values are fetched where somebody points at the picture.
  async readPixels() {
    if (this.cursor === null || this.row === null) { return }
    const entry = this.pixels.load(pixelsUrl(this.catalog, this.row, this.view))
    if (entry.values === null) {
      await entry.ready
      this.writeReadout()
    }
  }

  // --- tools ------------------------------------------------------------------------------------

  // The pointer is at a place of the picture of one cell; null: it is over none.
  point(cursor) {
    this.cursor = cursor
    if (cursor !== null) { this.readPixels() }
    this.drawOverlays()
  }

  // Measure from one place of the image to another, with a ruler or a circle.
  mark(kind, from, to) {
    this.marks = [...this.marks.filter((mark) => mark.kind !== kind), {kind, from, to}]
  }

  use(tool) {
    this.tool = tool === this.tool ? null : tool
    this.node.dataset.tool = this.tool ?? ""
    this.onTool()
  }

  // Put away the tool, or else what was measured with it.
  escape() {
    if (this.tool !== null) {
      this.use(this.tool)
    } else {
      this.marks = []
      this.drawOverlays()
    }
  }

  toggle(name) {
    this[name] = !this[name]
    this.drawOverlays()
    this.onTool()
  }

  // Draw the curves and images of a lens model over the pictures; null: none.
  showModel(model) {
    if (model === this.model) { return }
    this.model = model
    this.drawOverlays()
  }

  zoom(direction) { this.camera.zoomBy(ZOOM_STEP ** direction) }

  pan(dx, dy) { this.camera.panBy(PAN_STEP * dx, PAN_STEP * dy) }

  // --- overlays and readout -----------------------------------------------------------------------

  // Pixel (from 0, y upwards) of a place of the image.
  pixel({x, y}) {
    const n = this.catalog.size_px
    return {x: x * n - 0.5, y: (1 - y) * n - 0.5}
  }

  // The pixel of the object: its place by the table, else the middle.
  get origin() {
    const middle = (this.catalog.size_px - 1) / 2
    return {x: this.sky?.x ?? middle, y: this.sky?.y ?? middle}
  }

  measure(mark) {
    const {length, angle} = separation(this.plane, this.pixel(mark.from), this.pixel(mark.to))
    const text = `${length.toFixed(2)}″`
    if (mark.kind === "circle") { return `R ${text}` }
    return angle === null ? text : `${text}, PA ${angle.toFixed(0)}°`
  }

  psf(band) {
    const psf = this.info?.psf_fwhm_arcsec
    if (psf === undefined) { return null }
    const names = band === null ? tripleOf(this.catalog, this.view).filter(Boolean) : [band]
    const known = names.map((name) => psf[name]).filter((value) => typeof value === "number")
    return known.length ? Math.max(...known) : null
  }

  drawOverlays() {
    if (!this.row || !this.catalog || !this.view) { return }
    const scene = {
      camera: this.camera,
      sizeArcsec: this.catalog.size_arcsec,
      plane: this.plane,
      cursor: null,
      crosshair: this.crosshair,
      decorations: this.decorations,
      marks: this.marks,
      model: this.model,
      measure: (mark) => this.measure(mark),
    }
    // The browser draws its own pointer where the cursor is; the mark is for the other pictures.
    const cursor = (name) => this.cursor && (this.crosshair || this.cursor.name !== name) ? this.cursor : null
    if (this.tiled) {
      this.overlay.node.replaceChildren()
    } else {
      this.overlay.render({...scene, cursor: this.crosshair ? cursor(null) : this.cursorBeside(),
        psfArcsec: this.psf(this.largeBand)})
    }
    for (const [name, {overlay}] of this.cells) {
      overlay.render({...scene, cursor: cursor(name), psfArcsec: this.psf(name || null)})
    }
    this.writeReadout()
  }

  // The cursor, where it is over one of the small pictures.
  cursorBeside() {
    return this.cursor === null || this.cursor.name === COLOR ? null : this.cursor
  }

  // What values of the shown pixels mean.
  get units() {
    return {rendered: this.catalog.rendered, snr: this.view.snr, info: this.info, scale: this.scale}
  }

  writeReadout() {
    const {cursor} = this
    if (cursor === null || this.row === null) {
      this.readout.rest()
      for (const cell of this.cells.values()) { cell.value.textContent = cell.brightness.textContent = "" }
      return
    }
    const {x, y} = this.pixel(cursor)
    this.readout.show({x: x + 1, y: y + 1}, this.plane, this.origin)
    const values = this.pixels.load(pixelsUrl(this.catalog, this.row, this.view)).values
    if (values === null) {
      this.readout.showValue("…")
      return
    }
    const n = this.catalog.size_px
    const column = Math.min(n - 1, Math.floor(cursor.x * n))
    const fromTop = Math.min(n - 1, Math.floor(cursor.y * n))
    const row = this.catalog.rendered ? fromTop : n - 1 - fromTop
    const large = cursor.name === COLOR ? this.tiled ? null : this.largeBand : cursor.name
    const written = this.bands.map((band, k) => {
      const value = values[(k * n + row) * n + column]
      const text = describeValue(band, value, this.units)
      const cell = this.cells.get(band)
      cell.value.textContent = text.short
      cell.brightness.textContent = text.brightness
      return [band, text.long]
    })
    this.readout.showValue(large === null
      ? unitNote(this.units) : written.find(([band]) => band === large)[1])
  }
}
