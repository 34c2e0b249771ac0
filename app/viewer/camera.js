// Zoom and pan, shared by all frames below one element.

const MOST_ZOOM = 64

// Places in an image are fractions of it, from its left and top; so are places in a frame.
export class Camera {
  // Frames follow by the custom properties of `node`; `onChange` is for what is drawn over them.
  constructor(node, onChange) {
    this.node = node
    this.onChange = onChange
    this.reset()
  }

  reset() {
    this.zoom = 1
    this.x = this.y = 0.5 // of the image, in the middle of the frame
    this.apply()
  }

  // Zoom about a place of the frame, which stays where it is.
  zoomBy(factor, at = {x: 0.5, y: 0.5}) {
    const held = this.toImage(at)
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor))
    this.x = held.x - (at.x - 0.5) / this.zoom
    this.y = held.y - (at.y - 0.5) / this.zoom
    this.apply()
  }

  // Move by fractions of the frame, to the right and down.
  panBy(dx, dy) {
    this.x += dx / this.zoom
    this.y += dy / this.zoom
    this.apply()
  }

  toImage({x, y}) {
    return {x: this.x + (x - 0.5) / this.zoom, y: this.y + (y - 0.5) / this.zoom}
  }

  toFrame({x, y}) {
    return {x: 0.5 + (x - this.x) * this.zoom, y: 0.5 + (y - this.y) * this.zoom}
  }

  apply() {
    const edge = 0.5 / this.zoom
    this.x = Math.min(1 - edge, Math.max(edge, this.x))
    this.y = Math.min(1 - edge, Math.max(edge, this.y))
    const {style} = this.node
    style.setProperty("--zoom", String(this.zoom))
    style.setProperty("--shift-x", `${100 * (0.5 - this.x) * this.zoom}%`)
    style.setProperty("--shift-y", `${100 * (0.5 - this.y) * this.zoom}%`)
    this.onChange()
  }
}
