// Made by "make scripts" from app/rail.js; edit that. Sources: sha256 bca00cc71377838e3b69a270844bd93cc9bf80ab68d26e0d3cc4b5019a686f86
// app/widgets/dom.js
function h(tag, properties = {}, ...children) {
  const namespace = SVG_TAGS.has(tag) ? "http://www.w3.org/2000/svg" : null;
  const node = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === void 0) {
      continue;
    } else if (name.startsWith("on")) {
      node.addEventListener(name.slice(2), value);
    } else if (!namespace && name in node && name !== "list") {
      node[name] = value;
    } else {
      node.setAttribute(name, value);
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== void 0));
  return node;
}
var SVG_TAGS = /* @__PURE__ */ new Set(["svg", "g", "line", "circle", "rect", "path", "text"]);

// app/widgets/select_keys.js
var KEYS = ["Enter", " ", "ArrowDown", "ArrowUp"];
function chooserOf(event) {
  if (!KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return null;
  const at = event.composedPath()[0];
  if (!at?.matches?.(".MuiSelect-select[role=combobox]")) return null;
  const closed = at.getAttribute("aria-expanded") !== "true";
  return closed && at.getAttribute("aria-disabled") !== "true" ? at : null;
}
function openChoosersByKey() {
  document.addEventListener("keydown", (event) => {
    const chooser = chooserOf(event);
    if (!chooser) return;
    event.preventDefault();
    chooser.click();
  });
}

// app/rail.js
var ANSWER_MS = 3e4;
var DRAWN_MS = 15e3;
var FRAME_MS = 30;
function pageOf(url, base, pages) {
  const to = new URL(url, base);
  const from = new URL(base);
  if (to.origin !== from.origin) return null;
  const folder = from.pathname.slice(0, from.pathname.lastIndexOf("/") + 1);
  if (!to.pathname.startsWith(folder)) return null;
  const page = to.pathname.slice(folder.length);
  return pages.includes(page) ? { page, query: to.search.slice(1) } : null;
}
function linkOf(event) {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.composedPath().find((node) => node.tagName === "A" && node.href);
  if (!link || link.hasAttribute("download")) return null;
  return link.target && link.target !== "_self" ? null : link;
}
var Rail = class {
  constructor(model) {
    this.model = model;
    this.number = 0;
    this.stale = false;
    this.links = new Map(model.items.map(({ page, title, icon }) => {
      const drawing = h("span", { className: "icon" });
      drawing.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${icon}</svg>`;
      return [page, h("a", { href: page }, drawing, title)];
    }));
    this.bar = h("div", { className: "bar", hidden: true });
    this.node = h("div", {}, this.bar, h("nav", { ariaLabel: "Pages" }, ...this.links.values()));
    this.mark(model.shown.page);
    this.onClick = (event) => this.click(event);
    this.onBack = () => this.go(location.href, false);
    this.onSight = () => model.send_msg({ type: "sight", hidden: document.hidden });
    this.onStorage = (event) => {
      if (event.key === "lens-triage-signed") this.stale = true;
    };
    window.addEventListener("storage", this.onStorage);
    window.addEventListener("click", this.onClick);
    window.addEventListener("popstate", this.onBack);
    document.addEventListener("visibilitychange", this.onSight);
    model.on("shown", () => this.arrive(model.shown));
    model.on("msg:custom", (message) => {
      if (message.type === "building") this.heard = true;
    });
    if (document.hidden) this.onSight();
    onlyNewAddresses();
    followConnection();
    layOutOnlyDrawnPlots();
    openChoosersByKey();
  }
  mark(page) {
    for (const [name, link] of this.links) {
      if (name === page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
  click(event) {
    const link = linkOf(event);
    if (!link || !pageOf(link.href, document.baseURI, this.model.pages)) return;
    if (link.href.includes("#") || this.stale || !connected()) return;
    event.preventDefault();
    this.go(link.href, true);
  }
  // Ask for a page; `push` writes its address into the history, which "back" has done already.
  go(href, push) {
    const found = pageOf(href, document.baseURI, this.model.pages);
    if (!found || this.stale || !connected()) return location.reload();
    const leave = new CustomEvent("lens-triage-leave", { cancelable: true });
    if (!document.dispatchEvent(leave)) {
      if (push) location.href = href;
      else location.reload();
      return void 0;
    }
    if (push) history.pushState({}, "", href);
    this.mark(found.page);
    this.bar.hidden = false;
    tellLocation();
    this.number += 1;
    this.heard = false;
    const number = this.number;
    this.model.send_msg({ type: "go", ...found, number });
    return setTimeout(() => {
      if (!this.heard && this.number === number) location.reload();
    }, ANSWER_MS);
  }
  // The server has sent a page. It keeps changes back until it hears that the page is drawn.
  async arrive({ page, title, number }) {
    if (number !== this.number) return;
    this.mark(page);
    document.title = title;
    const frame = this.node.getRootNode().host?.getRootNode();
    frame?.querySelector(".main-content")?.scrollTo(0, 0);
    await drawn();
    if (number !== this.number) return;
    this.bar.hidden = true;
    this.model.send_msg({ type: "drawn", number });
  }
  remove() {
    window.removeEventListener("storage", this.onStorage);
    window.removeEventListener("click", this.onClick);
    window.removeEventListener("popstate", this.onBack);
    document.removeEventListener("visibilitychange", this.onSight);
  }
};
async function drawn() {
  const end = performance.now() + DRAWN_MS;
  const frame = () => new Promise((resolve) => setTimeout(resolve, FRAME_MS));
  await frame();
  while (performance.now() < end) {
    const roots = [...globalThis.Bokeh?.index?.roots ?? []];
    if (roots.every((root) => root.has_finished())) return;
    await frame();
  }
}
var lost = false;
var connected = () => !lost;
function followConnection() {
  const bokeh = globalThis.Bokeh?.documents[0];
  bokeh?.on_event("connection_lost", () => {
    lost = true;
  });
  bokeh?.on_event("client_reconnected", () => {
    lost = false;
  });
}
function layOutOnlyDrawnPlots() {
  const view = globalThis.Bokeh?.Models?.get("Plot")?.prototype.default_view?.prototype;
  if (!view || view.laysOutOnlyDrawn) return;
  for (const name of ["_measure_layout", "_compute_layout", "after_layout"]) {
    const method = view[name];
    view[name] = function onlyDrawn(...given) {
      return this.layout ? method.apply(this, given) : void 0;
    };
  }
  view.laysOutOnlyDrawn = true;
}
function tellLocation() {
  const model = globalThis.Bokeh?.documents[0]?.roots().find((root) => root.name === "location");
  const { pathname, search, hash } = location;
  model?.setv({ pathname, search, hash });
}
function onlyNewAddresses() {
  if (history.pushState.name === "pushNew") return;
  const push = history.pushState.bind(history);
  history.pushState = function pushNew(state, unused, url) {
    if (url && new URL(url, location.href).href === location.href) return;
    push(state, unused, url);
  };
}
function render({ model }) {
  const rail = new Rail(model);
  model.on("remove", () => rail.remove());
  return rail.node;
}
export {
  linkOf,
  pageOf,
  render
};
