// The pointer over pictures: points, pans, zooms, measures.

const DRAG_FROM_PX = 4

export class Pointer {
  // `viewer`: an ImageViewer, which is told where the pointer is and what is measured with it.
  constructor(viewer) {
    this.viewer = viewer
    this.dragged = false // whether the press that ends now has moved the picture
  }

  // Follow the pointer over the picture of the cell `name`.
  listen(node, name) {
    const {viewer} = this
    const place = (event) => {
      const box = node.getBoundingClientRect()
      return {x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height}
    }
    let start = null
    node.addEventListener("pointermove", (event) => {
      if (viewer.row === null) { return }
      if (start !== null) { this.drag(start, event, place(event), node) }
      const at = viewer.camera.toImage(place(event))
      viewer.point(at.x >= 0 && at.x < 1 && at.y >= 0 && at.y < 1 ? {...at, name} : null)
    })
    node.addEventListener("pointerleave", () => viewer.point(null))
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || viewer.row === null) { return }
      const at = place(event)
      const tool = event.shiftKey ? "ruler" : event.altKey ? "circle" : viewer.tool
      start = {clientX: event.clientX, clientY: event.clientY, last: at, tool, image: viewer.camera.toImage(at)}
      this.dragged = false
    })
    const end = () => { start = null }
    node.addEventListener("pointerup", () => {
      if (start !== null && !this.dragged && node === viewer.frame.node) { viewer.onPick?.(start.image) }
      end()
    })
    node.addEventListener("pointercancel", end)
    node.addEventListener("dblclick", () => viewer.camera.reset())
    node.addEventListener("wheel", (event) => {
      if (viewer.row === null || event.ctrlKey) { return }
      event.preventDefault()
      viewer.camera.zoomBy(2 ** (-Math.sign(event.deltaY) / 3), place(event))
    }, {passive: false})
  }

  // Pan the picture, or measure with the tool that the press began with.
  drag(start, event, at, node) {
    const moved = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY)
    if (!this.dragged && moved < DRAG_FROM_PX) { return }
    if (!this.dragged) {
      this.dragged = true
      node.setPointerCapture(event.pointerId)
    }
    const {camera} = this.viewer
    if (start.tool === null) {
      camera.panBy(start.last.x - at.x, start.last.y - at.y)
    } else {
      this.viewer.mark(start.tool, start.image, camera.toImage(at))
    }
    start.last = at
  }
}
