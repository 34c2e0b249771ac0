// The keys of the image viewer, for every page that shows one.

export const IMAGE_KEYS = {title: "Image", keys: [
  {keys: [..."123456789"], shown: "1 … 9", action: "band", text: "Show that band large; again: color"},
  {keys: ["ArrowRight"], shown: "→", action: "nextBand", text: "Next band"},
  {keys: ["ArrowLeft"], shown: "←", action: "previousBand", text: "Previous band"},
  {keys: ["0"], shown: "0", action: "color", text: "Show the color picture"},
  {keys: ["t"], shown: "t", action: "tile", text: "All bands side by side; again: one large"},
  {keys: ["F"], shown: "F", action: "fullScreen", text: "Pictures on the whole screen; again: the page"},
  {keys: ["b"], shown: "b", action: "blink", text: "Blink through the bands; again: stop"},
  {keys: ["l"], shown: "l", action: "light", text: "Subtract the light of the galaxy"},
  {keys: ["v"], shown: "v", action: "snr", text: "Show pixels in units of their noise (S/N)"},
]}
export const ZOOM_KEYS = {title: "Zoom and measure", keys: [
  {keys: ["+", "="], shown: "+", action: "zoomIn", text: "Zoom in (or the wheel)"},
  {keys: ["-", "_"], shown: "−", action: "zoomOut", text: "Zoom out"},
  {keys: ["Shift+ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"],
    shown: "Shift ↑↓←→", action: "pan", text: "Move the picture (or drag it)"},
  {keys: ["f"], shown: "f", action: "fit", text: "Whole cutout (or double click)"},
  {keys: ["D"], shown: "D", action: "ruler", text: "Ruler, for distance and angle (or Shift and drag)"},
  {keys: ["o"], shown: "o", action: "circle", text: "Circle, for a radius (or Alt and drag)"},
  {keys: ["c"], shown: "c", action: "crosshair", text: "Crosshair"},
  {keys: ["h"], shown: "h", action: "decorations", text: "Show or hide scale, compass and PSF"},
  {keys: ["Escape"], shown: "Esc", action: "escape", text: "Close the tool; again: remove the measurement"},
]}
export const STRETCH_KEYS = {title: "Stretch and color", keys: [
  {keys: ["p"], shown: "p", action: "preset", text: "Next preset: standard, faint, bright, auto"},
  {keys: [","], shown: ",", action: "stretchLess", text: "Smaller stretch: fainter things"},
  {keys: ["."], shown: ".", action: "stretchMore", text: "Larger stretch: brighter things"},
  {keys: ["<"], shown: "<", action: "blackLess", text: "Lower black point"},
  {keys: [">"], shown: ">", action: "blackMore", text: "Higher black point"},
  {keys: [";"], shown: ";", action: "qLess", text: "Smaller Q"},
  {keys: ["'"], shown: "'", action: "qMore", text: "Larger Q: more of bright cores"},
  {keys: ["L"], shown: "L", action: "look", text: "Next look: detail, Lupton, Legacy viewer, HSC map"},
  {keys: ["w"], shown: "w", action: "triple", text: "Next three bands as red, green, blue"},
  {keys: ["x"], shown: "x", action: "curve", text: "Next stretch of single bands"},
  {keys: ["g"], shown: "g", action: "palette", text: "Next color map of single bands"},
  {keys: ["i"], shown: "i", action: "invert", text: "Invert the pictures"},
  {keys: ["s"], shown: "s", action: "smooth", text: "Smooth between pixels"},
  {keys: ["r"], shown: "r", action: "reset", text: "Reset stretch, view and zoom"},
]}
const PAN_KEYS = {
  "Shift+ArrowUp": [0, -1], "Shift+ArrowDown": [0, 1], "Shift+ArrowLeft": [-1, 0], "Shift+ArrowRight": [1, 0],
}

// What the keys do: for each action, a function of the key.
export function imageActions(viewer, controls) {
  const flip = (name) => controls.update({[name]: !controls.view[name]})
  return {
    band: (key) => viewer.choose(viewer.bands[Number(key) - 1] ?? viewer.shown),
    nextBand: () => viewer.step(1),
    previousBand: () => viewer.step(-1),
    color: () => viewer.choose(null),
    fullScreen: () => fullScreen(viewer.node),
    tile: () => viewer.tile(),
    blink: () => viewer.blink(),
    light: () => flip("light"),
    snr: () => flip("snr"),
    zoomIn: () => viewer.zoom(1),
    zoomOut: () => viewer.zoom(-1),
    pan: (key) => viewer.pan(...PAN_KEYS[key]),
    fit: () => viewer.camera.reset(),
    ruler: () => viewer.use("ruler"),
    circle: () => viewer.use("circle"),
    crosshair: () => viewer.toggle("crosshair"),
    decorations: () => viewer.toggle("decorations"),
    escape: () => viewer.escape(),
    preset: () => controls.nextPreset(),
    stretchLess: () => controls.nudge("stretch", -2),
    stretchMore: () => controls.nudge("stretch", 2),
    blackLess: () => controls.nudge("black", -1),
    blackMore: () => controls.nudge("black", 1),
    qLess: () => controls.nudge("q", -2),
    qMore: () => controls.nudge("q", 2),
    look: () => controls.nextLook(),
    triple: () => controls.nextTriple(),
    curve: () => controls.next("curve"),
    palette: () => controls.next("palette"),
    invert: () => flip("invert"),
    smooth: () => flip("smooth"),
    reset: () => { viewer.reset(); controls.reset() },
  }
}

// Only what a key or a click asks for may fill the screen; a browser that refuses leaves the page as it is.
function fullScreen(node) {
  const asked = document.fullscreenElement === null ? node.requestFullscreen() : document.exitFullscreen()
  asked.catch(() => {})
}
