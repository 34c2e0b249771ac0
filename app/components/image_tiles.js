// Pictures from the tile endpoint, fetched ahead of need and kept decoded.

// Address of a picture. `band` null: the colour picture. The version in it makes it immutable.
function tileUrl(catalog, row, band, view, size = 0) {
  const query = new URLSearchParams({v: row.version, r: catalog.rendering})
  if (band !== null) {
    query.set("kind", "band")
    query.set("band", band)
  }
  if (!catalog.rendered) {
    if (band === null) {
      query.set("bands", catalog.rgb_bands.join(","))
    } else if (view.curve !== "asinh") {
      query.set("curve", view.curve)
    }
    if (view.preset !== "auto") {
      for (const name of ["stretch", "black", "q"]) { query.set(name, view[name]) }
    }
  }
  if (size) { query.set("size", size) }
  return `tiles/${encodeURIComponent(catalog.name)}/${row.index}?${query}`
}

// Address of what the server says of a cutout, among it what "auto" chooses for the colour picture.
function infoUrl(catalog, row) {
  return `tiles/${encodeURIComponent(catalog.name)}/${row.index}/info`
}

class TilePool {
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
    const entry = {image, state: "loading", empty: false, ready: null}
    this.running += 1
    entry.ready = image.decode().then(
      () => {
        entry.state = "ready"
        entry.empty = isTransparent(image)
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

const PROBE = Object.assign(document.createElement("canvas"), {width: 8, height: 8})
  .getContext("2d", {willReadFrequently: true})

// Whether a picture shows nothing at all: transparent pixels are those without data.
function isTransparent(image) {
  PROBE.clearRect(0, 0, 8, 8)
  PROBE.drawImage(image, 0, 0, 8, 8)
  const {data} = PROBE.getImageData(0, 0, 8, 8)
  for (let k = 3; k < data.length; k += 4) {
    if (data[k]) { return false }
  }
  return true
}
