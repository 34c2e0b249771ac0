// The navigation, and the change from page to page within one document: links to pages of the
// program anywhere on a page are asked of the server over the connection that is open, and the
// frame stays. Where that connection is gone the browser loads the page as any other link.

import { openMenusOfPlots } from "./widgets/chart_menu.js"
import { h } from "./widgets/dom.js"
import { CHANGED, keepPreferences, preferencesOf } from "./widgets/preferences.js"
import { openChoosersByKey } from "./widgets/select_keys.js"
import { THEME_EVENT, ThemeChoice } from "./theme_choice.js"
import { defineTerm, learn } from "./widgets/term.js"

const ANSWER_MS = 30000 // a server that has not even said "on its way" by then is away
const DRAWN_MS = 15000
const FRAME_MS = 30

// Do something once a document is drawn; what the server changes before that does not arrive.
export function whenIdle(document, action) {
  if (!document || document.is_idle) action()
  else document.idle.connect(action)
}

// The page that a link leads to: {page, query}, or null for an address that is none of ours.
export function pageOf(url, base, pages) {
  const to = new URL(url, base)
  const from = new URL(base)
  if (to.origin !== from.origin) return null
  const folder = from.pathname.slice(0, from.pathname.lastIndexOf("/") + 1)
  if (!to.pathname.startsWith(folder)) return null
  const page = to.pathname.slice(folder.length)
  return pages.includes(page) ? {page, query: to.search.slice(1)} : null
}

// The link that a click means to follow here, in this tab; null for all others.
export function linkOf(event) {
  if (event.defaultPrevented || event.button !== 0) return null
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null
  const link = event.composedPath().find((node) => node.tagName === "A" && node.href)
  if (!link || link.hasAttribute("download")) return null
  return link.target && link.target !== "_self" ? null : link
}

class Rail {
  constructor(model) {
    this.model = model
    this.number = 0
    this.stale = false // somebody signed in or out in another tab
    learn(model.glossary)
    defineTerm()
    this.apart = model.items.filter(({apart}) => apart).map(({page}) => page)
    this.links = new Map(model.items.map(({page, title, icon, apart}) => {
      const drawing = h("span", {className: "icon"})
      drawing.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${icon}</svg>`
      return [page, h("a", {href: page, ...(apart ? {target: "_blank", title: `${title}: guide to this page`} : {})},
        drawing, title)]
    }))
    this.bar = h("div", {className: "bar", hidden: true})
    this.node = h("div", {}, this.bar, h("nav", {ariaLabel: "Pages"}, ...this.links.values()))
    this.mark(model.shown.page)
    new ResizeObserver(() => this.showCurrent()).observe(this.node)
    this.onClick = (event) => this.click(event)
    this.onBack = () => this.go(location.href, false)
    this.onSight = () => model.send_msg({type: "sight", hidden: document.hidden})
    this.onStorage = (event) => { if (event.key === "lens-triage-signed") this.stale = true }
    window.addEventListener("storage", this.onStorage)
    window.addEventListener("click", this.onClick)
    window.addEventListener("popstate", this.onBack)
    document.addEventListener("visibilitychange", this.onSight)
    model.on("shown", () => this.arrive(model.shown))
    model.on("msg:custom", (message) => { if (message.type === "building") this.heard = true })
    if (document.hidden) this.onSight()
    this.followTheme()
    onlyNewAddresses()
    followConnection()
    layOutOnlyDrawnPlots()
    openChoosersByKey()
    openMenusOfPlots()
  }

  followTheme() {
    const {model} = this
    const system = matchMedia("(prefers-color-scheme: dark)")
    const theme = new ThemeChoice({
      theme: preferencesOf(model.preferences).theme, dark: model.dark, system, left: model.left,
      ask: (dark) => whenIdle(model.document, () => model.send_msg({type: "scheme", dark})),
      keep: (chosen) => keepPreferences({theme: chosen}, model.preferences).catch(() => {}), // until the page is left
    })
    this.onSystem = () => theme.follow()
    this.onTheme = (/** @type {any} */ event) => theme.turned(event.detail)
    this.onPreferences = (/** @type {any} */ event) => theme.prefer(event.detail.theme)
    this.system = system
    system.addEventListener("change", this.onSystem)
    document.addEventListener(THEME_EVENT, this.onTheme)
    document.addEventListener(CHANGED, this.onPreferences)
  }

  mark(page) {
    for (const name of this.apart) {
      this.links.get(name).href = name === page ? name : `${name}?page=${page}`
    }
    for (const [name, link] of this.links) {
      if (name === page) link.setAttribute("aria-current", "page")
      else link.removeAttribute("aria-current")
    }
    this.showCurrent()
  }

  // In a narrow window the links stand in a row that scrolls.
  showCurrent() {
    this.node.querySelector("a[aria-current]")?.scrollIntoView({block: "nearest", inline: "center"})
  }

  click(event) {
    const link = linkOf(event)
    if (!link || !pageOf(link.href, document.baseURI, this.model.pages)) return
    if (link.href.includes("#") || this.stale || !connected()) return
    event.preventDefault()
    this.go(link.href, true)
  }

  // Ask for a page; `push` writes its address into the history, which "back" has done already.
  go(href, push) {
    const found = pageOf(href, document.baseURI, this.model.pages)
    if (!found || this.stale || !connected()) return location.reload()
    // Who holds something back has the browser ask its person, which it does at a real change.
    const leave = new CustomEvent("lens-triage-leave", {cancelable: true})
    if (!document.dispatchEvent(leave)) {
      if (push) location.href = href
      else location.reload()
      return undefined
    }
    if (push) history.pushState({}, "", href)
    this.mark(found.page)
    this.bar.hidden = false
    tellLocation()
    this.number += 1
    this.heard = false
    const number = this.number
    this.model.send_msg({type: "go", ...found, number})
    return setTimeout(() => {
      if (!this.heard && this.number === number) location.reload()
    }, ANSWER_MS)
  }

  // The server has sent a page. It keeps changes back until it hears that the page is drawn.
  async arrive({page, title, number}) {
    if (number !== this.number) return // another page has been asked for since
    this.mark(page)
    document.title = title
    const frame = this.node.getRootNode().host?.getRootNode()
    frame?.querySelector(".main-content")?.scrollTo(0, 0)
    await drawn()
    if (number !== this.number) return
    this.bar.hidden = true
    this.model.send_msg({type: "drawn", number})
  }

  remove() {
    window.removeEventListener("storage", this.onStorage)
    window.removeEventListener("click", this.onClick)
    window.removeEventListener("popstate", this.onBack)
    document.removeEventListener("visibilitychange", this.onSight)
    this.system.removeEventListener("change", this.onSystem)
    document.removeEventListener(THEME_EVENT, this.onTheme)
    document.removeEventListener(CHANGED, this.onPreferences)
  }
}

// Wait until Bokeh's parts are drawn, or for so long that no longer wait would help.
async function drawn() {
  const end = performance.now() + DRAWN_MS
  const frame = () => new Promise((resolve) => setTimeout(resolve, FRAME_MS))
  await frame()
  while (performance.now() < end) {
    const roots = [...globalThis.Bokeh?.index?.roots ?? []]
    if (roots.every((root) => root.has_finished())) return
    await frame()
  }
}

// Whether messages reach the server, as far as Bokeh has noticed.
let lost = false
const connected = () => !lost

function followConnection() {
  const bokeh = globalThis.Bokeh?.documents[0]
  bokeh?.on_event("connection_lost", () => { lost = true })
  bokeh?.on_event("client_reconnected", () => { lost = false })
}

// Bokeh lays out plots whenever what is around them changes its size, those too that have come with
// a page and are not drawn yet; that fails, and its error is the console's.
function layOutOnlyDrawnPlots() {
  const view = globalThis.Bokeh?.Models?.get("Plot")?.prototype.default_view?.prototype
  if (!view || view.laysOutOnlyDrawn) return
  for (const name of ["_measure_layout", "_compute_layout", "after_layout"]) {
    const method = view[name]
    view[name] = function onlyDrawn(...given) {
      return this.layout ? method.apply(this, given) : undefined
    }
  }
  view.laysOutOnlyDrawn = true
}

// Panel's model of the address follows what the browser shows, so that a page changes the query
// string of its own address.
function tellLocation() {
  const model = globalThis.Bokeh?.documents[0]?.roots().find((root) => root.name === "location")
  const {pathname, search, hash} = location
  model?.setv({pathname, search, hash})
}

// Panel's model pushes an address at every change of one of its parts, the same one several times,
// and each would be one more "back".
function onlyNewAddresses() {
  if (history.pushState.name === "pushNew") return
  const push = history.pushState.bind(history)
  history.pushState = function pushNew(state, unused, url) {
    if (url && new URL(url, location.href).href === location.href) return
    push(state, unused, url)
  }
}

export function render({model}) {
  const rail = new Rail(model)
  model.on("remove", () => rail.remove())
  return rail.node
}
