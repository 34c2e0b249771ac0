// The large picture of a candidate and, below it, all its bands on one angular scale.

const BAR_LENGTHS_ARCSEC = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120]
const BLINK_MS = 600
const SPINNER_AFTER_MS = 150

// A canvas that shows one picture of the pool, or says why it cannot.
class Frame {
  constructor(...overlays) {
    this.canvas = h("canvas", {width: 1, height: 1, "aria-hidden": "true"})
    this.message = h("span", {className: "frame-message"})
    this.node = h("div", {className: "frame"}, this.canvas, this.message, ...overlays)
    this.url = null
    this.timer = null
  }

  // Draw the picture of `url`; resolves to whether it is (still) the one shown.
  async show(pool, url) {
    this.url = url
    let entry = pool.load(url)
    if (entry.state === "loading") {
      this.clear()
      this.timer = setTimeout(() => { this.node.dataset.state = "loading" }, SPINNER_AFTER_MS)
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
    this.canvas.getContext("2d").drawImage(image, 0, 0)
    if (entry.empty) { this.say("empty", "no data") }
    return true
  }

  clear() {
    clearTimeout(this.timer)
    this.canvas.width = this.canvas.width // empties it
    this.say("", "")
  }

  say(state, text) {
    this.node.dataset.state = state
    this.message.textContent = text
  }
}

class ImageViewer {
  constructor(pool) {
    this.pool = pool
    this.caption = h("span", {className: "frame-caption"})
    this.bar = h("span", {className: "scale-bar"})
    this.barLabel = h("span", {className: "scale-label"})
    this.compass = h(
      "svg", {class: "compass", viewBox: "0 0 44 44", role: "img", "aria-label": "North up, east left"},
      h("path", {d: "M32 36V12M32 12l-3.5 5M32 12l3.5 5M32 36H8M8 36l5-3.5M8 36l5 3.5"}),
      h("text", {x: 32, y: 8, "text-anchor": "middle"}, "N"),
      h("text", {x: 1, y: 30}, "E"),
    )
    this.frame = new Frame(
      this.caption,
      h("span", {className: "scale"}, this.barLabel, this.bar),
      this.compass,
    )
    this.strip = h("div", {className: "strip", role: "group", "aria-label": "Bands"})
    this.cells = new Map()
    this.shown = null // band in the large picture; null: colour
    this.blinking = null
    this.row = this.catalog = this.view = null
  }

  // Band names of the current catalog; a picture that was rendered has none worth showing apart.
  get bands() { return this.catalog === null ? [] : this.catalog.bands }

  // Show a candidate; resolves when its large picture has been drawn (false: another came between).
  show(row, catalog, view) {
    if (this.catalog !== catalog) { this.arrange(catalog) }
    this.row = row
    this.catalog = catalog
    this.view = view
    for (const node of [this.frame.node, this.strip]) {
      node.classList.toggle("inverted", view.invert)
      node.classList.toggle("smooth", view.smooth)
    }
    for (const [band, cell] of this.cells) {
      cell.frame.show(this.pool, tileUrl(catalog, row, band, view))
    }
    return this.draw()
  }

  draw() {
    const band = this.bands.includes(this.shown) ? this.shown : null
    this.caption.textContent = band ?? colourCaption(this.catalog)
    for (const [name, cell] of this.cells) {
      cell.node.setAttribute("aria-pressed", String(name === band))
    }
    return this.frame.show(this.pool, tileUrl(this.catalog, this.row, band, this.view))
  }

  // Show one band large (null: colour); the same band again goes back to colour.
  choose(band) {
    this.shown = band === this.shown ? null : band
    return this.row === null ? null : this.draw()
  }

  // Step through the bands by itself, until called again.
  blink() {
    if (this.blinking !== null) {
      clearInterval(this.blinking)
      this.blinking = null
    } else {
      this.blinking = setInterval(() => this.step(), BLINK_MS)
      this.step()
    }
    return this.blinking !== null
  }

  step() {
    if (this.row === null || !this.bands.length) { return }
    this.shown = this.bands[(this.bands.indexOf(this.shown) + 1) % this.bands.length]
    this.draw()
  }

  reset() {
    if (this.blinking !== null) { this.blink() }
    this.shown = null
  }

  clear() {
    this.reset()
    this.row = null
    this.frame.url = null
    this.frame.clear()
    this.arrange(null)
  }

  // Addresses of all pictures of a candidate, the one that is shown large first.
  urls(row, catalog, view) {
    const bands = [null, ...catalog.bands]
    const first = catalog.bands.includes(this.shown) ? this.shown : null
    bands.sort((one, other) => (other === first) - (one === first))
    return bands.map((band) => tileUrl(catalog, row, band, view))
  }

  arrange(catalog) {
    this.catalog = catalog
    this.cells.clear()
    this.strip.replaceChildren()
    this.strip.style.setProperty("--bands", Math.max(1, this.bands.length))
    this.strip.hidden = this.bands.length < 2
    if (catalog === null) { return }
    catalog.bands.forEach((band, k) => {
      const frame = new Frame()
      const key = k < 9 ? ` (key ${k + 1})` : ""
      const node = h(
        "button",
        {type: "button", className: "band", title: `Show ${band} large${key}`, "aria-pressed": "false",
          onclick: () => this.choose(band)},
        frame.node,
        h("span", {className: "band-name"}, k < 9 ? h("kbd", {}, String(k + 1)) : null, band),
      )
      this.cells.set(band, {frame, node})
      this.strip.append(node)
    })
    const length = BAR_LENGTHS_ARCSEC.filter((l) => l <= 0.3 * catalog.size_arcsec).at(-1)
    this.bar.style.width = length ? `${(100 * length) / catalog.size_arcsec}%` : "0"
    this.barLabel.textContent = length ? `${length}″` : ""
    this.compass.style.display = catalog.north_up ? "" : "none"
  }
}

function colourCaption(catalog) {
  if (catalog.rendered) { return "picture as imported" }
  const [red, green, blue] = catalog.rgb_bands
  if (red === blue) { return red }
  return `${red} ${green || "mean"} ${blue}`
}
