// Charts as files: PNG and SVG of what is drawn, CSV of the numbers. Used by the scripts of pages, and
// as the callback of the buttons that Bokeh's charts have (chart_export.py).

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
    const length = Math.max(0, ...Object.values(columns).map((column) => column.length))
    for (let k = 0; k < length; k++) {
      const cells = names.map((column) => cellOf(columns[column]?.[k]))
      lines.push([...(several ? [cellOf(name)] : []), ...cells].join(","))
    }
  }
  return `${lines.join("\n")}\n`
}

// A name as files have it.
export function fileName(name, kind) {
  return `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "chart"}.${kind}`
}

export function save(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

export function saveCsv(series, name) {
  save(new Blob([csvOf(series)], {type: "text/csv;charset=utf-8"}), fileName(name, "csv"))
}

// Bokeh's call: a button of the chart was pressed; its name says as what to save.
export default function pressed({plot, sources, names, title}, button) {
  if (button.name === "csv") {
    saveCsv(sources.map((source, k) => ({name: names[k], columns: {...source.data}})), title)
    return
  }
  // @ts-ignore: Bokeh's own global
  const view = globalThis.Bokeh.index.find_one(plot)
  const layer = view.export(button.name, true)
  layer.to_blob().then((blob) => save(blob, fileName(title, button.name)))
}
