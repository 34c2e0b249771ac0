// Pictures from the tile endpoint, fetched ahead of need and kept decoded.

// The layer of a cutout that a view shows.
function layerOf(catalog, view) {
  if (catalog.rendered) { return "image" }
  if (view.light) { return view.snr ? "residual-snr" : "residual" }
  return view.snr ? "snr" : "image"
}

// Bands drawn as red, green and blue: the user's for catalogs of these bands, else the survey's. An
// empty name is the mean of the other two.
export function tripleOf(catalog, view) {
  return view.triples?.[catalog.bands.join()] ?? catalog.rgb_bands
}

// A view as the log keeps it: with the bands of the color picture, and the version of drawing.
export function viewRecord(settings, geometry) {
  const view = {...settings}
  delete view.triples
  return geometry === null ? view : {...view, rgb: tripleOf(geometry, settings), rendering: geometry.rendering}
}

// The look of the color picture: the user's, where the catalog can be drawn so.
export function lookOf(catalog, view) {
  return catalog.looks?.includes(view.look) ? view.look : "detail"
}

function pictureQuery(catalog, band, view) {
  const query = new URLSearchParams()
  if (band !== null) {
    query.set("kind", "band")
    query.set("band", band)
  }
  if (catalog.rendered) { return query }
  const layer = layerOf(catalog, view)
  if (layer !== "image") { query.set("layer", layer) }
  if (band === null) {
    query.set("bands", tripleOf(catalog, view).join(","))
    const look = lookOf(catalog, view)
    if (look !== "detail") { query.set("look", look) }
  } else if (view.curve !== "asinh") {
    query.set("curve", view.curve)
  }
  if (view.preset !== "auto") {
    for (const name of ["stretch", "black", "q"]) { query.set(name, view[name]) }
  }
  return query
}

// Address of a picture. `band` null: the color picture. The version in it makes it immutable.
export function tileUrl(catalog, row, band, view, size = 0) {
  const query = pictureQuery(catalog, band, view)
  query.set("v", row.version)
  query.set("r", catalog.rendering)
  if (size) { query.set("size", String(size)) }
  return `tiles/${encodeURIComponent(catalog.name)}/${row.index}?${query}`
}

// Address of what the server says of a cutout, among it what "auto" chooses for the color picture.
export function infoUrl(catalog, row, view) {
  const query = pictureQuery(catalog, null, view)
  return `tiles/${encodeURIComponent(catalog.name)}/${row.index}/info?${query}`
}

// Address of the pixel values of the layer that is shown.
export function pixelsUrl(catalog, row, view) {
  const query = new URLSearchParams({v: row.version, r: catalog.rendering, layer: layerOf(catalog, view)})
  return `pixels/${encodeURIComponent(catalog.name)}/${row.index}?${query}`
}

export class TilePool {
  // At most `inFlight` requests at a time; up to `budget` pixels are kept, the latest used longest.
  constructor({inFlight = 6, budget = 48e6} = {}) {
    this.inFlight = inFlight
    this.budget = budget
    this.entries = new Map()
    this.queue = []
    this.running = 0
    this.pixels = 0
  }

  // The picture of `url`, asked for at once if it is not here.
  load(url) {
    let entry = this.entries.get(url)
    if (entry === undefined || entry.state === "failed") {
      entry = this.begin(url, "high")
    } else {
      this.entries.delete(url)
      this.entries.set(url, entry)
    }
    return entry
  }

  // Fetch these next, in this order; what was queued before and not begun is forgotten.
  ahead(urls) {
    this.queue = urls.filter((url) => !this.entries.has(url))
    this.pump()
  }

  pump() {
    while (this.running < this.inFlight && this.queue.length) {
      const url = this.queue.shift()
      if (!this.entries.has(url)) { this.begin(url, "low") }
    }
  }

  begin(url, priority) {
    const image = new Image()
    image.fetchPriority = priority
    image.src = url
    const entry = {image, state: "loading", missing: 0, ready: null}
    this.running += 1
    entry.ready = image.decode().then(
      () => {
        entry.state = "ready"
        entry.missing = missingFraction(image)
        this.pixels += image.naturalWidth * image.naturalHeight
        this.evict()
      },
      () => { entry.state = "failed" },
    ).then(() => {
      this.running -= 1
      this.pump()
      return entry
    })
    this.entries.delete(url)
    this.entries.set(url, entry)
    return entry
  }

  evict() {
    for (const [url, entry] of this.entries) {
      if (this.pixels <= this.budget) { return }
      if (entry.state === "ready") {
        this.pixels -= entry.image.naturalWidth * entry.image.naturalHeight
        this.entries.delete(url)
      }
    }
  }
}

let probe = null // made when the first picture comes

// The fraction of a picture that shows nothing: transparent pixels are those without data.
function missingFraction(image) {
  const {naturalWidth: width, naturalHeight: height} = image
  probe ??= document.createElement("canvas").getContext("2d", {willReadFrequently: true})
  probe.canvas.width = width // empties it as well
  probe.canvas.height = height
  probe.drawImage(image, 0, 0)
  const {data} = probe.getImageData(0, 0, width, height)
  let missing = 0
  for (let k = 3; k < data.length; k += 4) { missing += Number(data[k] === 0) }
  return missing / (width * height)
}
