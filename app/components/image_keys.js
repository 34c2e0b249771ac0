// The keys of the image viewer, for every page that shows one.

const IMAGE_KEYS = {title: "Image", keys: [
  {keys: [..."123456789"], shown: "1 … 9", action: "band", text: "Show that band large; again: colour"},
  {keys: ["0"], shown: "0", action: "colour", text: "Show the colour picture"},
  {keys: ["b"], shown: "b", action: "blink", text: "Blink through the bands; again: stop"},
  {keys: ["i"], shown: "i", action: "invert", text: "Invert the pictures"},
  {keys: ["s"], shown: "s", action: "smooth", text: "Smooth between pixels"},
  {keys: ["r"], shown: "r", action: "reset", text: "Reset stretch and view"},
]}

// What the keys do.
function imageActions(viewer, controls) {
  return {
    band: (key) => viewer.choose(viewer.bands[Number(key) - 1] ?? viewer.shown),
    colour: () => viewer.shown === null || viewer.choose(viewer.shown),
    blink: () => viewer.blink(),
    invert: () => controls.update({invert: !controls.view.invert}),
    smooth: () => controls.update({smooth: !controls.view.smooth}),
    reset: () => { viewer.reset(); controls.reset() },
  }
}
