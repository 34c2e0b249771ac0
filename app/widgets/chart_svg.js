// Charts as SVG that stands alone: what style sheets gave it is written into it, colors are plain, and a chart of a
// dark page is a light figure.

const SVG = "http://www.w3.org/2000/svg"
const PAINTS = ["fill", "stroke"]
const INLINED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity",
  "font-size", "font-family", "font-weight", "text-anchor"]
const LIGHT = 0.6 // of lightness: brighter is too pale on white
const GRAY = 0.25 // of chroma: less is a gray, of text, lines and grounds
const DARK = 64 // of 255: a ground of the page, nothing drawn on it
const PX_PER_PT = 4 / 3

/**
 * A color of a dark chart as it is on white: pale colors dark, and grays the other way round.
 * @param {number[]} rgb 0 to 255 @returns {number[]}
 */
export function onWhite(rgb) {
  const [high, low] = [Math.max(...rgb) / 255, Math.min(...rgb) / 255]
  const lightness = (high + low) / 2
  if (lightness <= LIGHT && high - low >= GRAY) { return rgb }
  const change = 255 * (1 - 2 * lightness) // keeps hue and chroma
  return rgb.map((part) => Math.round(Math.min(255, Math.max(0, part + change))))
}

// Any color of CSS as [red, green, blue, alpha], 0 to 255.
const read = (() => {
  const kept = new Map()
  let pen
  return (color) => {
    if (!kept.has(color)) {
      pen ??= Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d", {willReadFrequently: true})
      pen.clearRect(0, 0, 1, 1)
      pen.fillStyle = color
      pen.fillRect(0, 0, 1, 1)
      kept.set(color, [...pen.getImageData(0, 0, 1, 1).data])
    }
    return kept.get(color)
  }
})()

export function isDark() {
  const [red, green, blue] = read(getComputedStyle(document.documentElement).getPropertyValue("--panel-background-color"))
  return red + green + blue < 384
}

// A color on white, as CSS; for charts that are drawn in their own colors.
export function colorOnWhite(color) {
  const [red, green, blue] = onWhite(read(color).slice(0, 3))
  return `rgb(${red}, ${green}, ${blue})`
}

/**
 * @param {SVGSVGElement | string} chart on a page, or its text
 * @param {boolean} dark whether it was drawn for a dark page
 * @returns {SVGSVGElement} a copy in px, on white
 */
export function standalone(chart, dark) {
  const svg = typeof chart === "string" ? fromText(chart) : inlined(chart)
  for (const node of svg.querySelectorAll("*")) {
    for (const paint of PAINTS) {
      const color = node.getAttribute(paint)
      if (!color || color === "none" || color.startsWith("url(")) { continue }
      const [red, green, blue, alpha] = read(color)
      const seen = dark ? onWhite([red, green, blue]) : [red, green, blue]
      const ground = paint === "fill" && dark && Math.max(red, green, blue) < DARK
      node.setAttribute(paint, ground ? "#ffffff" : `#${seen.map((part) => part.toString(16).padStart(2, "0")).join("")}`)
      if (alpha < 255) {
        const opacity = Number(node.getAttribute(`${paint}-opacity`) ?? 1) * alpha / 255
        node.setAttribute(`${paint}-opacity`, String(Number(opacity.toFixed(3))))
      }
    }
  }
  const [width, height] = ["width", "height"].map((side) => svg.getAttribute(side))
  if (!svg.hasAttribute("viewBox")) { svg.setAttribute("viewBox", `0 0 ${width} ${height}`) }
  const ground = document.createElementNS(SVG, "rect")
  for (const [name, value] of Object.entries({width, height, fill: "#ffffff"})) { ground.setAttribute(name, value) }
  svg.prepend(ground)
  svg.setAttribute("xmlns", SVG)
  return svg
}

function fromText(text) {
  const {documentElement} = new DOMParser().parseFromString(text, "image/svg+xml")
  const svg = /** @type {SVGSVGElement} */ (/** @type {any} */ (document.importNode(documentElement, true)))
  for (const side of /** @type {const} */ (["width", "height"])) {
    const size = svg.getAttribute(side) ?? String(svg.viewBox.baseVal[side])
    svg.setAttribute(side, String(Number.parseFloat(size) * (size.endsWith("pt") ? PX_PER_PT : 1)))
  }
  for (const node of /** @type {NodeListOf<SVGElement>} */ (svg.querySelectorAll("[style]"))) {
    for (const name of INLINED) {
      const value = node.style.getPropertyValue(name)
      if (value) { node.setAttribute(name, value) }
    }
  }
  return svg
}

function inlined(chart) {
  const copy = /** @type {SVGSVGElement} */ (chart.cloneNode(true))
  const [from, to] = [chart, copy].map((svg) => [...svg.querySelectorAll("*")])
  from.forEach((node, k) => {
    const style = getComputedStyle(node)
    for (const name of INLINED) {
      const value = style.getPropertyValue(name)
      if (value && value !== "none" || PAINTS.includes(name)) { to[k].setAttribute(name, value) }
    }
    to[k].removeAttribute("class")
  })
  const {width, height} = chart.viewBox.baseVal
  copy.setAttribute("width", String(width))
  copy.setAttribute("height", String(height))
  for (const name of ["class", "role", "aria-label"]) { copy.removeAttribute(name) }
  return copy
}

export const textOf = (svg) => new XMLSerializer().serializeToString(svg)
