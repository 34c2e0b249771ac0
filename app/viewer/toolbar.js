// Buttons over the picture: layers, tools, zoom and layout; each names its key.

import { h } from "../widgets/dom.js"

const ICONS = {
  ruler: "M2 12 12 2M2 12l0-4M2 12l4 0M12 2l-4 0M12 2l0 4",
  circle: "M7 1.5a5.5 5.5 0 1 0 .01 0M7 6.2v1.6M6.2 7h1.6",
  crosshair: "M7 1v4.5M7 8.5V13M1 7h4.5M8.5 7H13",
  decorations: "M1.5 12.5h6M1.5 10.5v2M7.5 10.5v2M11 7V1.5M11 1.5 9.3 4M11 1.5 12.7 4",
  tile: "M1.5 1.5h4.5v4.5H1.5zM8 1.5h4.5v4.5H8zM1.5 8h4.5v4.5H1.5zM8 8h4.5v4.5H8z",
  blink: "M1 7c3-5 9-5 12 0-3 5-9 5-12 0zM7 5.2a1.8 1.8 0 1 0 .01 0",
  out: "M2 7h10",
  in: "M2 7h10M7 2v10",
}

export class ImageToolbar {
  constructor(viewer, controls) {
    this.viewer = viewer
    this.controls = controls
    const toggleView = (name) => () => controls.update({[name]: !controls.view[name]})
    this.light = this.button("− Galaxy", "Subtract the light of the central galaxy (key l)", toggleView("light"))
    this.snr = this.button("S/N", "In units of the noise of each pixel (key v)", toggleView("snr"))
    this.ruler = this.icon("ruler", "Ruler: drag to measure length and position angle (key D, or Shift and drag)",
      () => viewer.use("ruler"))
    this.circle = this.icon("circle", "Circle: drag from its center to measure a radius (key o, or Alt and drag)",
      () => viewer.use("circle"))
    this.crosshair = this.icon("crosshair", "Crosshair (key c)", () => viewer.toggle("crosshair"))
    this.decorations = this.icon("decorations", "Scale, compass and PSF (key h)",
      () => viewer.toggle("decorations"))
    this.tile = this.icon("tile", "All bands side by side (key t)", () => viewer.tile())
    this.blink = this.icon("blink", "Blink through the bands (key b)", () => viewer.blink())
    this.fit = this.button("1×", "Whole cutout (key f, or double click)", () => viewer.camera.reset())
    this.layers = h("span", {className: "segments", role: "group", "aria-label": "Layer"}, this.light, this.snr)
    const segments = (name, ...buttons) =>
      h("span", {className: "segments", role: "group", "aria-label": name}, buttons)
    this.node = h("div", {className: "toolbar", role: "toolbar", "aria-label": "Picture"},
      this.layers,
      segments("Layout", this.tile, this.blink),
      segments("Tools", this.ruler, this.circle, this.crosshair, this.decorations),
      segments("Zoom", this.icon("out", "Zoom out (key −, or the wheel)", () => viewer.zoom(-1)), this.fit,
        this.icon("in", "Zoom in (key +, or the wheel)", () => viewer.zoom(1))),
    )
    viewer.onTool = () => this.render()
    this.render()
  }

  button(text, title, action) {
    return h("button", {type: "button", title, onclick: action}, text)
  }

  icon(name, title, action) {
    const drawing = h("svg", {class: "icon", viewBox: "0 0 14 14", "aria-hidden": "true"},
      h("path", {d: ICONS[name]}))
    return h("button", {type: "button", title, "aria-label": title, onclick: action}, drawing)
  }

  render() {
    const {viewer, controls} = this
    const press = (button, on) => button.setAttribute("aria-pressed", String(on))
    this.layers.hidden = viewer.catalog?.rendered ?? false
    press(this.light, controls.view.light)
    press(this.snr, controls.view.snr)
    press(this.tile, viewer.tiled)
    press(this.blink, viewer.blinking !== null)
    press(this.ruler, viewer.tool === "ruler")
    press(this.circle, viewer.tool === "circle")
    press(this.crosshair, viewer.crosshair)
    press(this.decorations, viewer.decorations)
    const zoom = viewer.camera.zoom
    this.fit.textContent = `${zoom < 10 ? Number(zoom.toFixed(1)) : zoom.toFixed(0)}×`
  }
}
