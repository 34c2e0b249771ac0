// Out of the program: downloads of the list as it is filtered, and of the chosen candidate.

class ExportMenu {
  // `words()` gives the words of the present address.
  constructor(formats, words) {
    this.formats = formats
    this.words = words
    this.items = h("div", {className: "menu-items export", role: "menu", "aria-label": "Export"})
    this.summary = h("summary", {title: "Write the candidates of this list, or the chosen one, to a file"},
      "Export")
    this.node = h("details", {className: "menu export-menu"}, this.summary, this.items)
    this.node.addEventListener("toggle", () => { if (this.node.open) { this.draw() } })
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.node.open) {
        this.node.open = false
        this.summary.focus()
        event.stopPropagation()
      }
    })
    this.close = (event) => {
      if (!event.composedPath().includes(this.node)) { this.node.open = false }
    }
    document.addEventListener("pointerdown", this.close)
  }

  draw() {
    const link = (format, only) => {
      const words = this.words()
      if (only) { words.set("only", "1") }
      return h("a", {role: "menuitem", href: `export/${format.name}?${words}`, download: "",
        onclick: () => { this.node.open = false }}, only ? `${format.title} (${format.suffix})` : format.title,
      !only && format.most !== null
        ? h("span", {className: "faint"}, `first ${formatCount(format.most)}`) : null)
    }
    const chosen = this.formats.filter(({name}) => ["cutouts", "png", "ds9", "csv"].includes(name))
    this.items.replaceChildren(
      h("h3", {}, "This list"), ...this.formats.map((format) => link(format, false)),
      h("h3", {}, "The chosen candidate"),
      ...this.words().has("candidate") ? chosen.map((format) => link(format, true)) : [],
    )
  }

  remove() { document.removeEventListener("pointerdown", this.close) }
}
