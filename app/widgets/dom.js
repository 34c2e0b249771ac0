// Building blocks of the review view: elements, numbers, waiting.

// An element with properties, attributes (aria-*, data-*, role, ...) and children. Text is always
// set as text, never as markup.
export function h(tag, properties = {}, ...children) {
  const namespace = SVG_TAGS.has(tag) ? "http://www.w3.org/2000/svg" : null
  const node = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) {
      continue
    } else if (name.startsWith("on")) {
      node.addEventListener(name.slice(2), value)
    } else if (!namespace && name in node && name !== "list") {
      node[name] = value
    } else {
      node.setAttribute(name, value)
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined))
  return node
}

// A picture of the server: a plain ground while it loads, hatching where there is none.
export function picture(properties) {
  const node = h("img", {decoding: "async", ...properties, className: "picture",
    onload: () => node.classList.remove("missing"),
    onerror: () => {
      node.classList.add("missing")
      node.title = "This picture could not be loaded"
    }})
  return node
}

// Ask again for the pictures below `node` that could not be loaded.
export function loadMissing(node) {
  for (const image of node.querySelectorAll("img.picture.missing")) {
    image.title = ""
    image.setAttribute("src", image.getAttribute("src"))
  }
}

const SVG_TAGS = new Set(["svg", "g", "line", "circle", "rect", "path", "text"])

export const MISSING = "–"

// A probability with as many digits as keep it apart from 0 and 1.
export function formatProbability(p) {
  if (p === null || p === undefined) { return MISSING }
  if (p > 0.9999) { return ">0.9999" }
  if (p > 0.999) { return p.toFixed(4) }
  if (p >= 0.001) { return p.toFixed(3) }
  return p > 0 ? p.toExponential(1) : "0"
}

export function formatNumber(value, digits = 3) {
  if (value === null || value === undefined) { return MISSING }
  if (value !== 0 && Math.abs(value) < 0.5 * 10 ** -digits) { return value.toExponential(1) }
  return value.toFixed(digits)
}

export const formatCount = (n) => n.toLocaleString("en-US")

// Calls `action` once, `delay` ms after the last call; `flush` runs it now if it is due.
export function debounce(action, delay) {
  let timer = null
  const later = () => {
    clearTimeout(timer)
    timer = setTimeout(later.flush, delay)
  }
  later.flush = () => {
    if (timer !== null) {
      clearTimeout(timer)
      timer = null
      action()
    }
  }
  later.cancel = () => { clearTimeout(timer); timer = null }
  return later
}
