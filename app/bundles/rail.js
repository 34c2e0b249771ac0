// Made by "make scripts" from app/rail.js; edit that. Sources: sha256 d5a14eea954982070b41d7c536748cecfaf1e5fb74ee55f8bfbaa55e63b5e0fe
// app/widgets/chart_svg.js
var SVG = "http://www.w3.org/2000/svg";
var PAINTS = ["fill", "stroke"];
var INLINED = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "opacity",
  "font-size",
  "font-family",
  "font-weight",
  "text-anchor"
];
var LIGHT = 0.6;
var GRAY = 0.25;
var DARK = 64;
var PX_PER_PT = 4 / 3;
function onWhite(rgb) {
  const [high, low] = [Math.max(...rgb) / 255, Math.min(...rgb) / 255];
  const lightness = (high + low) / 2;
  if (lightness <= LIGHT && high - low >= GRAY) {
    return rgb;
  }
  const change = 255 * (1 - 2 * lightness);
  return rgb.map((part) => Math.round(Math.min(255, Math.max(0, part + change))));
}
var read = /* @__PURE__ */ (() => {
  const kept = /* @__PURE__ */ new Map();
  let pen;
  return (color) => {
    if (!kept.has(color)) {
      pen ??= Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = color;
      pen.fillRect(0, 0, 1, 1);
      kept.set(color, [...pen.getImageData(0, 0, 1, 1).data]);
    }
    return kept.get(color);
  };
})();
function isDark() {
  const [red, green, blue] = read(getComputedStyle(document.documentElement).getPropertyValue("--panel-background-color"));
  return red + green + blue < 384;
}
function standalone(chart, dark) {
  const svg = typeof chart === "string" ? fromText(chart) : inlined(chart);
  for (const node of svg.querySelectorAll("*")) {
    for (const paint of PAINTS) {
      const color = node.getAttribute(paint);
      if (!color || color === "none" || color.startsWith("url(")) {
        continue;
      }
      const [red, green, blue, alpha] = read(color);
      const seen = dark ? onWhite([red, green, blue]) : [red, green, blue];
      const ground2 = paint === "fill" && dark && Math.max(red, green, blue) < DARK;
      node.setAttribute(paint, ground2 ? "#ffffff" : `#${seen.map((part) => part.toString(16).padStart(2, "0")).join("")}`);
      if (alpha < 255) {
        const opacity = Number(node.getAttribute(`${paint}-opacity`) ?? 1) * alpha / 255;
        node.setAttribute(`${paint}-opacity`, String(Number(opacity.toFixed(3))));
      }
    }
  }
  const [width, height] = ["width", "height"].map((side) => svg.getAttribute(side));
  if (!svg.hasAttribute("viewBox")) {
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  }
  const ground = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ width, height, fill: "#ffffff" })) {
    ground.setAttribute(name, value);
  }
  svg.prepend(ground);
  svg.setAttribute("xmlns", SVG);
  return svg;
}
function fromText(text) {
  const { documentElement } = new DOMParser().parseFromString(text, "image/svg+xml");
  const svg = (
    /** @type {SVGSVGElement} */
    /** @type {any} */
    document.importNode(documentElement, true)
  );
  for (
    const side of
    /** @type {const} */
    ["width", "height"]
  ) {
    const size = svg.getAttribute(side) ?? String(svg.viewBox.baseVal[side]);
    svg.setAttribute(side, String(Number.parseFloat(size) * (size.endsWith("pt") ? PX_PER_PT : 1)));
  }
  for (
    const node of
    /** @type {NodeListOf<SVGElement>} */
    svg.querySelectorAll("[style]")
  ) {
    for (const name of INLINED) {
      const value = node.style.getPropertyValue(name);
      if (value) {
        node.setAttribute(name, value);
      }
    }
  }
  return svg;
}
function inlined(chart) {
  const copy = (
    /** @type {SVGSVGElement} */
    chart.cloneNode(true)
  );
  const [from, to] = [chart, copy].map((svg) => [...svg.querySelectorAll("*")]);
  from.forEach((node, k) => {
    const style = getComputedStyle(node);
    for (const name of INLINED) {
      const value = style.getPropertyValue(name);
      if (value && value !== "none" || PAINTS.includes(name)) {
        to[k].setAttribute(name, value);
      }
    }
    to[k].removeAttribute("class");
  });
  const { width, height } = chart.viewBox.baseVal;
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  for (const name of ["class", "role", "aria-label"]) {
    copy.removeAttribute(name);
  }
  return copy;
}
var textOf = (svg) => new XMLSerializer().serializeToString(svg);

// app/widgets/chart_export.js
var SINGLE_DIGITS = 7;
var FORMULA = /^[=+\-@\t\r]/;
function cellOf(value) {
  if (value === null || value === void 0 || Number.isNaN(value)) {
    return "";
  }
  let text = String(value);
  if (typeof value !== "number" && FORMULA.test(text)) {
    text = `'${text}`;
  }
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
function csvOf(series) {
  const names = [...new Set(series.flatMap(({ columns }) => Object.keys(columns)))];
  const several = series.length > 1;
  const lines = [[...several ? ["series"] : [], ...names].map(cellOf).join(",")];
  for (const { name, columns } of series) {
    const tell = (value, column) => column instanceof Float32Array && value !== void 0 ? Number(value.toPrecision(SINGLE_DIGITS)) : value;
    const length = Math.max(0, ...Object.values(columns).map((column) => column.length));
    for (let k = 0; k < length; k++) {
      const cells = names.map((column) => cellOf(tell(columns[column]?.[k], columns[column])));
      lines.push([...several ? [cellOf(name)] : [], ...cells].join(","));
    }
  }
  return `${lines.join("\n")}
`;
}
function fileName(name, kind) {
  return `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "chart"}.${kind}`;
}
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
}
var PNG_SCALE = 3;
async function saveChart(kind, { title, svg, dark, series }) {
  save(kind === "csv" ? new Blob([csvOf(series())], { type: "text/csv;charset=utf-8" }) : await FIGURE_MAKERS[kind](standalone(await svg(), dark), title), fileName(title, kind));
}
var FIGURE_MAKERS = { svg: async (svg) => new Blob([textOf(svg)], { type: "image/svg+xml" }), png: pngOf, pdf: pdfOf };
async function pngOf(svg) {
  const [width, height] = ["width", "height"].map((side) => Number.parseFloat(svg.getAttribute(side)));
  const sheet = Object.assign(document.createElement("canvas"), { width: PNG_SCALE * width, height: PNG_SCALE * height });
  const image = new Image();
  const url = URL.createObjectURL(await FIGURE_MAKERS.svg(svg));
  try {
    image.src = url;
    await image.decode();
    sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
  } finally {
    URL.revokeObjectURL(url);
  }
  return new Promise((resolve) => sheet.toBlob(resolve, "image/png"));
}
async function pdfOf(svg, title) {
  const address = (name) => new URL(`chart-pdf/${name}`, document.baseURI).href;
  const [writer, font] = await Promise.all([import(address("writer")), fetch(address("font")).then((reply) => {
    if (!reply.ok) {
      throw new Error(`the server answered ${reply.status}`);
    }
    return reply.arrayBuffer();
  })]);
  return writer.pdfOf(svg, font, title);
}

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

// app/widgets/term.js
var REST_MS = 150;
var GAP_PX = 6;
var CSS = `
:host { display: inline; }
button { all: unset; display: inline; cursor: help; text-decoration: underline dotted 1px; text-underline-offset: 3px; }
button:focus-visible { outline: 2px solid var(--lt-accent); outline-offset: 2px; border-radius: 2px; }
[role="tooltip"] { position: fixed; inset: auto; margin: 0; max-width: min(320px, 90vw); padding: 7px 11px; border-radius: 7px;
  border: 1px solid var(--lt-line); background: var(--lt-surface); color: var(--lt-text); box-shadow: 0 4px 18px rgb(0 0 0 / 22%);
  font: 400 12.5px/1.45 Roboto, Helvetica, Arial, sans-serif; text-align: left; white-space: normal; letter-spacing: 0; }
`;
var glossary = {};
function learn(terms) {
  glossary = terms;
}
function placeOf(word, size, view) {
  const below = word.bottom + GAP_PX;
  const top = below + size.height <= view.height ? below : Math.max(0, word.top - GAP_PX - size.height);
  return { left: Math.max(GAP_PX, Math.min(word.left, view.width - size.width - GAP_PX)), top };
}
function defineTerm() {
  if (customElements.get("lt-term")) {
    return;
  }
  customElements.define("lt-term", class extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) {
        return;
      }
      const root = this.attachShadow({ mode: "open" });
      root.innerHTML = `<style>${CSS}</style><button type="button" aria-describedby="meaning"><slot></slot></button><span id="meaning" role="tooltip" popover="manual"></span>`;
      this.button = root.querySelector("button");
      this.tip = /** @type {HTMLElement} */
      root.querySelector("[role=tooltip]");
      this.onScroll = () => this.hide();
      this.addEventListener("pointerenter", () => {
        this.timer = setTimeout(() => this.show(), REST_MS);
      });
      this.addEventListener("pointerleave", () => this.hide());
      this.button.addEventListener("focus", () => {
        if (this.button.matches(":focus-visible")) {
          this.show();
        }
      });
      this.button.addEventListener("blur", () => this.hide());
      this.button.addEventListener("click", (event) => {
        event.stopPropagation();
        this.show();
      });
      this.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && this.tip.matches(":popover-open")) {
          event.stopPropagation();
          this.hide();
        }
      });
    }
    disconnectedCallback() {
      this.hide();
    }
    get meaning() {
      return this.getAttribute("meaning") ?? glossary[this.getAttribute("of") ?? this.textContent] ?? "";
    }
    show() {
      clearTimeout(this.timer);
      if (!this.meaning || this.tip.matches(":popover-open")) {
        return;
      }
      this.tip.textContent = this.meaning;
      this.tip.showPopover();
      const place = placeOf(
        this.button.getBoundingClientRect(),
        this.tip.getBoundingClientRect(),
        { width: innerWidth, height: innerHeight }
      );
      this.tip.style.left = `${place.left}px`;
      this.tip.style.top = `${place.top}px`;
      window.addEventListener("scroll", this.onScroll, { capture: true, once: true });
    }
    hide() {
      clearTimeout(this.timer);
      window.removeEventListener("scroll", this.onScroll, { capture: true });
      if (this.tip?.matches(":popover-open")) {
        this.tip.hidePopover();
      }
    }
  });
}

// app/widgets/chart_menu.js
var SAVE_EVENT = "lens-triage-save-chart";
var KINDS = {
  png: ["PNG", "picture, 300 dpi"],
  svg: ["SVG", "vectors, to edit"],
  pdf: ["PDF", "vectors, for papers"],
  csv: ["CSV", "the numbers"]
};
var CSS2 = `
:host { position: fixed; inset: auto; margin: 0; padding: 4px; border-radius: 8px; border: 1px solid var(--lt-line);
  background: var(--lt-surface); color: var(--lt-text); box-shadow: 0 6px 22px rgb(0 0 0 / 24%); }
[role=menu] { display: grid; }
button { all: unset; display: grid; grid-template-columns: 40px auto; padding: 6px 12px; border-radius: 5px; cursor: pointer;
  font: 400 13px/1.4 Roboto, Helvetica, Arial, sans-serif; }
button b { font-weight: 500; }
button span { color: var(--lt-muted); }
button:hover, button:focus-visible { background: color-mix(in srgb, var(--lt-accent) 14%, transparent); }
p { margin: 0; padding: 6px 12px; max-width: 240px; font: 400 12.5px/1.4 Roboto, Helvetica, Arial, sans-serif; color: var(--lt-error); }
p:empty { display: none; }
`;
function openChartMenu(anchor, chart) {
  const said = h("p", { role: "alert" });
  const items = Object.entries(KINDS).map(([kind, [name, note]]) => h("button", {
    type: "button",
    role: "menuitem",
    tabIndex: -1,
    onclick: async () => {
      try {
        said.textContent = "";
        await saveChart(kind, { dark: isDark(), ...chart });
        menu.hidePopover();
      } catch (error) {
        said.textContent = `The ${name} could not be made: ${error.message}`;
      }
    }
  }, h("b", {}, name), h("span", {}, note)));
  const menu = h("div", { popover: "auto", className: "chart-menu" });
  menu.attachShadow({ mode: "open" }).append(
    h("style", {}, CSS2),
    h("div", { role: "menu", "aria-label": `Save ${chart.title}`, onkeydown: (event) => step(event, items) }, items),
    said
  );
  menu.addEventListener("toggle", (event) => {
    if (
      /** @type {any} */
      event.newState === "closed"
    ) {
      menu.remove();
      if (anchor instanceof HTMLElement) {
        anchor.focus();
      }
    }
  });
  document.body.append(menu);
  menu.showPopover();
  const place = placeOf(anchor.getBoundingClientRect(), menu.getBoundingClientRect(), { width: innerWidth, height: innerHeight });
  menu.style.left = `${place.left}px`;
  menu.style.top = `${place.top}px`;
  items[0].focus();
}
function step(event, items) {
  event.stopPropagation();
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (way === void 0) {
    return;
  }
  event.preventDefault();
  const at = items.indexOf(
    /** @type {any} */
    event.target
  );
  items[(at + way + items.length) % items.length].focus();
}
function openMenusOfPlots() {
  document.addEventListener(SAVE_EVENT, (event) => {
    const { plot, sources, names, columns, title } = (
      /** @type {CustomEvent} */
      event.detail
    );
    const view = globalThis.Bokeh.index.find_one(plot);
    const chart = {
      title,
      svg: () => view.export("svg", true).to_blob().then((blob) => blob.text()),
      series: () => sources.map((source, k) => ({ name: names[k], columns: renamed(source.data, columns) }))
    };
    setTimeout(() => openChartMenu(focused() ?? view.el, chart));
  });
}
function focused() {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) {
    at = at.shadowRoot.activeElement;
  }
  return at === document.body ? null : at;
}
function renamed(data, names) {
  return Object.fromEntries(Object.entries(names).filter(([name]) => name in data).map(([name, header]) => [header, data[name]]));
}

// app/http/requests.js
var ServerError = class extends Error {
  constructor(message, status, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
  // Whether the same request may succeed later: the server is away, or has too much to do.
  get passing() {
    return this.status === void 0 || [429, 502, 503, 504].includes(this.status);
  }
};
async function post(path, content, patienceMs = null) {
  return answerOf(fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(content),
    signal: patienceMs === null ? null : AbortSignal.timeout(patienceMs)
  }));
}
async function answerOf(request) {
  let response;
  try {
    response = await request;
  } catch (error) {
    throw new ServerError(error.name === "TimeoutError" ? "The server takes too long to answer." : "The server does not answer; is it running?");
  }
  const answer = await response.json().catch(() => ({ error: `The server answered ${response.status}.` }));
  if (!response.ok) {
    throw new ServerError(
      answer.error ?? `The server answered ${response.status}.`,
      response.status,
      1e3 * (Number(response.headers.get("Retry-After")) || 0)
    );
  }
  return answer;
}

// app/widgets/preferences.js
var KEY = "lens-triage-preferences";
var CHANGED = "lens-triage-preferences";
var STANDARD = { stretch: "", advance: "", grade_keys: "review", theme: "", notify: false };
var CHOICES = { advance: ["", "on", "off"], grade_keys: ["review", "label"], theme: ["", "system", "light", "dark"] };
function checked(given) {
  const known = Object.entries(STANDARD).map(([name, standard]) => {
    const value = given?.[name];
    const good = typeof value === typeof standard && (CHOICES[name]?.includes(value) ?? true);
    return [name, good ? value : standard];
  });
  return Object.fromEntries(known);
}
function ofBrowser(storage) {
  try {
    return JSON.parse(storage().getItem(KEY));
  } catch {
    return null;
  }
}
function preferencesOf(stored, storage = () => localStorage) {
  return checked(stored ?? ofBrowser(storage));
}
async function keepPreferences(changes, stored, storage = () => localStorage) {
  const values = checked({ ...preferencesOf(stored, storage), ...changes });
  if (stored === null) {
    storage().setItem(KEY, JSON.stringify(values));
  } else {
    await post("labeling/preferences", { general: values });
  }
  globalThis.document?.dispatchEvent(new CustomEvent(CHANGED, { detail: values }));
  return values;
}

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

// app/theme_choice.js
var THEME_EVENT = "lens-triage-theme";
var ThemeChoice = class {
  /**
   * @param {object} parts
   * @param {string} parts.theme what the person prefers: "", "system", "light" or "dark"
   * @param {boolean} parts.dark whether the page is dark
   * @param {boolean} parts.left whether a cookie says how the page was left
   * @param {{matches: boolean}} parts.system whether the system is dark
   * @param {(dark: boolean) => void} parts.ask asks for a page that is dark, or light
   * @param {(theme: string) => void} parts.keep keeps what the person chose on the page
   */
  constructor({ theme, dark, left, system, ask, keep }) {
    this.theme = theme;
    this.dark = dark;
    this.left = left;
    this.system = system;
    this.ask = ask;
    this.keep = keep;
    this.asked = null;
    this.follow();
  }
  get wanted() {
    if (this.theme === "light" || this.theme === "dark") return this.theme === "dark";
    return this.theme === "" && this.left ? this.dark : this.system.matches;
  }
  // The system, or what the person prefers, has changed.
  follow() {
    const { wanted } = this;
    if (wanted === this.dark) return;
    this.asked = wanted;
    this.ask(wanted);
  }
  prefer(theme) {
    this.theme = theme;
    this.follow();
  }
  // The page has turned dark, or light: because it was asked to, or by the button of the page.
  turned(dark) {
    this.dark = dark;
    this.left = true;
    if (dark !== this.asked && this.theme !== "") {
      this.theme = dark ? "dark" : "light";
      this.keep(this.theme);
    }
    this.asked = null;
  }
};

// app/rail.js
var ANSWER_MS = 3e4;
var DRAWN_MS = 15e3;
var FRAME_MS = 30;
function whenIdle(document2, action) {
  if (!document2 || document2.is_idle) action();
  else document2.idle.connect(action);
}
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
    learn(model.glossary);
    defineTerm();
    this.apart = model.items.filter(({ apart }) => apart).map(({ page }) => page);
    this.links = new Map(model.items.map(({ page, title, icon, apart }) => {
      const drawing = h("span", { className: "icon" });
      drawing.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${icon}</svg>`;
      return [page, h(
        "a",
        { href: page, ...apart ? { target: "_blank", title: `${title}: guide to this page` } : {} },
        drawing,
        title
      )];
    }));
    this.bar = h("div", { className: "bar", hidden: true });
    this.node = h("div", {}, this.bar, h("nav", { ariaLabel: "Pages" }, ...this.links.values()));
    this.mark(model.shown.page);
    new ResizeObserver(() => this.showCurrent()).observe(this.node);
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
    this.followTheme();
    onlyNewAddresses();
    followConnection();
    layOutOnlyDrawnPlots();
    openChoosersByKey();
    openMenusOfPlots();
  }
  followTheme() {
    const { model } = this;
    const system = matchMedia("(prefers-color-scheme: dark)");
    const theme = new ThemeChoice({
      theme: preferencesOf(model.preferences).theme,
      dark: model.dark,
      system,
      left: model.left,
      ask: (dark) => whenIdle(model.document, () => model.send_msg({ type: "scheme", dark })),
      keep: (chosen) => keepPreferences({ theme: chosen }, model.preferences).catch(() => {
      })
      // until the page is left
    });
    this.onSystem = () => theme.follow();
    this.onTheme = (event) => theme.turned(event.detail);
    this.onPreferences = (event) => theme.prefer(event.detail.theme);
    this.system = system;
    system.addEventListener("change", this.onSystem);
    document.addEventListener(THEME_EVENT, this.onTheme);
    document.addEventListener(CHANGED, this.onPreferences);
  }
  mark(page) {
    for (const name of this.apart) {
      this.links.get(name).href = name === page ? name : `${name}?page=${page}`;
    }
    for (const [name, link] of this.links) {
      if (name === page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.showCurrent();
  }
  // In a narrow window the links stand in a row that scrolls.
  showCurrent() {
    this.node.querySelector("a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
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
    this.system.removeEventListener("change", this.onSystem);
    document.removeEventListener(THEME_EVENT, this.onTheme);
    document.removeEventListener(CHANGED, this.onPreferences);
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
  render,
  whenIdle
};
