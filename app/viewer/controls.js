// How pictures are drawn: presets, sliders, bands of the color picture, stretch and color map of
// single bands, layer, inversion.

import { h } from "../widgets/dom.js"
import { preferencesOf } from "../widgets/preferences.js"
import { lookOf, tripleOf } from "./tiles.js"

const VIEW_KEY = "lens-triage-view"
const SLIDERS = {
  // name: label, range of the input, and how its position becomes a value
  black: {label: "Black", min: -10, max: 30, step: 0.5, unit: "σ", keys: "< >",
    title: "Black point, in units of the sky noise",
    value: (x) => x, position: (value) => value},
  stretch: {label: "Stretch", min: -0.5, max: 3, step: 0.05, unit: "σ", keys: ", .",
    title: "Intensities above the black point below about this one are drawn linearly, in units of the sky noise",
    value: (x) => Number((10 ** x).toPrecision(2)), position: (value) => Math.log10(value)},
  q: {label: "Q", min: 0, max: 30, step: 0.5, unit: "", keys: "; '",
    title: "Asinh softening: larger shows more of bright cores",
    value: (x) => x, position: (value) => value},
}
const GRAY = "gray"
const MEAN = "mean" // of red and blue, for green
const LOOKS = {
  detail: ["Detail", "Brightness of the sharpest bands, color where there is enough light to measure it: noise is gray"],
  lupton: ["Lupton", "The mean of the three bands with their ratios (Lupton et al. 2004)"],
  legacy: ["Legacy viewer", "As the viewer of the Legacy Surveys draws, by flux: the sliders do not apply"],
  hsc: ["HSC map", "As the HSC map draws, by flux: the sliders do not apply"],
}
const FIXED = ["legacy", "hsc"] // looks with a stretch of their own
const NOT_KEPT = ["light", "snr"] // a page begins with the pictures as they are

export class ImageControls {
  // `onChange` is called with the new view.
  constructor({presets, curves, palettes, preferences}, onChange) {
    this.presets = presets
    const {stretch} = preferencesOf(preferences?.general ?? null)
    this.choices = {curve: curves, palette: [GRAY, ...Object.keys(palettes)]}
    this.onChange = onChange
    this.catalog = null
    this.view = {...this.standard(), ...this.remembered(), ...this.preferred(stretch)}
    this.buttons = new Map([...Object.keys(presets), "auto"].map((name) => [name, h(
      "button", {type: "button", onclick: () => this.choose(name),
        title: name === "auto" ? "Suit the stretch to each object (key p: next preset)"
          : `Preset "${name}" (key p: next preset)`},
      name[0].toUpperCase() + name.slice(1),
    )]))
    this.inputs = new Map(Object.entries(SLIDERS).map(([name, slider]) => [name, {
      range: h("input", {type: "range", min: slider.min, max: slider.max, step: slider.step,
        "aria-label": slider.title, oninput: () => this.slide(name)}),
      output: h("output", {}),
    }]))
    this.selects = {
      curve: this.select("Stretch of single bands (key x)", curves, () => this.pick("curve")),
      palette: this.select("Color map of single bands (key g)", this.choices.palette, () => this.pick("palette")),
    }
    this.looks = this.select("Look of the color picture (key L)", Object.keys(LOOKS), () => {
      this.update({look: this.looks.value})
    })
    for (const option of this.looks.options) { [option.textContent, option.title] = LOOKS[option.value] }
    this.channels = ["Red", "Green", "Blue"].map((name) =>
      this.select(`Band shown as ${name.toLowerCase()} (key w: next three)`, [], () => this.pickTriple()))
    this.invert = h("button", {type: "button", title: "Invert (key i)",
      onclick: () => this.update({invert: !this.view.invert})}, "Invert")
    this.smooth = h("button", {type: "button", title: "Smooth between pixels (key s)",
      onclick: () => this.update({smooth: !this.view.smooth})}, "Smooth")
    this.triple = h("span", {className: "choice"}, h("span", {}, "RGB"), this.channels)
    this.preset = h("div", {className: "segments", role: "group", "aria-label": "Stretch preset"},
      ...this.buttons.values())
    this.adjust = h(
      "div", {className: "adjust menu-items"},
      h("div", {className: "sliders"}, [...this.inputs].map(([name, {range, output}]) => h(
        "label", {className: "slider", title: `${SLIDERS[name].title} (keys ${SLIDERS[name].keys})`},
        h("span", {}, SLIDERS[name].label), output, range,
      ))),
      this.look = h("span", {className: "choice"}, h("span", {}, "Color"), this.looks),
      this.triple,
      h("span", {className: "choice"}, h("span", {}, "Bands"), this.selects.curve, this.selects.palette),
    )
    this.node = h("div", {className: "controls"}, this.preset,
      h("div", {className: "segments"}, this.invert, this.smooth),
      h("details", {className: "menu upward"},
        h("summary", {title: "Sliders, colors and bands; every slider has keys, too"}, "Adjust"), this.adjust))
    this.render()
  }

  select(title, names, action) {
    const node = h("select", {title, "aria-label": title, onchange: () => {
      node.blur() // the next key is for the page again
      action()
    }}, names.map((name) => h("option", {value: name}, name)))
    return node
  }

  standard() {
    return {preset: "standard", ...this.presets.standard, curve: "asinh", palette: GRAY, look: "detail", triples: {},
      invert: false, smooth: false, light: false, snr: false}
  }

  // The preset that the person begins with; none: as this browser was left.
  preferred(stretch) {
    return stretch === "auto" || stretch in this.presets ? {preset: stretch, ...this.presets[stretch]} : {}
  }

  remembered() {
    try {
      const found = JSON.parse(localStorage.getItem(VIEW_KEY)) ?? {}
      const known = Object.entries(this.standard())
      const kept = Object.fromEntries(known
        .filter(([name, value]) => typeof found[name] === typeof value && found[name] !== null)
        .map(([name]) => [name, found[name]]))
      if (!(kept.look in LOOKS)) { delete kept.look }
      for (const [name, values] of Object.entries(this.choices)) {
        if (!values.includes(kept[name])) { delete kept[name] }
      }
      for (const name of NOT_KEPT) { delete kept[name] }
      return kept
    } catch {
      return {} // no storage, or not ours: the standard view
    }
  }

  choose(preset) { this.update({preset, ...this.presets[preset]}) }

  nextPreset() {
    const names = [...this.buttons.keys()]
    this.choose(names[(names.indexOf(this.view.preset) + 1) % names.length])
  }

  slide(name) {
    const value = SLIDERS[name].value(Number(this.inputs.get(name).range.value))
    this.update({preset: "custom", [name]: value})
  }

  // Move a slider by steps.
  nudge(name, steps) {
    const {range} = this.inputs.get(name)
    range.value = Number(range.value) + steps * SLIDERS[name].step
    this.slide(name)
  }

  nextLook() {
    const names = Object.keys(LOOKS)
    this.update({look: names[(names.indexOf(this.view.look) + 1) % names.length]})
  }

  pick(name) { this.update({[name]: this.selects[name].value}) }

  next(name) {
    const values = this.choices[name]
    this.update({[name]: values[(values.indexOf(this.view[name]) + 1) % values.length]})
  }

  pickTriple() {
    const [red, green, blue] = this.channels.map((select) => select.value)
    this.setTriple([red, green === MEAN ? "" : green, blue])
  }

  // Choose the bands of the color picture, for all catalogs of the same bands.
  setTriple(triple) {
    this.update({triples: {...this.view.triples, [this.catalog.bands.join()]: triple}})
  }

  // The survey's choice, then every three neighboring bands from blue to red.
  nextTriple() {
    if (this.catalog === null || this.catalog.rendered || this.catalog.bands.length < 3) { return }
    const {bands, rgb_bands: own} = this.catalog
    const all = [own, ...bands.slice(2).map((red, k) => [red, bands[k + 1], bands[k]])]
    const different = all.filter((one, k) => k === 0 || one.join() !== own.join())
    const at = different.findIndex((one) => one.join() === tripleOf(this.catalog, this.view).join())
    this.setTriple(different[(at + 1) % different.length])
  }

  reset() { this.update(this.standard()) }

  update(changes) {
    this.view = {...this.view, ...changes}
    try {
      localStorage.setItem(VIEW_KEY, JSON.stringify(this.view))
    } catch {
      // storage is off or full: the view lasts as long as the page
    }
    this.render()
    this.onChange(this.view)
  }

  // What "auto" chose for the object shown, so that the sliders go on from there.
  suggest(parameters) {
    if (this.view.preset === "auto") {
      Object.assign(this.view, parameters)
      this.render()
    }
  }

  // Offer what suits a catalog: rendered pictures are shown as they are, there is nothing to adjust.
  setCatalog(catalog) {
    if (catalog === this.catalog) { return }
    this.catalog = catalog
    this.adjust.hidden = this.preset.hidden = catalog.rendered
    this.look.hidden = !catalog.looks?.length
    this.triple.hidden = catalog.bands.length < 2
    const options = (names) => names.map((name) => h("option", {value: name}, name))
    this.channels.forEach((select, k) => {
      select.replaceChildren(...options(k === 1 ? [...catalog.bands, MEAN] : catalog.bands))
    })
    // A triple that was remembered may name bands in vain.
    const triple = this.view.triples[catalog.bands.join()]
    const valid = Array.isArray(triple) && triple.length === 3 &&
      triple.every((name, k) => catalog.bands.includes(name) || (k === 1 && name === ""))
    if (triple !== undefined && !valid) { delete this.view.triples[catalog.bands.join()] }
    this.render()
  }

  render() {
    const {view} = this
    for (const [name, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(name === view.preset))
    }
    for (const [name, {range, output}] of this.inputs) {
      const {position, unit} = SLIDERS[name]
      range.value = position(view[name])
      output.textContent = `${view[name]}${unit && ` ${unit}`}`
    }
    for (const [name, select] of Object.entries(this.selects)) { select.value = view[name] }
    if (this.catalog !== null) {
      const triple = tripleOf(this.catalog, view)
      this.channels.forEach((select, k) => { select.value = triple[k] || MEAN })
      const look = lookOf(this.catalog, view)
      this.looks.value = look
      this.looks.title = `${LOOKS[look][1]} (key L)`
      this.preset.classList.toggle("idle", FIXED.includes(look))
    }
    this.invert.setAttribute("aria-pressed", String(view.invert))
    this.smooth.setAttribute("aria-pressed", String(view.smooth))
  }
}
