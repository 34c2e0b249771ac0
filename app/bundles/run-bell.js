// Made by "make scripts" from app/run_bell.js; edit that. Sources: sha256 071242a8eb3240d4cc3af886d53af34305f3bc160e9530e5953fdc7f9cd24528
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

// app/run_bell.js
var MOST_NOTICES = 3;
var SEEN_MS = 15e3;
var SAYS = { succeeded: "has ended", failed: "has failed", cancelled: "was cancelled", lost: "has lost its process" };
var MARK = /^\(\d+\) /;
function marked(title, unseen) {
  const bare = title.replace(MARK, "");
  return unseen ? `(${unseen}) ${bare}` : bare;
}
function sentenceOf({ title, status, error }) {
  return `${title} ${SAYS[status] ?? `is ${status}`}${error ? `: ${error}` : "."}`;
}
var RunBell = class {
  constructor(model) {
    this.model = model;
    this.last = 0;
    this.unseen = 0;
    this.wants = preferencesOf(model.preferences).notify;
    this.node = h("div", { className: "bell", role: "status", "aria-label": "Runs that have ended" });
    this.onEnds = () => this.hear(model.ends);
    this.onSeen = () => {
      if (!document.hidden) this.see();
    };
    this.onPreferences = (event) => {
      this.wants = event.detail.notify;
    };
    model.on("ends", this.onEnds);
    for (const name of ["pointerdown", "keydown"]) window.addEventListener(name, this.onSeen, true);
    document.addEventListener(CHANGED, this.onPreferences);
    this.titles = new MutationObserver(() => this.markTitle());
    this.titles.observe(document.head, { childList: true, subtree: true, characterData: true });
  }
  hear(ends) {
    const told = ends.filter(({ number }) => number > this.last);
    for (const end of told) {
      this.last = end.number;
      this.unseen += 1;
      this.notice(end);
      this.notify(end);
    }
    this.markTitle();
  }
  notice(end) {
    const node = h(
      "div",
      { className: end.status },
      h(
        "p",
        {},
        `${sentenceOf(end)} `,
        h("a", { href: `runs?run=${encodeURIComponent(end.id)}`, onclick: () => node.remove() }, "Open the run")
      ),
      h("button", { type: "button", "aria-label": "Dismiss", title: "Dismiss", onclick: () => node.remove() }, "×")
    );
    this.node.append(node);
    while (this.node.children.length > MOST_NOTICES) this.node.firstChild.remove();
  }
  // By the browser, where the person wants it and does not look at the page.
  notify(end) {
    if (!this.wants || !document.hidden || globalThis.Notification?.permission !== "granted") return;
    const shown = new Notification("lens-triage", { body: sentenceOf(end), tag: end.id });
    shown.onclick = () => {
      window.focus();
      location.assign(`runs?run=${encodeURIComponent(end.id)}`);
    };
  }
  see() {
    if (!this.unseen) return;
    this.unseen = 0;
    this.markTitle();
    for (const node of this.node.children) setTimeout(() => node.remove(), SEEN_MS);
  }
  markTitle() {
    const title = marked(document.title, this.unseen);
    if (title !== document.title) document.title = title;
  }
  remove() {
    for (const name of ["pointerdown", "keydown"]) window.removeEventListener(name, this.onSeen, true);
    document.removeEventListener(CHANGED, this.onPreferences);
    this.titles.disconnect();
  }
};
function render({ model }) {
  const bell = new RunBell(model);
  model.on("remove", () => bell.remove());
  return bell.node;
}
export {
  marked,
  render,
  sentenceOf
};
