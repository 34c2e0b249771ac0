// Charts as files: the figure as PNG, SVG and PDF, its numbers as CSV; all is made in the browser.

import { standalone, textOf } from "./chart_svg.js"

const SINGLE_DIGITS = 7 // of single precision
const FORMULA = /^[=+\-@\t\r]/

// A cell of a CSV file: quoted where it must be, and no formula.
function cellOf(value) {
  if (value === null || value === undefined || Number.isNaN(value)) { return "" }
  let text = String(value)
  if (typeof value !== "number" && FORMULA.test(text)) { text = `'${text}` }
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * CSV of series, each with columns of one length; with several, the first column names the series.
 * @param {{name: string, columns: Record<string, ArrayLike<any>>}[]} series
 */
export function csvOf(series) {
  const names = [...new Set(series.flatMap(({columns}) => Object.keys(columns)))]
  const several = series.length > 1
  const lines = [[...(several ? ["series"] : []), ...names].map(cellOf).join(",")]
  for (const {name, columns} of series) {
    const tell = (value, column) => column instanceof Float32Array && value !== undefined ? Number(value.toPrecision(SINGLE_DIGITS)) : value
    const length = Math.max(0, ...Object.values(columns).map((column) => column.length))
    for (let k = 0; k < length; k++) {
      const cells = names.map((column) => cellOf(tell(columns[column]?.[k], columns[column])))
      lines.push([...(several ? [cellOf(name)] : []), ...cells].join(","))
    }
  }
  return `${lines.join("\n")}\n`
}

// A name as files have it.
export function fileName(name, kind) {
  return `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "chart"}.${kind}`
}

function save(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

const PNG_SCALE = 3 // some 300 dpi

/**
 * What can be saved of a chart.
 * @typedef {object} Chart
 * @property {string} title of the files
 * @property {() => SVGSVGElement | string | Promise<string>} svg the chart as it is drawn
 * @property {boolean} dark whether that is for a dark page
 * @property {() => {name: string, columns: Record<string, ArrayLike<any>>}[]} series its numbers
 */

/** @param {string} kind png, svg, pdf or csv @param {Chart} chart */
export async function saveChart(kind, {title, svg, dark, series}) {
  save(kind === "csv" ? new Blob([csvOf(series())], {type: "text/csv;charset=utf-8"})
    : await FIGURE_MAKERS[kind](standalone(await svg(), dark), title), fileName(title, kind))
}

const FIGURE_MAKERS = {svg: async (svg) => new Blob([textOf(svg)], {type: "image/svg+xml"}), png: pngOf, pdf: pdfOf}

async function pngOf(svg) {
  const [width, height] = ["width", "height"].map((side) => Number.parseFloat(svg.getAttribute(side)))
  const sheet = Object.assign(document.createElement("canvas"), {width: PNG_SCALE * width, height: PNG_SCALE * height})
  const image = new Image()
  const url = URL.createObjectURL(await FIGURE_MAKERS.svg(svg))
  try {
    image.src = url
    await image.decode()
    sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height)
  } finally {
    URL.revokeObjectURL(url)
  }
  return new Promise((resolve) => sheet.toBlob(resolve, "image/png"))
}

// The writer and its font are big: they are loaded for the first PDF alone.
async function pdfOf(svg, title) {
  const address = (name) => new URL(`chart-pdf/${name}`, document.baseURI).href
  const [writer, font] = await Promise.all([import(address("writer")), fetch(address("font")).then((reply) => {
    if (!reply.ok) { throw new Error(`the server answered ${reply.status}`) }
    return reply.arrayBuffer()
  })])
  return writer.pdfOf(svg, font, title)
}
