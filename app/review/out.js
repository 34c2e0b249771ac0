// Out of the program: downloads of the list as it is filtered, and of the chosen candidate.

import { copyText, sayOn } from "../widgets/copying.js"
import { formatCount, h } from "../widgets/dom.js"

// A button that copies the address of the list and its candidate; `write()` brings it up to date.
export function linkButton(write, notify) {
  const button = h("button", {type: "button", title: "Copy the address of this list and candidate",
    onclick: async () => {
      write()
      if (await copyText(location.href)) { sayOn(button, "Copied", "Copy link") }
      else { notify(`This browser does not allow pages to use the clipboard. The link: ${location.href}`) }
    }}, "Copy link")
  return button
}

export class ExportMenu {
  // `words()` gives the words of the present address.
  constructor(formats, words, samp) {
    this.samp = samp
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
      h("h3", {title: "Messages between TOPCAT, DS9, Aladin and this program"}, "Other programs (SAMP)"),
      this.samp.node,
    )
    this.samp.ask("samp_state")
  }

  remove() { document.removeEventListener("pointerdown", this.close) }
}

// Tables, images and positions to TOPCAT, DS9 or Aladin; what they point at opens here.
export class SampMenu {
  // `about()` gives the query and the chosen candidate; `on` says what to do with what others point at.
  constructor(send, about, on) {
    this.send = send
    this.about = about
    this.on = on
    this.state = h("p", {className: "faint", role: "status"})
    const button = (text, type) => h("button", {type: "button", onclick: () => this.ask(type)}, text)
    this.connect = button("Connect", "samp_connect")
    this.disconnect = button("Disconnect", "samp_disconnect")
    this.senders = [button("Send list", "samp_table"), button("Send image", "samp_image"),
      button("Send position", "samp_position")]
    this.node = h("div", {className: "samp"}, this.connect, ...this.senders, this.disconnect, this.state)
    this.show({connected: false, others: [], sent: ""})
  }

  ask(type) {
    this.state.textContent = type === "samp_state" ? "" : "…"
    this.send({type, ...this.about()}, (answer) => this.show(answer),
      (text) => { this.state.textContent = text })
  }

  show({connected, others, sent}) {
    this.connect.hidden = connected
    for (const node of [...this.senders, this.disconnect]) { node.hidden = !connected }
    const there = others.length ? `Connected: ${others.join(", ")}.` : "No other program is connected to the hub."
    this.state.textContent = [sent, connected ? there : sent ? "" : "Not connected."].join(" ").trim()
  }

  receive({open, selection, notice}) {
    if (open !== undefined) { this.on.open(open) }
    if (selection !== undefined) { this.on.select(selection) }
    if (notice !== undefined) { this.on.notice(notice) }
  }
}
