// How pictures are drawn: presets, sliders, curve of single bands, inversion.

const VIEW_KEY = "lens-triage-view"
const SLIDERS = {
  // name: label, range of the input, and how its position becomes a value
  black: {label: "Black", min: -10, max: 30, step: 0.5, unit: "σ",
    title: "Black point, in units of the sky noise",
    value: (x) => x, position: (value) => value},
  stretch: {label: "Stretch", min: -0.5, max: 3, step: 0.05, unit: "σ",
    title: "Intensities above the black point below about this one are drawn linearly, in units of the sky noise",
    value: (x) => Number((10 ** x).toPrecision(2)), position: (value) => Math.log10(value)},
  q: {label: "Q", min: 0, max: 30, step: 0.5, unit: "",
    title: "Asinh softening: larger shows more of bright cores",
    value: (x) => x, position: (value) => value},
}

class ImageControls {
  constructor(presets, curves, onChange) {
    this.presets = presets
    this.onChange = onChange
    this.view = {...this.standard(), ...this.remembered()}
    this.buttons = new Map([...Object.keys(presets), "auto"].map((name) => [name, h(
      "button", {type: "button", onclick: () => this.choose(name),
        title: name === "auto" ? "Suit the stretch to each object" : `Preset "${name}"`},
      name[0].toUpperCase() + name.slice(1),
    )]))
    this.inputs = new Map(Object.entries(SLIDERS).map(([name, slider]) => [name, {
      range: h("input", {type: "range", min: slider.min, max: slider.max, step: slider.step,
        "aria-label": slider.title, oninput: () => this.slide(name)}),
      output: h("output", {}),
    }]))
    this.curve = h(
      "select", {title: "Stretch of single bands", "aria-label": "Stretch of single bands",
        onchange: () => this.update({curve: this.curve.value})},
      curves.map((curve) => h("option", {value: curve}, curve)),
    )
    this.invert = h("button", {type: "button", title: "Invert (key i)",
      onclick: () => this.update({invert: !this.view.invert})}, "Invert")
    this.smooth = h("button", {type: "button", title: "Smooth between pixels (key s)",
      onclick: () => this.update({smooth: !this.view.smooth})}, "Smooth")
    this.adjust = h(
      "div", {className: "adjust"},
      h("div", {className: "segments", role: "group", "aria-label": "Stretch preset"},
        ...this.buttons.values()),
      [...this.inputs].map(([name, {range, output}]) => h(
        "label", {className: "slider", title: SLIDERS[name].title},
        h("span", {}, SLIDERS[name].label), range, output,
      )),
      h("label", {className: "curve"}, h("span", {}, "Bands"), this.curve),
    )
    this.node = h("div", {className: "controls"}, this.adjust,
      h("div", {className: "segments"}, this.invert, this.smooth))
    this.render()
  }

  standard() {
    return {preset: "standard", ...this.presets.standard, curve: "asinh", invert: false, smooth: false}
  }

  remembered() {
    try {
      const found = JSON.parse(localStorage.getItem(VIEW_KEY)) ?? {}
      const known = Object.entries(this.standard())
      return Object.fromEntries(known
        .filter(([name, value]) => typeof found[name] === typeof value)
        .map(([name]) => [name, found[name]]))
    } catch {
      return {} // no storage, or not ours: the standard view
    }
  }

  choose(preset) { this.update({preset, ...this.presets[preset]}) }

  slide(name) {
    const value = SLIDERS[name].value(Number(this.inputs.get(name).range.value))
    this.update({preset: "custom", [name]: value})
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

  // Rendered pictures are shown as they are: there is nothing to adjust.
  setRendered(rendered) { this.adjust.hidden = rendered }

  render() {
    for (const [name, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(name === this.view.preset))
    }
    for (const [name, {range, output}] of this.inputs) {
      const {position, unit} = SLIDERS[name]
      range.value = position(this.view[name])
      output.textContent = `${this.view[name]}${unit && ` ${unit}`}`
    }
    this.curve.value = this.view.curve
    this.invert.setAttribute("aria-pressed", String(this.view.invert))
    this.smooth.setAttribute("aria-pressed", String(this.view.smooth))
  }
}
