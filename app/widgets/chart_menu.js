// The menu of a chart that saves it: one for the charts of Bokeh and for those that pages draw by themselves.

import { saveChart } from "./chart_export.js"
import { isDark } from "./chart_svg.js"
import { h } from "./dom.js"
import { placeOf } from "./term.js"

export const SAVE_EVENT = "lens-triage-save-chart"
const KINDS = {
  png: ["PNG", "picture, 300 dpi"],
  svg: ["SVG", "vectors, to edit"],
  pdf: ["PDF", "vectors, for papers"],
  csv: ["CSV", "the numbers"],
}
const ICON = "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11"
const CSS = `
:host { position: fixed; inset: auto; margin: 0; padding: 4px; border-radius: 8px; border: 1px solid var(--lt-line);
  background: var(--lt-surface); color: var(--lt-text); box-shadow: 0 6px 22px rgb(0 0 0 / 24%); }
[role=menu] { display: grid; }
button { all: unset; display: grid; grid-template-columns: 40px auto; padding: 6px 12px; border-radius: 5px; cursor: pointer;
  font: 400 13px/1.4 Roboto, Helvetica, Arial, sans-serif; }
button b { font-weight: 500; }
button span { color: var(--lt-muted); }
button:hover, button:focus-visible { background: color-mix(in srgb, var(--lt-accent) 14%, transparent); }
p { margin: 0; padding: 6px 12px; max-width: 240px; font: 400 12.5px/1.4 Roboto, Helvetica, Arial, sans-serif; color: var(--lt-error); }
p:empty { display: none; }
`

/**
 * Open the menu below what was pressed; it closes at Escape, at a click beside it, and when the file is made.
 * @param {Element} anchor @param {Omit<import("./chart_export.js").Chart, "dark"> & {dark?: boolean}} chart
 */
export function openChartMenu(anchor, chart) {
  const said = h("p", {role: "alert"})
  const items = Object.entries(KINDS).map(([kind, [name, note]]) => h("button", {type: "button", role: "menuitem", tabIndex: -1,
    onclick: async () => {
      try {
        said.textContent = ""
        await saveChart(kind, {dark: isDark(), ...chart})
        menu.hidePopover()
      } catch (error) {
        said.textContent = `The ${name} could not be made: ${error.message}`
      }
    }}, h("b", {}, name), h("span", {}, note)))
  const menu = h("div", {popover: "auto", className: "chart-menu"})
  menu.attachShadow({mode: "open"}).append(h("style", {}, CSS),
    h("div", {role: "menu", "aria-label": `Save ${chart.title}`, onkeydown: (event) => step(event, items)}, items), said)
  menu.addEventListener("toggle", (event) => {
    if (/** @type {any} */ (event).newState === "closed") {
      menu.remove()
      if (anchor instanceof HTMLElement) { anchor.focus() }
    }
  })
  document.body.append(menu)
  menu.showPopover()
  const place = placeOf(anchor.getBoundingClientRect(), menu.getBoundingClientRect(), {width: innerWidth, height: innerHeight})
  menu.style.left = `${place.left}px`
  menu.style.top = `${place.top}px`
  items[0].focus()
}

function step(event, items) {
  event.stopPropagation() // keys of the page are none here
  const way = {ArrowDown: 1, ArrowUp: -1}[event.key]
  if (way === undefined) { return }
  event.preventDefault()
  const at = items.indexOf(/** @type {any} */ (event.target))
  items[(at + way + items.length) % items.length].focus()
}

// The button of a chart that a page draws by itself.
export function saveButton(chart) {
  const name = "Save this chart as PNG, SVG, PDF or CSV"
  return h("button", {type: "button", className: "save-chart", title: name, "aria-label": name, "aria-haspopup": "menu",
    onclick: (event) => openChartMenu(event.currentTarget, chart())},
  h("svg", {viewBox: "0 0 16 16", width: 14, height: 14, fill: "none", stroke: "currentColor", "stroke-width": 1.5, "aria-hidden": "true"},
    h("path", {d: ICON})))
}

// Charts of Bokeh tell here, by an event, that their button was pressed.
export function openMenusOfPlots() {
  document.addEventListener(SAVE_EVENT, (event) => {
    const {plot, sources, names, columns, title} = /** @type {CustomEvent} */ (event).detail
    // @ts-ignore: Bokeh's own global
    const view = globalThis.Bokeh.index.find_one(plot)
    const chart = {
      title,
      svg: () => view.export("svg", true).to_blob().then((blob) => blob.text()),
      series: () => sources.map((source, k) => ({name: names[k], columns: renamed(source.data, columns)})),
    }
    // Bokeh calls while the pointer is let go, which would close what opens.
    setTimeout(() => openChartMenu(focused() ?? view.el, chart))
  })
}

// The element that has the focus, within whatever shadow roots.
function focused() {
  let at = document.activeElement
  while (at?.shadowRoot?.activeElement) { at = at.shadowRoot.activeElement }
  return at === document.body ? null : at
}

/**
 * Columns as files name them, with units; those without such a name are of the drawing alone.
 * @param {Record<string, ArrayLike<any>>} data @param {Record<string, string>} names
 */
export function renamed(data, names) {
  return Object.fromEntries(Object.entries(names).filter(([name]) => name in data).map(([name, header]) => [header, data[name]]))
}
