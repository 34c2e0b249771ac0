// Made by "make scripts" from app/review/view.js; edit that. Sources: sha256 4b1427607ebb34aedd1286679ae13b398ce70b33fac69caaa4ba3e7b223d861f
// app/http/connection.js
var PROBE_MS = [500, 1e3, 2e3, 4e3];
var Connection = class {
  /**
   * @param {object} parts
   * @param {() => Promise<void>} parts.probe rejects while the server is away
   * @param {() => void} parts.onChange
   * @param {() => void} parts.onBack the server answers again
   * @param {(action: (value?: any) => void, ms: number) => any} parts.later
   */
  constructor({ probe: probe2, onChange, onBack, later }) {
    this.probe = probe2;
    this.onChange = onChange;
    this.onBack = onBack;
    this.later = later;
    this.away = false;
    this.detached = false;
    this.closed = false;
  }
  // A request got no answer: ask until one comes.
  async lost() {
    if (this.away || this.closed) {
      return;
    }
    this.away = true;
    this.onChange();
    for (let tries = 0; this.away && !this.closed; tries++) {
      await new Promise((resolve) => this.later(resolve, PROBE_MS[Math.min(tries, PROBE_MS.length - 1)]));
      if (this.closed) {
        return;
      }
      try {
        await this.probe();
        this.away = false;
      } catch {
      }
    }
    this.onChange();
    this.onBack();
  }
  detach() {
    this.detached = true;
    this.onChange();
  }
  close() {
    this.closed = true;
  }
};
function connectionText({ away, detached }) {
  if (away) {
    return "The server does not answer. Your grades are kept here and sent when it is back.";
  }
  if (detached) {
    return "The server was restarted. Lists, pictures and grades continue; reload the page for the rest.";
  }
  return "";
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
function picture(properties) {
  const node = h("img", {
    decoding: "async",
    ...properties,
    className: "picture",
    onload: () => node.classList.remove("missing"),
    onerror: () => {
      node.classList.add("missing");
      node.title = "This picture could not be loaded";
    }
  });
  return node;
}
function loadMissing(node) {
  for (const image of node.querySelectorAll("img.picture.missing")) {
    image.title = "";
    image.setAttribute("src", image.getAttribute("src"));
  }
}
var SVG_TAGS = /* @__PURE__ */ new Set(["svg", "g", "line", "circle", "rect", "path", "text"]);
var MISSING = "–";
function formatProbability(p) {
  if (p === null || p === void 0) {
    return MISSING;
  }
  if (p > 0.9999) {
    return ">0.9999";
  }
  if (p > 0.999) {
    return p.toFixed(4);
  }
  if (p >= 1e-3) {
    return p.toFixed(3);
  }
  return p > 0 ? p.toExponential(1) : "0";
}
function formatNumber(value, digits = 3) {
  if (value === null || value === void 0) {
    return MISSING;
  }
  if (value !== 0 && Math.abs(value) < 0.5 * 10 ** -digits) {
    return value.toExponential(1);
  }
  return value.toFixed(digits);
}
var formatCount = (n) => n.toLocaleString("en-US");
function debounce(action, delay) {
  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(later.flush, delay);
  };
  later.flush = () => {
    if (timer !== null) {
      clearTimeout(timer);
      timer = null;
      action();
    }
  };
  later.cancel = () => {
    clearTimeout(timer);
    timer = null;
  };
  return later;
}

// app/http/connection_bar.js
var ConnectionBar = class {
  constructor() {
    this.words = h("span", {});
    this.reload = h("button", { type: "button", onclick: () => location.reload() }, "Reload");
    this.node = h("p", { className: "info", role: "status", hidden: true }, this.words, this.reload);
  }
  /** @param {import("./connection.js").Connection} connection */
  show(connection) {
    const text = connectionText(connection);
    this.node.hidden = text === "";
    this.node.classList.toggle("fault", connection.away);
    this.words.textContent = text;
    this.reload.hidden = connection.away;
  }
  // For the page's own attribute, which styles and tests read: "away", "detached" or "".
  static stateOf({ away, detached }) {
    return away ? "away" : detached ? "detached" : "";
  }
};

// app/http/outbox.js
var OUTBOX_KEY = "lens-triage-event";
var SEND_AT_ONCE = 100;
var SEND_LETTERS = 5e5;
var RETRY_MS = [300, 600, 1200, 2500, 5e3];
var LATE_MS = 1e3;
var REFUSED = /* @__PURE__ */ new Set([400, 413, 422]);
var SIGNED_OUT = /* @__PURE__ */ new Set([401, 403]);
var REMARKS = /* @__PURE__ */ new Set(["note", "tag", "untag", "stage"]);
var Outbox = class {
  /**
   * @param {object} parts
   * @param {string} parts.place where events of this kind and grader are kept
   * @param {(events: object[]) => Promise<{written: string[], refused: Object<string, string>, feedback?: object}>}
   *   parts.send rejects with an error that has the HTTP `status`, if there was an answer, and `retryAfterMs`
   * @param {Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">} parts.storage
   * @param {(outbox: Outbox) => void} parts.onChange called when what is told of the events changes
   * @param {(event: object, told: {refused?: string, feedback?: object}) => void} parts.onSettled
   * @param {{now(): number, later(action: () => void, ms: number): any, cancel(timer: any): void}} parts.clock
   */
  constructor({ place, send, storage, onChange, onSettled, clock }) {
    this.prefix = `${OUTBOX_KEY}:${place}:`;
    this.send = send;
    this.storage = storage;
    this.onChange = onChange;
    this.onSettled = onSettled;
    this.clock = clock;
    this.waiting = /* @__PURE__ */ new Map();
    this.refused = /* @__PURE__ */ new Map();
    this.failures = 0;
    this.problem = null;
    this.sending = false;
    this.timer = null;
    this.lateTimer = null;
    this.stored = true;
    this.count = 0;
    this.atOnce = SEND_AT_ONCE;
    this.closed = false;
  }
  get unsent() {
    return this.waiting.size;
  }
  // Whether events wait so long that the person should know.
  get late() {
    const oldest = this.waiting.values().next().value;
    return oldest !== void 0 && (this.failures > 0 || this.clock.now() - oldest.order >= LATE_MS);
  }
  // Whether the last try got no answer: the server is away, or stands still.
  get unanswered() {
    return this.problem !== null && this.problem.status === void 0;
  }
  get signedOut() {
    return this.problem !== null && SIGNED_OUT.has(this.problem.status);
  }
  // Take over what a closed tab or an earlier visit left behind.
  takeOver() {
    const kept = [];
    try {
      for (let k = 0; k < this.storage.length; k++) {
        const key = this.storage.key(k);
        if (key.startsWith(this.prefix)) {
          kept.push(readKept(this.storage.getItem(key)));
        }
      }
    } catch {
      this.stored = false;
    }
    for (const entry of kept.filter((one) => one !== null).sort((a, b) => a.order - b.order)) {
      const { uuid } = entry.event;
      if (entry.refused) {
        this.refused.set(uuid, entry);
      } else if (!this.waiting.has(uuid)) {
        this.waiting.set(uuid, entry);
      }
    }
    this.changed();
    this.flush();
  }
  // Keep events, then send them.
  add(events) {
    for (const event of events) {
      const entry = { event, order: this.clock.now() + this.count++ % 1e3 / 1e3 };
      this.waiting.set(event.uuid, entry);
      this.store(entry);
    }
    this.changed();
    this.flush();
  }
  store(entry) {
    try {
      this.storage.setItem(this.prefix + entry.event.uuid, JSON.stringify(entry));
      this.stored = true;
    } catch {
      this.stored = false;
    }
  }
  forget(uuid) {
    try {
      this.storage.removeItem(this.prefix + uuid);
    } catch {
    }
  }
  // What the next request sends.
  batch() {
    const events = [];
    let letters = 0;
    for (const { event } of this.waiting.values()) {
      letters += JSON.stringify(event).length;
      if (events.length && (letters > SEND_LETTERS || events.length >= this.atOnce)) {
        break;
      }
      events.push(event);
    }
    return events;
  }
  // Try now, whatever pause was meant.
  async flush() {
    if (this.sending || this.closed || !this.waiting.size) {
      return;
    }
    this.sending = true;
    this.clock.cancel(this.timer);
    const events = this.batch();
    let pause = 0;
    try {
      this.take(await this.send(events), events);
      this.failures = 0;
      this.problem = null;
      this.atOnce = SEND_AT_ONCE;
    } catch (error) {
      pause = this.fail(error, events);
    }
    this.sending = false;
    this.changed();
    if (this.waiting.size && !this.closed) {
      this.timer = this.clock.later(() => this.flush(), pause);
    }
  }
  // What the server says of each event that it was sent.
  take({ written, refused, feedback = {} }, sent) {
    const settled = written.length + Object.keys(refused).length;
    if (sent.length && !settled) {
      throw new Error("The server did not confirm the grades.");
    }
    for (const uuid of written) {
      this.settle(uuid, { feedback: feedback[uuid] });
    }
    for (const [uuid, reason2] of Object.entries(refused)) {
      this.refuse(uuid, reason2);
    }
  }
  settle(uuid, told) {
    const entry = this.waiting.get(uuid);
    this.waiting.delete(uuid);
    this.forget(uuid);
    if (entry !== void 0) {
      this.onSettled(entry.event, told);
    }
  }
  refuse(uuid, reason2) {
    const entry = this.waiting.get(uuid);
    if (entry === void 0) {
      return;
    }
    this.waiting.delete(uuid);
    const kept = { ...entry, refused: reason2 };
    this.refused.set(uuid, kept);
    this.store(kept);
    this.onSettled(entry.event, { refused: reason2 });
  }
  // After a try that failed: how long to wait for the next one, in ms.
  fail(error, events) {
    const { status } = error;
    if (REFUSED.has(status) && events.length === 1) {
      this.refuse(events[0].uuid, error.message);
      return 0;
    }
    this.failures += 1;
    this.problem = error;
    const divisible = events.length > 1 && (REFUSED.has(status) || status === 500);
    if (divisible) {
      this.atOnce = Math.ceil(events.length / 2);
      return 0;
    }
    const pause = RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1];
    return Math.max(pause, error.retryAfterMs ?? 0);
  }
  // The person has seen that these will not be written.
  dismiss() {
    for (const uuid of this.refused.keys()) {
      this.forget(uuid);
    }
    this.refused.clear();
    this.changed();
  }
  changed() {
    this.clock.cancel(this.lateTimer);
    if (this.waiting.size && !this.late) {
      this.lateTimer = this.clock.later(() => this.changed(), LATE_MS);
    }
    this.onChange(this);
  }
  close() {
    this.closed = true;
    this.clock.cancel(this.timer);
    this.clock.cancel(this.lateTimer);
  }
};
function readKept(text) {
  try {
    const entry = JSON.parse(text);
    return typeof entry?.event?.uuid === "string" ? entry : null;
  } catch {
    return null;
  }
}
var isRemark = ({ kind }) => REMARKS.has(kind);
function counted(entries) {
  const what = [...entries.values()].some(({ event }) => isRemark(event)) ? "change" : "grade";
  return `${entries.size} ${what}${entries.size === 1 ? "" : "s"}`;
}
function unsavedText({ waiting, late, stored, signedOut }) {
  const words = [];
  if (waiting.size && (late || !stored)) {
    words.push(`${counted(waiting)} not yet saved`);
    if (signedOut) {
      words.push("sign in again, and they are sent");
    }
  }
  if (!stored) {
    words.push("this browser does not store anything: do not close the tab before everything is saved");
  }
  return words.join("; ");
}
function refusedText(refused) {
  if (!refused.size) {
    return "";
  }
  const reasons = [...new Set([...refused.values()].map((entry) => entry.refused))].join(" ");
  return `${counted(refused)} ${refused.size === 1 ? "was" : "were"} not taken: ${reasons}`;
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

// app/http/outbox_page.js
var RESCAN_MS = 15e3;
var SEND_PATIENCE_MS = 3e4;
var LEAVING_BYTES = 6e4;
var browserStorage = {
  get length() {
    return localStorage.length;
  },
  key: (k) => localStorage.key(k),
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, text) => localStorage.setItem(key, text),
  removeItem: (key) => localStorage.removeItem(key)
};
var PageOutbox = class extends Outbox {
  // `path`: where events are posted; `about`: what goes with them; `isBusy()`: whether keys are still to
  // become grades; the rest as of Outbox.
  constructor({ place, path, about, onChange, onSettled, isBusy = () => false }) {
    super({
      place,
      onChange,
      onSettled,
      storage: browserStorage,
      send: (events) => post(path, { ...about, events }, SEND_PATIENCE_MS),
      clock: {
        now: () => Date.now(),
        later: (action, ms) => setTimeout(action, ms),
        cancel: (timer) => clearTimeout(timer)
      }
    });
    this.path = path;
    this.about = about;
    this.leaving = false;
    const keep = (event) => {
      if (!this.leaving && (this.unsent || isBusy())) {
        event.preventDefault();
      }
    };
    this.listeners = [
      [window, "online", () => this.flush()],
      [window, "pagehide", () => this.leave()],
      [window, "beforeunload", keep],
      [document, "lens-triage-leave", keep],
      // another page is to take this one's place
      // The page reloads itself after signing in: what is kept is sent then.
      [document, "lens-triage-reload", () => {
        this.leaving = this.stored;
      }]
    ];
    for (const [target, kind, action] of this.listeners) {
      target.addEventListener(kind, action);
    }
    this.rescan = setInterval(() => this.takeOver(), RESCAN_MS);
  }
  // The tab closes: a last try; what it does not reach is sent at the next visit.
  leave() {
    let events = this.batch();
    while (events.length) {
      const body = JSON.stringify({ ...this.about, events });
      if (body.length < LEAVING_BYTES) {
        fetch(this.path, { method: "POST", keepalive: true, headers: { "Content-Type": "application/json" }, body }).catch(() => {
        });
        return;
      }
      events = events.slice(0, Math.floor(events.length / 2));
    }
  }
  remove() {
    this.close();
    clearInterval(this.rescan);
    for (const [target, kind, action] of this.listeners) {
      target.removeEventListener(kind, action);
    }
    this.leave();
  }
};
var OutboxStatus = class {
  constructor() {
    this.words = h("span", {});
    this.signIn = h("button", {
      type: "button",
      className: "text",
      hidden: true,
      onclick: () => document.dispatchEvent(new CustomEvent("lens-triage-sign-in"))
    }, "Sign in");
    this.node = h("span", { className: "outbox", role: "status" }, this.words, this.signIn);
    this.refusal = h("span", {});
    this.refused = h(
      "p",
      { className: "fault", role: "alert", hidden: true },
      this.refusal,
      h("button", { type: "button", className: "icon", "aria-label": "Dismiss", onclick: () => this.outbox?.dismiss() }, "×")
    );
  }
  show(outbox) {
    this.outbox = outbox;
    this.words.textContent = unsavedText(outbox);
    this.node.title = outbox.problem?.message ?? "";
    this.node.classList.toggle("trouble", outbox.failures > 0 || !outbox.stored);
    this.signIn.hidden = !outbox.signedOut || outbox.unsent === 0;
    const refusal = refusedText(outbox.refused);
    if (this.refusal.textContent !== refusal) {
      this.refusal.textContent = refusal;
    }
    this.refused.hidden = refusal === "";
  }
};

// app/viewer/keys.js
var IMAGE_KEYS = { title: "Image", keys: [
  { keys: [..."123456789"], shown: "1 … 9", action: "band", text: "Show that band large; again: color" },
  { keys: ["ArrowRight"], shown: "→", action: "nextBand", text: "Next band" },
  { keys: ["ArrowLeft"], shown: "←", action: "previousBand", text: "Previous band" },
  { keys: ["0"], shown: "0", action: "color", text: "Show the color picture" },
  { keys: ["t"], shown: "t", action: "tile", text: "All bands side by side; again: one large" },
  { keys: ["F"], shown: "F", action: "fullScreen", text: "Pictures on the whole screen; again: the page" },
  { keys: ["b"], shown: "b", action: "blink", text: "Blink through the bands; again: stop" },
  { keys: ["l"], shown: "l", action: "light", text: "Subtract the light of the galaxy" },
  { keys: ["v"], shown: "v", action: "snr", text: "Show pixels in units of their noise (S/N)" }
] };
var ZOOM_KEYS = { title: "Zoom and measure", keys: [
  { keys: ["+", "="], shown: "+", action: "zoomIn", text: "Zoom in (or the wheel)" },
  { keys: ["-", "_"], shown: "−", action: "zoomOut", text: "Zoom out" },
  {
    keys: ["Shift+ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"],
    shown: "Shift ↑↓←→",
    action: "pan",
    text: "Move the picture (or drag it)"
  },
  { keys: ["f"], shown: "f", action: "fit", text: "Whole cutout (or double click)" },
  { keys: ["D"], shown: "D", action: "ruler", text: "Ruler, for distance and angle (or Shift and drag)" },
  { keys: ["o"], shown: "o", action: "circle", text: "Circle, for a radius (or Alt and drag)" },
  { keys: ["c"], shown: "c", action: "crosshair", text: "Crosshair" },
  { keys: ["h"], shown: "h", action: "decorations", text: "Show or hide scale, compass and PSF" },
  { keys: ["Escape"], shown: "Esc", action: "escape", text: "Close the tool; again: remove the measurement" }
] };
var STRETCH_KEYS = { title: "Stretch and color", keys: [
  { keys: ["p"], shown: "p", action: "preset", text: "Next preset: standard, faint, bright, auto" },
  { keys: [","], shown: ",", action: "stretchLess", text: "Smaller stretch: fainter things" },
  { keys: ["."], shown: ".", action: "stretchMore", text: "Larger stretch: brighter things" },
  { keys: ["<"], shown: "<", action: "blackLess", text: "Lower black point" },
  { keys: [">"], shown: ">", action: "blackMore", text: "Higher black point" },
  { keys: [";"], shown: ";", action: "qLess", text: "Smaller Q" },
  { keys: ["'"], shown: "'", action: "qMore", text: "Larger Q: more of bright cores" },
  { keys: ["L"], shown: "L", action: "look", text: "Next look: detail, Lupton, Legacy viewer, HSC map" },
  { keys: ["w"], shown: "w", action: "triple", text: "Next three bands as red, green, blue" },
  { keys: ["x"], shown: "x", action: "curve", text: "Next stretch of single bands" },
  { keys: ["g"], shown: "g", action: "palette", text: "Next color map of single bands" },
  { keys: ["i"], shown: "i", action: "invert", text: "Invert the pictures" },
  { keys: ["s"], shown: "s", action: "smooth", text: "Smooth between pixels" },
  { keys: ["r"], shown: "r", action: "reset", text: "Reset stretch, view and zoom" }
] };
var PAN_KEYS = {
  "Shift+ArrowUp": [0, -1],
  "Shift+ArrowDown": [0, 1],
  "Shift+ArrowLeft": [-1, 0],
  "Shift+ArrowRight": [1, 0]
};
function imageActions(viewer, controls) {
  const flip = (name) => controls.update({ [name]: !controls.view[name] });
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
    reset: () => {
      viewer.reset();
      controls.reset();
    }
  };
}
function fullScreen(node) {
  const asked = document.fullscreenElement === null ? node.requestFullscreen() : document.exitFullscreen();
  asked.catch(() => {
  });
}

// app/viewer/tiles.js
function layerOf(catalog, view) {
  if (catalog.rendered) {
    return "image";
  }
  if (view.light) {
    return view.snr ? "residual-snr" : "residual";
  }
  return view.snr ? "snr" : "image";
}
function tripleOf(catalog, view) {
  return view.triples?.[catalog.bands.join()] ?? catalog.rgb_bands;
}
function viewRecord(settings, geometry) {
  const view = { ...settings };
  delete view.triples;
  return geometry === null ? view : { ...view, rgb: tripleOf(geometry, settings), rendering: geometry.rendering };
}
function lookOf(catalog, view) {
  return catalog.looks?.includes(view.look) ? view.look : "detail";
}
function pictureQuery(catalog, band, view) {
  const query = new URLSearchParams();
  if (band !== null) {
    query.set("kind", "band");
    query.set("band", band);
  }
  if (catalog.rendered) {
    return query;
  }
  const layer = layerOf(catalog, view);
  if (layer !== "image") {
    query.set("layer", layer);
  }
  if (band === null) {
    query.set("bands", tripleOf(catalog, view).join(","));
    const look = lookOf(catalog, view);
    if (look !== "detail") {
      query.set("look", look);
    }
  } else if (view.curve !== "asinh") {
    query.set("curve", view.curve);
  }
  if (view.preset !== "auto") {
    for (const name of ["stretch", "black", "q"]) {
      query.set(name, view[name]);
    }
  }
  return query;
}
function tileUrl(catalog, row, band, view, size = 0) {
  const query = pictureQuery(catalog, band, view);
  query.set("v", row.version);
  query.set("r", catalog.rendering);
  if (size) {
    query.set("size", String(size));
  }
  return `tiles/${encodeURIComponent(catalog.name)}/${row.index}?${query}`;
}
function infoUrl(catalog, row, view) {
  const query = pictureQuery(catalog, null, view);
  return `tiles/${encodeURIComponent(catalog.name)}/${row.index}/info?${query}`;
}
function pixelsUrl(catalog, row, view) {
  const query = new URLSearchParams({ v: row.version, r: catalog.rendering, layer: layerOf(catalog, view) });
  return `pixels/${encodeURIComponent(catalog.name)}/${row.index}?${query}`;
}
var TilePool = class {
  // At most `inFlight` requests at a time; up to `budget` pixels are kept, the latest used longest.
  constructor({ inFlight = 6, budget = 48e6 } = {}) {
    this.inFlight = inFlight;
    this.budget = budget;
    this.entries = /* @__PURE__ */ new Map();
    this.queue = [];
    this.running = 0;
    this.pixels = 0;
  }
  // The picture of `url`, asked for at once if it is not here.
  load(url) {
    let entry = this.entries.get(url);
    if (entry === void 0 || entry.state === "failed") {
      entry = this.begin(url, "high");
    } else {
      this.entries.delete(url);
      this.entries.set(url, entry);
    }
    return entry;
  }
  // Fetch these next, in this order; what was queued before and not begun is forgotten.
  ahead(urls) {
    this.queue = urls.filter((url) => !this.entries.has(url));
    this.pump();
  }
  pump() {
    while (this.running < this.inFlight && this.queue.length) {
      const url = this.queue.shift();
      if (!this.entries.has(url)) {
        this.begin(url, "low");
      }
    }
  }
  begin(url, priority) {
    const image = new Image();
    image.fetchPriority = priority;
    image.src = url;
    const entry = { image, state: "loading", missing: 0, ready: null };
    this.running += 1;
    entry.ready = image.decode().then(
      () => {
        entry.state = "ready";
        entry.missing = missingFraction(image);
        this.pixels += image.naturalWidth * image.naturalHeight;
        this.evict();
      },
      () => {
        entry.state = "failed";
      }
    ).then(() => {
      this.running -= 1;
      this.pump();
      return entry;
    });
    this.entries.delete(url);
    this.entries.set(url, entry);
    return entry;
  }
  evict() {
    for (const [url, entry] of this.entries) {
      if (this.pixels <= this.budget) {
        return;
      }
      if (entry.state === "ready") {
        this.pixels -= entry.image.naturalWidth * entry.image.naturalHeight;
        this.entries.delete(url);
      }
    }
  }
};
var probe = null;
function missingFraction(image) {
  const { naturalWidth: width, naturalHeight: height } = image;
  probe ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.canvas.width = width;
  probe.canvas.height = height;
  probe.drawImage(image, 0, 0);
  const { data } = probe.getImageData(0, 0, width, height);
  let missing = 0;
  for (let k = 3; k < data.length; k += 4) {
    missing += Number(data[k] === 0);
  }
  return missing / (width * height);
}

// app/widgets/keyboard.js
var LIST_KEYS = { title: "List", keys: [
  { keys: ["j", "ArrowDown"], shown: "j ↓", action: "next", text: "Next candidate" },
  { keys: ["k", "ArrowUp"], shown: "k ↑", action: "previous", text: "Previous candidate" },
  { keys: ["]", "PageDown"], shown: "]", action: "nextPage", text: "Next page of the list" },
  { keys: ["[", "PageUp"], shown: "[", action: "previousPage", text: "Previous page of the list" },
  { keys: ["Home"], shown: "Home", action: "first", text: "First candidate" },
  { keys: ["/"], shown: "/", action: "search", text: "Search by object id" },
  { keys: ["d"], shown: "d", action: "charts", text: "Show or hide the diagrams of the list" }
] };
var HELP_KEYS = { title: "Help", keys: [
  { keys: ["?"], shown: "?", action: "help", text: "Show or hide these keys" }
] };
var SLIDER_KEYS = /* @__PURE__ */ new Set(
  ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "PageDown", "PageUp"]
);
function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) {
    return false;
  }
  if (target.isContentEditable || target.matches("textarea, select")) {
    return true;
  }
  if (!target.matches("input")) {
    return false;
  }
  if (target.type === "checkbox") {
    return false;
  }
  return target.type !== "range" || SLIDER_KEYS.has(event.key);
}
function pressesButton(event) {
  const target = event.composedPath()[0];
  return (event.key === " " || event.key === "Enter") && target instanceof HTMLElement && target.matches("button, summary, a, input[type=checkbox]");
}
function keyName(event) {
  return event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
}
var Keyboard = class {
  // `actions`: for each action of the sections, a function of the key and the event's time; `active()`: whether
  // the page is in the mode that these keys are for; `change(sections)`: the sections as the person wants them.
  constructor(given, actions, active = () => true, change = (sections) => sections) {
    const sections = change(given);
    const known = new Map(sections.flatMap((section) => section.keys.flatMap(({ keys, action }) => keys.map((key) => [key, action]))));
    this.dialog = h(
      "dialog",
      { className: "keys", "aria-label": "Keys" },
      h("h2", {}, "Keys"),
      h("div", { className: "key-sections" }, sections.map(({ title, keys }) => h(
        "section",
        {},
        h("h3", {}, title),
        h("dl", {}, keys.map(({ shown, text }) => h(
          "div",
          {},
          h("dt", {}, shown.split(" ").map((key) => key === "…" ? "…" : h("kbd", {}, key))),
          h("dd", {}, text)
        )))
      ))),
      h("p", { className: "faint" }, "Keys are ignored while you type in a field."),
      h("button", { type: "button", onclick: () => this.dialog.close() }, "Close")
    );
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) {
        this.dialog.close();
      }
    });
    this.onKey = (event) => {
      if (!active() || pressesButton(event)) {
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event)) {
        return;
      }
      const action = known.get(keyName(event));
      if (action === void 0 || this.dialog.open && action !== "help") {
        return;
      }
      event.preventDefault();
      if (action === "help") {
        this.toggleHelp();
      } else {
        actions[action](keyName(event), event.timeStamp);
      }
    };
    document.addEventListener("keydown", this.onKey);
  }
  toggleHelp() {
    if (this.dialog.open) {
      this.dialog.close();
    } else {
      this.dialog.showModal();
    }
  }
  remove() {
    document.removeEventListener("keydown", this.onKey);
  }
};

// app/review/more.js
var RANGES = {
  // name: [text, unit, title]
  epistemic: ["Epistemic", "nat", "Mutual information of the members"],
  disagreement: ["Disagreement", "", "Standard deviation of the members' logits"],
  ood: ["Out of distribution", "", "Mahalanobis distance from the training data"],
  magnitude: ["Magnitude", "mag", "AB magnitude of the reference band"],
  theta_e: ["θ_E proxy", "″", "Einstein radius that richness, velocity dispersion or mass suggest, to about 30 %"],
  arc_radius: ["Arc: radius", "″", "Distance of the arc from the center"],
  arc_length: ["Arc: length", "″", "Along the arc; 0 where no segment was found"],
  arc_angle: ["Arc: angle", "°", "Angle that the arc spans, seen from the center"],
  arc_snr: ["Arc: S/N", "", "Signal to noise of the arc"],
  color_consistency: ["Color agreement", "", "Probability of so large a scatter in color if all segments are of one source"],
  arc_color: ["Arc − galaxy color", "mag", "First minus last band; negative: the segments are bluer than the galaxy"]
};
var SCORE_RANGES = ["epistemic", "disagreement", "ood"];
var VOTES = {
  "": "By anyone or no one",
  mine: "Graded by me",
  not_mine: "Not graded by me",
  others: "Graded by others",
  anyone: "Graded by anyone",
  nobody: "Graded by no one"
};
var MATCHES = {
  "": "Any",
  known_lens: "On a known lens",
  matched: "Matched",
  review: "For review",
  unmatched: "Unmatched"
};
var CONSENSUS = { accepted: "accepted", open: "open", retired: "retired" };
var FLAGS = { "": "Any", mine: "Flagged by me", anyone: "Flagged by anyone", nobody: "Flagged by no one" };
var NO_EXTRAS = {
  scales: [],
  ranges: [],
  votes: null,
  grades: [],
  consensus: [],
  tags: [],
  all_tags: false,
  note: "",
  flagged: null,
  cone: null,
  match: null,
  selection: ""
};
var hasExtras = (query) => Object.entries(NO_EXTRAS).some(
  ([name, none]) => Array.isArray(none) ? query[name].length > 0 : query[name] !== none
);
function rangeText([name, low, high]) {
  const [text, unit] = RANGES[name];
  const ends = low !== null && high !== null ? `${low} – ${high}` : low !== null ? `≥ ${low}` : high !== null ? `≤ ${high}` : "known";
  return `${text} ${ends}${unit && ` ${unit}`}`;
}
function chipsOf(query, selection) {
  const chips = [];
  const without = (name, value) => ({ [name]: query[name].filter((one) => one !== value) });
  for (const scale of query.scales) {
    chips.push([`${scale} scale`, without("scales", scale)]);
  }
  for (const range of query.ranges) {
    chips.push([rangeText(range), without("ranges", range)]);
  }
  if (query.votes) {
    chips.push([VOTES[query.votes], { votes: null }]);
  }
  for (const grade of query.grades) {
    chips.push([`Grade ${grade}`, without("grades", grade)]);
  }
  for (const state of query.consensus) {
    chips.push([`Consensus ${state}`, without("consensus", state)]);
  }
  if (query.all_tags && query.tags.length > 1) {
    chips.push([`All tags: ${query.tags.join(", ")}`, { tags: [], all_tags: false }]);
  } else {
    for (const tag of query.tags) {
      chips.push([`Tag ${tag}`, without("tags", tag)]);
    }
  }
  if (query.note) {
    chips.push([`Note contains ${query.note}`, { note: "" }]);
  }
  if (query.flagged) {
    chips.push([FLAGS[query.flagged], { flagged: null }]);
  }
  if (query.cone) {
    chips.push([`Within ${query.cone}`, { cone: null }]);
  }
  if (query.match) {
    chips.push([`Cross-match: ${MATCHES[query.match].toLowerCase()}`, { match: null }]);
  }
  if (query.selection) {
    const known = selection?.id === query.selection;
    chips.push([
      known ? `${selection.title}: ${formatCount(selection.n)} selected` : "Selection",
      { selection: "" }
    ]);
  }
  return chips;
}
var MoreFilters = class {
  // `ask(message, then, failed)` talks to the server; `bar` is the filter bar.
  constructor(bar, ask, signedIn) {
    this.bar = bar;
    this.ask = ask;
    this.signedIn = signedIn;
    this.facets = null;
    this.selection = null;
    this.summary = h(
      "summary",
      { title: "Scale, ranges, grades, tags, notes, flags, sky, cross-match, saved filters" },
      "More filters"
    );
    this.panel = h("div", { className: "more-panel", role: "group", "aria-label": "Further filters" });
    this.node = h("details", { className: "menu more" }, this.summary, this.panel);
    this.node.addEventListener("toggle", () => {
      if (this.node.open) {
        this.open();
      }
    });
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.node.open) {
        this.node.open = false;
        this.summary.focus();
        event.stopPropagation();
      }
    });
    this.chips = h("div", { className: "filter-chips", hidden: true });
  }
  open() {
    if (this.facets === null) {
      this.panel.replaceChildren(h("p", { className: "faint" }, "Loading …"));
    }
    this.ask({ type: "facets" }, (facets) => {
      this.facets = facets;
      this.draw();
    });
  }
  set(query) {
    this.query = query;
    const chips = chipsOf(query, this.selection);
    this.chips.hidden = chips.length === 0;
    this.chips.replaceChildren(...chips.map(([text, change]) => h(
      "span",
      { className: "chip" },
      text,
      h("button", {
        type: "button",
        "aria-label": `Remove filter: ${text}`,
        title: "Remove",
        onclick: () => this.bar.update(change)
      }, "×")
    )));
    this.node.classList.toggle("active", chips.length > 0);
    if (this.node.open && this.facets !== null && !this.panel.contains(this.focused)) {
      this.draw();
    }
  }
  get focused() {
    return this.node.getRootNode().activeElement;
  }
  update(change) {
    this.bar.update(change);
  }
  draw() {
    const { query, facets } = this;
    const scored = query.ensemble_id !== null;
    const checks = (name, values, texts = {}) => h("div", { className: "checks" }, values.map((value) => {
      const box = h("input", { type: "checkbox", checked: query[name].includes(value), onchange: () => {
        const others = this.query[name].filter((one) => one !== value);
        this.update({ [name]: box.checked ? [...others, value] : others });
      } });
      return h("label", {}, box, h("span", {}, texts[value] ?? value));
    }));
    const select = (name, texts, label, off = () => false) => {
      const box = h(
        "select",
        {
          "aria-label": label,
          onchange: () => this.update({ [name]: box.value || null })
        },
        Object.entries(texts).map(([value, text]) => h("option", { value, disabled: off(value) }, text))
      );
      box.value = query[name] ?? "";
      return box;
    };
    const row = (title, ...parts) => [h("dt", {}, title), h("dd", {}, ...parts)];
    const needsMe = (value) => !this.signedIn && ["mine", "not_mine", "others"].includes(value);
    const none = (text) => h("span", { className: "faint" }, text);
    this.panel.replaceChildren(
      h(
        "div",
        { className: "more-columns" },
        h(
          "dl",
          {},
          row("Scale", checks("scales", ["galaxy", "cluster"])),
          row(
            "Grades",
            select("votes", VOTES, "Graded by", needsMe),
            this.signedIn ? "" : h("small", {}, "Sign in to use your own grades."),
            facets.grades.length ? checks("grades", facets.grades) : none("Nothing is graded yet.")
          ),
          row("Consensus", checks("consensus", Object.keys(CONSENSUS))),
          row("Tags", ...facets.tags.length ? [checks("tags", facets.tags), this.anyOrAll()] : [none("No candidate has a tag.")]),
          row("Notes", this.noteInput()),
          row("Flags", select("flagged", FLAGS, "Flagged by", (value) => !this.signedIn && value === "mine")),
          row("Cross-match", facets.matched ? select("match", MATCHES, "Cross-match") : none("No catalog is cross-matched yet.")),
          row("Cone on the sky", this.coneInput())
        ),
        h("dl", { className: "ranges" }, Object.entries(RANGES).filter(([name]) => scored || !SCORE_RANGES.includes(name)).flatMap(([name, [text, unit, title]]) => row(
          h("span", { title }, text),
          ...this.rangeInputs(name, text, unit, facets.known[name])
        )))
      ),
      this.saved()
    );
  }
  rangeInputs(name, text, unit, known) {
    const [, low = null, high = null] = this.query.ranges.find(([one]) => one === name) ?? [];
    if (known === false && low === null && high === null) {
      return [h("span", { className: "faint", title: name.startsWith("arc") || name.startsWith("color") ? "Measured when an ensemble whose trees use segment features scores the catalog" : "No catalog gives it" }, "not measured")];
    }
    const inputs = [low, high].map((value, k) => h("input", {
      type: "number",
      step: "any",
      inputMode: "decimal",
      value: value ?? "",
      "aria-label": `${text}, ${k ? "largest" : "smallest"}`,
      onchange: () => this.setRange(name, inputs)
    }));
    return [inputs[0], " – ", inputs[1], unit && h("span", { className: "unit" }, unit)];
  }
  setRange(name, inputs) {
    const [low, high] = inputs.map((input) => input.value === "" ? null : Number(input.value));
    const bad = low !== null && high !== null && low > high;
    inputs[1].setCustomValidity(bad ? "The smaller number first" : "");
    if (bad) {
      inputs[1].reportValidity();
      return;
    }
    const others = this.query.ranges.filter(([one]) => one !== name);
    this.update({ ranges: low === null && high === null ? others : [...others, [name, low, high]] });
  }
  // Whether a candidate has one of the chosen tags, or all of them.
  anyOrAll() {
    const box = h("input", {
      type: "checkbox",
      checked: this.query.all_tags,
      onchange: () => this.update({ all_tags: box.checked })
    });
    return h("label", { className: "any-or-all" }, box, h("span", {}, "all of them"));
  }
  noteInput() {
    const input = h("input", {
      type: "search",
      className: "wide",
      value: this.query.note,
      maxLength: 200,
      placeholder: "Text of a note",
      "aria-label": "Note contains",
      title: "Part of a note, or of a comment on a grade",
      onchange: () => this.update({ note: input.value.trim() })
    });
    return input;
  }
  coneInput() {
    const input = h("input", {
      type: "text",
      className: "wide",
      value: this.query.cone ?? "",
      placeholder: "10:00:28.8 +02:12:00 30arcsec",
      spellcheck: false,
      "aria-label": "Cone on the sky",
      title: "Right ascension, declination (degrees or sexagesimal) and radius"
    });
    const problem = h("small", { className: "problem", role: "alert" });
    input.addEventListener("change", () => {
      problem.textContent = "";
      if (input.value.trim() === "") {
        this.update({ cone: null });
        return;
      }
      this.ask(
        { type: "cone", text: input.value },
        ({ cone }) => this.update({ cone }),
        (message) => {
          problem.textContent = message;
        }
      );
    });
    return h("div", {}, input, problem);
  }
  saved() {
    const name = h("input", {
      type: "text",
      maxLength: 120,
      placeholder: "Name of this filter",
      "aria-label": "Name of this filter"
    });
    const problem = h("small", { className: "problem", role: "alert" });
    const done = (facets) => {
      this.facets = facets;
      this.draw();
    };
    const failed = (message) => {
      problem.textContent = message;
    };
    const save2 = (shared) => this.ask(
      { type: "save_filter", name: name.value, shared, query: this.query },
      done,
      failed
    );
    const button = (text, action, title) => h("button", { type: "button", onclick: action, title }, text);
    return h(
      "div",
      { className: "saved" },
      h("h3", {}, "Saved filters"),
      h("ul", {}, this.facets.saved.length ? this.facets.saved.map((one) => h(
        "li",
        {},
        h("button", {
          type: "button",
          className: "text",
          title: "Use this filter",
          onclick: () => this.load(one)
        }, one.name),
        h("span", { className: "faint" }, one.shared ? "everybody's" : "mine"),
        h("button", {
          type: "button",
          className: "icon",
          "aria-label": `Delete filter ${one.name}`,
          title: "Delete",
          onclick: () => this.ask({ type: "delete_filter", id: one.id }, done, failed)
        }, "×")
      )) : h("li", { className: "faint" }, "None yet.")),
      h(
        "div",
        { className: "save" },
        name,
        this.signedIn ? button("Save for me", () => save2(false)) : "",
        button("Save for everybody", () => save2(true))
      ),
      problem
    );
  }
  load({ query }) {
    this.bar.update({ ...NO_EXTRAS, ...query });
    this.node.open = false;
  }
};
function extraWords(query, words) {
  for (const scale of query.scales) {
    words.append("scale", scale);
  }
  for (const [name, low, high] of query.ranges) {
    words.append("range", `${name}:${low ?? ""}:${high ?? ""}`);
  }
  if (query.votes) {
    words.set("votes", query.votes);
  }
  for (const grade of query.grades) {
    words.append("grade", grade);
  }
  for (const state of query.consensus) {
    words.append("consensus", state);
  }
  for (const tag of query.tags) {
    words.append("tag", tag);
  }
  if (query.all_tags && query.tags.length) {
    words.set("tags", "all");
  }
  if (query.note) {
    words.set("note", query.note);
  }
  if (query.flagged) {
    words.set("flag", query.flagged);
  }
  if (query.cone) {
    words.set("cone", query.cone);
  }
  if (query.match) {
    words.set("match", query.match);
  }
  if (query.selection) {
    words.set("selection", query.selection);
  }
}

// app/review/address.js
function addressWords(query, { ensembles, defaults }, catalogs, row) {
  const words = new URLSearchParams();
  const set = (name, value) => words.set(name, String(value));
  const ensemble = ensembles.find(({ id }) => id === query.ensemble_id);
  if (ensemble !== void 0) {
    set("ensemble", ensemble.name);
  }
  for (const id of query.catalog_ids) {
    words.append("catalog", catalogs.get(id).name);
  }
  if (query.sort !== defaults.sort) {
    set("sort", query.sort);
  }
  if (query.descending !== defaults.descending || query.sort !== defaults.sort) {
    set("order", query.descending ? "desc" : "asc");
  }
  if (query.probability_min > 0) {
    set("min", query.probability_min);
  }
  if (query.probability_max < 1) {
    set("max", query.probability_max);
  }
  for (const stage of query.stages) {
    words.append("stage", stage);
  }
  if (query.label) {
    set("label", query.label);
  }
  if (query.object_id) {
    set("object", query.object_id);
  }
  extraWords(query, words);
  if (row !== void 0) {
    set("candidate", row.id);
  }
  return words;
}

// app/widgets/preferences.js
var KEY = "lens-triage-preferences";
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

// app/viewer/controls.js
var VIEW_KEY = "lens-triage-view";
var SLIDERS = {
  // name: label, range of the input, and how its position becomes a value
  black: {
    label: "Black",
    min: -10,
    max: 30,
    step: 0.5,
    unit: "σ",
    keys: "< >",
    title: "Black point, in units of the sky noise",
    value: (x) => x,
    position: (value) => value
  },
  stretch: {
    label: "Stretch",
    min: -0.5,
    max: 3,
    step: 0.05,
    unit: "σ",
    keys: ", .",
    title: "Intensities above the black point below about this one are drawn linearly, in units of the sky noise",
    value: (x) => Number((10 ** x).toPrecision(2)),
    position: (value) => Math.log10(value)
  },
  q: {
    label: "Q",
    min: 0,
    max: 30,
    step: 0.5,
    unit: "",
    keys: "; '",
    title: "Asinh softening: larger shows more of bright cores",
    value: (x) => x,
    position: (value) => value
  }
};
var GRAY = "gray";
var MEAN = "mean";
var LOOKS = {
  detail: ["Detail", "Brightness of the sharpest bands, color where there is enough light to measure it: noise is gray"],
  lupton: ["Lupton", "The mean of the three bands with their ratios (Lupton et al. 2004)"],
  legacy: ["Legacy viewer", "As the viewer of the Legacy Surveys draws, by flux: the sliders do not apply"],
  hsc: ["HSC map", "As the HSC map draws, by flux: the sliders do not apply"]
};
var FIXED = ["legacy", "hsc"];
var NOT_KEPT = ["light", "snr"];
var ImageControls = class {
  // `onChange` is called with the new view.
  constructor({ presets, curves, palettes, preferences }, onChange) {
    this.presets = presets;
    const { stretch } = preferencesOf(preferences?.general ?? null);
    this.choices = { curve: curves, palette: [GRAY, ...Object.keys(palettes)] };
    this.onChange = onChange;
    this.catalog = null;
    this.view = { ...this.standard(), ...this.remembered(), ...this.preferred(stretch) };
    this.buttons = new Map([...Object.keys(presets), "auto"].map((name) => [name, h(
      "button",
      {
        type: "button",
        onclick: () => this.choose(name),
        title: name === "auto" ? "Suit the stretch to each object (key p: next preset)" : `Preset "${name}" (key p: next preset)`
      },
      name[0].toUpperCase() + name.slice(1)
    )]));
    this.inputs = new Map(Object.entries(SLIDERS).map(([name, slider]) => [name, {
      range: h("input", {
        type: "range",
        min: slider.min,
        max: slider.max,
        step: slider.step,
        "aria-label": slider.title,
        oninput: () => this.slide(name)
      }),
      output: h("output", {})
    }]));
    this.selects = {
      curve: this.select("Stretch of single bands (key x)", curves, () => this.pick("curve")),
      palette: this.select("Color map of single bands (key g)", this.choices.palette, () => this.pick("palette"))
    };
    this.looks = this.select("Look of the color picture (key L)", Object.keys(LOOKS), () => {
      this.update({ look: this.looks.value });
    });
    for (const option of this.looks.options) {
      [option.textContent, option.title] = LOOKS[option.value];
    }
    this.channels = ["Red", "Green", "Blue"].map((name) => this.select(`Band shown as ${name.toLowerCase()} (key w: next three)`, [], () => this.pickTriple()));
    this.invert = h("button", {
      type: "button",
      title: "Invert (key i)",
      onclick: () => this.update({ invert: !this.view.invert })
    }, "Invert");
    this.smooth = h("button", {
      type: "button",
      title: "Smooth between pixels (key s)",
      onclick: () => this.update({ smooth: !this.view.smooth })
    }, "Smooth");
    this.triple = h("span", { className: "choice" }, h("span", {}, "RGB"), this.channels);
    this.preset = h(
      "div",
      { className: "segments", role: "group", "aria-label": "Stretch preset" },
      ...this.buttons.values()
    );
    this.adjust = h(
      "div",
      { className: "adjust menu-items" },
      h("div", { className: "sliders" }, [...this.inputs].map(([name, { range, output }]) => h(
        "label",
        { className: "slider", title: `${SLIDERS[name].title} (keys ${SLIDERS[name].keys})` },
        h("span", {}, SLIDERS[name].label),
        output,
        range
      ))),
      this.look = h("span", { className: "choice" }, h("span", {}, "Color"), this.looks),
      this.triple,
      h("span", { className: "choice" }, h("span", {}, "Bands"), this.selects.curve, this.selects.palette)
    );
    this.node = h(
      "div",
      { className: "controls" },
      this.preset,
      h("div", { className: "segments" }, this.invert, this.smooth),
      h(
        "details",
        { className: "menu upward" },
        h("summary", { title: "Sliders, colors and bands; every slider has keys, too" }, "Adjust"),
        this.adjust
      )
    );
    this.render();
  }
  select(title, names, action) {
    const node = h("select", { title, "aria-label": title, onchange: () => {
      node.blur();
      action();
    } }, names.map((name) => h("option", { value: name }, name)));
    return node;
  }
  standard() {
    return {
      preset: "standard",
      ...this.presets.standard,
      curve: "asinh",
      palette: GRAY,
      look: "detail",
      triples: {},
      invert: false,
      smooth: false,
      light: false,
      snr: false
    };
  }
  // The preset that the person begins with; none: as this browser was left.
  preferred(stretch) {
    return stretch === "auto" || stretch in this.presets ? { preset: stretch, ...this.presets[stretch] } : {};
  }
  remembered() {
    try {
      const found = JSON.parse(localStorage.getItem(VIEW_KEY)) ?? {};
      const known = Object.entries(this.standard());
      const kept = Object.fromEntries(known.filter(([name, value]) => typeof found[name] === typeof value && found[name] !== null).map(([name]) => [name, found[name]]));
      if (!(kept.look in LOOKS)) {
        delete kept.look;
      }
      for (const [name, values] of Object.entries(this.choices)) {
        if (!values.includes(kept[name])) {
          delete kept[name];
        }
      }
      for (const name of NOT_KEPT) {
        delete kept[name];
      }
      return kept;
    } catch {
      return {};
    }
  }
  choose(preset) {
    this.update({ preset, ...this.presets[preset] });
  }
  nextPreset() {
    const names = [...this.buttons.keys()];
    this.choose(names[(names.indexOf(this.view.preset) + 1) % names.length]);
  }
  slide(name) {
    const value = SLIDERS[name].value(Number(this.inputs.get(name).range.value));
    this.update({ preset: "custom", [name]: value });
  }
  // Move a slider by steps.
  nudge(name, steps) {
    const { range } = this.inputs.get(name);
    range.value = Number(range.value) + steps * SLIDERS[name].step;
    this.slide(name);
  }
  nextLook() {
    const names = Object.keys(LOOKS);
    this.update({ look: names[(names.indexOf(this.view.look) + 1) % names.length] });
  }
  pick(name) {
    this.update({ [name]: this.selects[name].value });
  }
  next(name) {
    const values = this.choices[name];
    this.update({ [name]: values[(values.indexOf(this.view[name]) + 1) % values.length] });
  }
  pickTriple() {
    const [red, green, blue] = this.channels.map((select) => select.value);
    this.setTriple([red, green === MEAN ? "" : green, blue]);
  }
  // Choose the bands of the color picture, for all catalogs of the same bands.
  setTriple(triple) {
    this.update({ triples: { ...this.view.triples, [this.catalog.bands.join()]: triple } });
  }
  // The survey's choice, then every three neighboring bands from blue to red.
  nextTriple() {
    if (this.catalog === null || this.catalog.rendered || this.catalog.bands.length < 3) {
      return;
    }
    const { bands, rgb_bands: own } = this.catalog;
    const all = [own, ...bands.slice(2).map((red, k) => [red, bands[k + 1], bands[k]])];
    const different = all.filter((one, k) => k === 0 || one.join() !== own.join());
    const at = different.findIndex((one) => one.join() === tripleOf(this.catalog, this.view).join());
    this.setTriple(different[(at + 1) % different.length]);
  }
  reset() {
    this.update(this.standard());
  }
  update(changes) {
    this.view = { ...this.view, ...changes };
    try {
      localStorage.setItem(VIEW_KEY, JSON.stringify(this.view));
    } catch {
    }
    this.render();
    this.onChange(this.view);
  }
  // What "auto" chose for the object shown, so that the sliders go on from there.
  suggest(parameters) {
    if (this.view.preset === "auto") {
      Object.assign(this.view, parameters);
      this.render();
    }
  }
  // Offer what suits a catalog: rendered pictures are shown as they are, there is nothing to adjust.
  setCatalog(catalog) {
    if (catalog === this.catalog) {
      return;
    }
    this.catalog = catalog;
    this.adjust.hidden = this.preset.hidden = catalog.rendered;
    this.look.hidden = !catalog.looks?.length;
    this.triple.hidden = catalog.bands.length < 2;
    const options = (names) => names.map((name) => h("option", { value: name }, name));
    this.channels.forEach((select, k) => {
      select.replaceChildren(...options(k === 1 ? [...catalog.bands, MEAN] : catalog.bands));
    });
    const triple = this.view.triples[catalog.bands.join()];
    const valid = Array.isArray(triple) && triple.length === 3 && triple.every((name, k) => catalog.bands.includes(name) || k === 1 && name === "");
    if (triple !== void 0 && !valid) {
      delete this.view.triples[catalog.bands.join()];
    }
    this.render();
  }
  render() {
    const { view } = this;
    for (const [name, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(name === view.preset));
    }
    for (const [name, { range, output }] of this.inputs) {
      const { position, unit } = SLIDERS[name];
      range.value = position(view[name]);
      output.textContent = `${view[name]}${unit && ` ${unit}`}`;
    }
    for (const [name, select] of Object.entries(this.selects)) {
      select.value = view[name];
    }
    if (this.catalog !== null) {
      const triple = tripleOf(this.catalog, view);
      this.channels.forEach((select, k) => {
        select.value = triple[k] || MEAN;
      });
      const look = lookOf(this.catalog, view);
      this.looks.value = look;
      this.looks.title = `${LOOKS[look][1]} (key L)`;
      this.preset.classList.toggle("idle", FIXED.includes(look));
    }
    this.invert.setAttribute("aria-pressed", String(view.invert));
    this.smooth.setAttribute("aria-pressed", String(view.smooth));
  }
};

// app/viewer/frame.js
var SPINNER_AFTER_MS = 150;
var Frame = class {
  constructor(...overlays) {
    this.canvas = h("canvas", { width: 1, height: 1, "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.message = h("span", { className: "frame-message" });
    this.node = h("div", { className: "frame" }, this.canvas, this.message, ...overlays);
    this.url = null;
    this.timer = null;
    this.missing = 0;
  }
  // Draw the picture of `url`, its gray levels in the colors of `palette` if there is one; resolves
  // to whether it is (still) the one shown.
  async show(pool, url, palette = null) {
    this.url = url;
    let entry = pool.load(url);
    if (entry.state === "loading") {
      this.clear();
      this.timer = setTimeout(() => {
        this.say("loading", "");
      }, SPINNER_AFTER_MS);
      entry = await entry.ready;
      if (this.url !== url) {
        return false;
      }
    }
    this.clear();
    if (entry.state === "failed") {
      this.say("failed", "This picture could not be loaded");
      return true;
    }
    const { image } = entry;
    this.canvas.width = image.naturalWidth;
    this.canvas.height = image.naturalHeight;
    this.context.drawImage(image, 0, 0);
    if (palette !== null) {
      recolor(this.context, palette);
    }
    this.missing = entry.missing;
    this.say(entry.missing === 1 ? "empty" : "shown", entry.missing === 1 ? "no data" : "");
    return true;
  }
  clear() {
    clearTimeout(this.timer);
    const { width, height } = this.canvas;
    this.context.clearRect(0, 0, width, height);
    this.missing = 0;
    this.say("", "");
  }
  say(state, text) {
    this.node.dataset.state = state;
    this.message.textContent = text;
  }
};
function recolor(context, palette) {
  const { width, height } = context.canvas;
  const pixels = context.getImageData(0, 0, width, height);
  const { data } = pixels;
  for (let k = 0; k < data.length; k += 4) {
    const at = 3 * data[k];
    data[k] = palette[at];
    data[k + 1] = palette[at + 1];
    data[k + 2] = palette[at + 2];
  }
  context.putImageData(pixels, 0, 0);
}
function readPalettes(palettes) {
  return new Map(Object.entries(palettes).map(([name, hex]) => [
    name,
    Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16))
  ]));
}

// app/viewer/toolbar.js
var ICONS = {
  ruler: "M2 12 12 2M2 12l0-4M2 12l4 0M12 2l-4 0M12 2l0 4",
  circle: "M7 1.5a5.5 5.5 0 1 0 .01 0M7 6.2v1.6M6.2 7h1.6",
  crosshair: "M7 1v4.5M7 8.5V13M1 7h4.5M8.5 7H13",
  decorations: "M1.5 12.5h6M1.5 10.5v2M7.5 10.5v2M11 7V1.5M11 1.5 9.3 4M11 1.5 12.7 4",
  tile: "M1.5 1.5h4.5v4.5H1.5zM8 1.5h4.5v4.5H8zM1.5 8h4.5v4.5H1.5zM8 8h4.5v4.5H8z",
  blink: "M1 7c3-5 9-5 12 0-3 5-9 5-12 0zM7 5.2a1.8 1.8 0 1 0 .01 0",
  out: "M2 7h10",
  in: "M2 7h10M7 2v10"
};
var ImageToolbar = class {
  constructor(viewer, controls) {
    this.viewer = viewer;
    this.controls = controls;
    const toggleView = (name) => () => controls.update({ [name]: !controls.view[name] });
    this.light = this.button("− Galaxy", "Subtract the light of the central galaxy (key l)", toggleView("light"));
    this.snr = this.button("S/N", "In units of the noise of each pixel (key v)", toggleView("snr"));
    this.ruler = this.icon(
      "ruler",
      "Ruler: drag to measure length and position angle (key D, or Shift and drag)",
      () => viewer.use("ruler")
    );
    this.circle = this.icon(
      "circle",
      "Circle: drag from its center to measure a radius (key o, or Alt and drag)",
      () => viewer.use("circle")
    );
    this.crosshair = this.icon("crosshair", "Crosshair (key c)", () => viewer.toggle("crosshair"));
    this.decorations = this.icon(
      "decorations",
      "Scale, compass and PSF (key h)",
      () => viewer.toggle("decorations")
    );
    this.tile = this.icon("tile", "All bands side by side (key t)", () => viewer.tile());
    this.blink = this.icon("blink", "Blink through the bands (key b)", () => viewer.blink());
    this.fit = this.button("1×", "Whole cutout (key f, or double click)", () => viewer.camera.reset());
    this.layers = h("span", { className: "segments", role: "group", "aria-label": "Layer" }, this.light, this.snr);
    const segments = (name, ...buttons) => h("span", { className: "segments", role: "group", "aria-label": name }, buttons);
    this.node = h(
      "div",
      { className: "toolbar", role: "toolbar", "aria-label": "Picture" },
      this.layers,
      segments("Layout", this.tile, this.blink),
      segments("Tools", this.ruler, this.circle, this.crosshair, this.decorations),
      segments(
        "Zoom",
        this.icon("out", "Zoom out (key −, or the wheel)", () => viewer.zoom(-1)),
        this.fit,
        this.icon("in", "Zoom in (key +, or the wheel)", () => viewer.zoom(1))
      )
    );
    viewer.onTool = () => this.render();
    this.render();
  }
  button(text, title, action) {
    return h("button", { type: "button", title, onclick: action }, text);
  }
  icon(name, title, action) {
    const drawing = h(
      "svg",
      { class: "icon", viewBox: "0 0 14 14", "aria-hidden": "true" },
      h("path", { d: ICONS[name] })
    );
    return h("button", { type: "button", title, "aria-label": title, onclick: action }, drawing);
  }
  render() {
    const { viewer, controls } = this;
    const press = (button, on) => button.setAttribute("aria-pressed", String(on));
    this.layers.hidden = viewer.catalog?.rendered ?? false;
    press(this.light, controls.view.light);
    press(this.snr, controls.view.snr);
    press(this.tile, viewer.tiled);
    press(this.blink, viewer.blinking !== null);
    press(this.ruler, viewer.tool === "ruler");
    press(this.circle, viewer.tool === "circle");
    press(this.crosshair, viewer.crosshair);
    press(this.decorations, viewer.decorations);
    const zoom = viewer.camera.zoom;
    this.fit.textContent = `${zoom < 10 ? Number(zoom.toFixed(1)) : zoom.toFixed(0)}×`;
  }
};

// app/viewer/calibrations.js
var Calibrations = class {
  constructor() {
    this.entries = /* @__PURE__ */ new Map();
  }
  // What is known of a catalog; undefined before it has come.
  of(catalog) {
    return this.entries.get(catalog.id)?.found;
  }
  // Ask once for the calibration of a catalog, by one of its candidates; `then` is called when it has come.
  async ask(catalog, row, view, then) {
    if (this.entries.has(catalog.id)) {
      return;
    }
    const entry = { found: void 0 };
    this.entries.set(catalog.id, entry);
    try {
      const answer = await fetch(infoUrl(catalog, row, view));
      if (!answer.ok) {
        throw new Error(await answer.text());
      }
      entry.found = await answer.json();
      then();
    } catch {
      this.entries.delete(catalog.id);
    }
  }
};

// app/viewer/camera.js
var MOST_ZOOM = 64;
var Camera = class {
  // Frames follow by the custom properties of `node`; `onChange` is for what is drawn over them.
  constructor(node, onChange) {
    this.node = node;
    this.onChange = onChange;
    this.reset();
  }
  reset() {
    this.zoom = 1;
    this.x = this.y = 0.5;
    this.apply();
  }
  // Zoom about a place of the frame, which stays where it is.
  zoomBy(factor, at = { x: 0.5, y: 0.5 }) {
    const held = this.toImage(at);
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    this.x = held.x - (at.x - 0.5) / this.zoom;
    this.y = held.y - (at.y - 0.5) / this.zoom;
    this.apply();
  }
  // Move by fractions of the frame, to the right and down.
  panBy(dx, dy) {
    this.x += dx / this.zoom;
    this.y += dy / this.zoom;
    this.apply();
  }
  toImage({ x, y }) {
    return { x: this.x + (x - 0.5) / this.zoom, y: this.y + (y - 0.5) / this.zoom };
  }
  toFrame({ x, y }) {
    return { x: 0.5 + (x - this.x) * this.zoom, y: 0.5 + (y - this.y) * this.zoom };
  }
  apply() {
    const edge = 0.5 / this.zoom;
    this.x = Math.min(1 - edge, Math.max(edge, this.x));
    this.y = Math.min(1 - edge, Math.max(edge, this.y));
    const { style } = this.node;
    style.setProperty("--zoom", String(this.zoom));
    style.setProperty("--shift-x", `${100 * (0.5 - this.x) * this.zoom}%`);
    style.setProperty("--shift-y", `${100 * (0.5 - this.y) * this.zoom}%`);
    this.onChange();
  }
};

// app/viewer/sky.js
var RADIANS_PER_DEG = Math.PI / 180;
var NJY_ZERO_POINT_MAG = 31.4;
var SkyPlane = class {
  constructor(sky, scaleArcsec) {
    this.sky = sky ?? {};
    this.scale = scaleArcsec;
  }
  get isOriented() {
    return typeof this.sky.north_deg === "number";
  }
  get hasPosition() {
    return typeof this.sky.ra_deg === "number" && this.isOriented;
  }
  // Offsets in arcsec to the east and to the north between two pixels; null where north is unknown.
  offset(from, to) {
    if (!this.isOriented) {
      return null;
    }
    if (this.sky.matrix) {
      const [[xEast, yEast], [xNorth, yNorth]] = this.sky.matrix;
      const [x, y] = [to.x - from.x, to.y - from.y];
      return { east: xEast * x + yEast * y, north: xNorth * x + yNorth * y };
    }
    const [dx, dy] = [(to.x - from.x) * this.scale, (to.y - from.y) * this.scale];
    const turn = this.sky.north_deg * RADIANS_PER_DEG;
    const handed = this.sky.is_mirrored ? -1 : 1;
    return {
      east: handed * (-dx * Math.cos(turn) + dy * Math.sin(turn)),
      north: dx * Math.sin(turn) + dy * Math.cos(turn)
    };
  }
  // Right ascension and declination in degrees of a pixel, by the tangent projection about the
  // object's position (Calabretta & Greisen 2002, A&A 395, 1077).
  radec(pixel) {
    if (!this.hasPosition) {
      return null;
    }
    const { east, north } = this.offset(this.sky, pixel);
    const [xi, eta] = [east / 3600 * RADIANS_PER_DEG, north / 3600 * RADIANS_PER_DEG];
    const [ra0, dec0] = [this.sky.ra_deg * RADIANS_PER_DEG, this.sky.dec_deg * RADIANS_PER_DEG];
    const below = Math.cos(dec0) - eta * Math.sin(dec0);
    const ra = ra0 + Math.atan2(xi, below);
    const dec = Math.atan2(Math.sin(dec0) + eta * Math.cos(dec0), Math.hypot(xi, below));
    return { ra: (ra / RADIANS_PER_DEG % 360 + 360) % 360, dec: dec / RADIANS_PER_DEG };
  }
  // Why there is no position under the cursor.
  get missing() {
    if (typeof this.sky.ra_deg !== "number") {
      return "the catalog has no position";
    }
    return "no WCS, north unknown";
  }
};
function separation(plane, from, to) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) * plane.scale;
  const offset = plane.offset(from, to);
  if (offset === null) {
    return { length, angle: null };
  }
  return { length: Math.hypot(offset.east, offset.north), angle: (Math.atan2(offset.east, offset.north) / RADIANS_PER_DEG + 360) % 360 };
}
function calibrate(value, zeroPointMag, scaleArcsec) {
  if (!Number.isFinite(value) || typeof zeroPointMag !== "number") {
    return { njy: null, mu: null };
  }
  return {
    njy: value * 10 ** (0.4 * (NJY_ZERO_POINT_MAG - zeroPointMag)),
    mu: value > 0 ? zeroPointMag - 2.5 * Math.log10(value / scaleArcsec ** 2) : null
  };
}
function sexagesimal(value, digits, sign) {
  const unit = 10 ** digits;
  let rest = Math.round(Math.abs(value) * 3600 * unit);
  const seconds = rest % (60 * unit) / unit;
  rest = Math.floor(rest / (60 * unit));
  const width = digits ? 3 + digits : 2;
  const parts = [Math.floor(rest / 60), rest % 60].map((part) => String(part).padStart(2, "0"));
  return `${sign ? value < 0 ? "−" : "+" : ""}${parts.join(":")}:${seconds.toFixed(digits).padStart(width, "0")}`;
}
function formatRaDec({ ra, dec }) {
  const hours = sexagesimal(Math.round(ra / 15 * 36e5) / 36e5 % 24, 3, false);
  return {
    sexagesimal: `${hours} ${sexagesimal(dec, 2, true)}`,
    degrees: `${ra.toFixed(6)} ${dec < 0 ? "−" : "+"}${Math.abs(dec).toFixed(6)}`
  };
}
function formatValue(value, digits = 4) {
  if (value === null || Number.isNaN(value)) {
    return MISSING;
  }
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−");
}

// app/viewer/overlay.js
var BAR_LENGTHS_ARCSEC = [
  0.01,
  0.02,
  0.05,
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  20,
  30,
  60,
  120,
  300,
  600
];
var overlayAt = (fraction) => `${(100 * fraction).toFixed(3)}%`;
var Overlay = class {
  constructor(isLarge) {
    this.isLarge = isLarge;
    this.node = h("svg", { class: "overlay", "aria-hidden": "true" });
  }
  // How much larger, in fractions of a small frame, things must be that stay readable.
  get spread() {
    return Math.min(2.2, Math.max(1, 300 / (this.node.clientWidth || 300)));
  }
  // `scene`: camera, sizeArcsec, plane, psfArcsec, cursor, crosshair, decorations, marks, model.
  render(scene) {
    const parts = [];
    if (scene.decorations && this.isLarge) {
      parts.push(...scaleBar(scene), ...compass(scene.plane, this.spread), ...psfDisc(scene));
    }
    if (scene.model) {
      parts.push(...drawModel(scene));
    }
    for (const mark2 of scene.marks) {
      parts.push(...drawMark(scene, mark2, this.isLarge));
    }
    if (scene.cursor !== null) {
      parts.push(...drawCursor(scene));
    }
    this.node.replaceChildren(...parts);
  }
};
function overlayLine(from, to, className) {
  return h("line", {
    x1: overlayAt(from.x),
    y1: overlayAt(from.y),
    x2: overlayAt(to.x),
    y2: overlayAt(to.y),
    class: className
  });
}
function overlayText(at, text, className = "note") {
  return h("text", { x: overlayAt(at.x), y: overlayAt(at.y), class: className }, text);
}
function scaleBar({ camera, sizeArcsec }) {
  const seen = sizeArcsec / camera.zoom;
  const length = BAR_LENGTHS_ARCSEC.filter((one) => one <= 0.3 * seen).at(-1);
  if (length === void 0) {
    return [];
  }
  const left = 0.03;
  return [
    overlayLine({ x: left, y: 0.97 }, { x: left + length / seen, y: 0.97 }, "bar"),
    overlayText({ x: left, y: 0.955 }, `${length}″`, "note start")
  ];
}
function compass(plane, spread) {
  if (!plane.isOriented) {
    return [];
  }
  const turn = plane.sky.north_deg * RADIANS_PER_DEG;
  const handed = plane.sky.is_mirrored ? -1 : 1;
  const north = { x: Math.sin(turn), y: -Math.cos(turn) };
  const east = { x: -handed * Math.cos(turn), y: -handed * Math.sin(turn) };
  const reach = 0.028 * spread;
  const middle = {
    x: 1 - 0.09 * spread - reach * (north.x + east.x),
    y: 0.09 * spread - reach * (north.y + east.y)
  };
  const tip = (way, length) => ({ x: middle.x + length * spread * way.x, y: middle.y + length * spread * way.y });
  return [[north, "N"], [east, "E"]].flatMap(([way, letter]) => [
    overlayLine(middle, tip(way, 0.062), "arrow"),
    overlayText(tip(way, 0.083), letter, "note centered")
  ]);
}
function psfDisc({ camera, sizeArcsec, psfArcsec }) {
  if (psfArcsec === null) {
    return [];
  }
  const radius = 0.5 * psfArcsec * camera.zoom / sizeArcsec;
  if (radius > 0.2) {
    return [];
  }
  const at = { x: 0.97 - Math.max(radius, 0.01), y: 0.97 - Math.max(radius, 0.01) };
  return [
    h("circle", { cx: overlayAt(at.x), cy: overlayAt(at.y), r: overlayAt(radius), class: "psf" }),
    overlayText({ x: at.x - Math.max(radius, 0.01) - 0.015, y: 0.965 }, `PSF ${psfArcsec.toFixed(2)}″`, "note end")
  ];
}
function drawCursor({ camera, cursor, crosshair }) {
  const at = camera.toFrame(cursor);
  if (crosshair) {
    return [overlayLine({ x: 0, y: at.y }, { x: 1, y: at.y }, "cross"), overlayLine({ x: at.x, y: 0 }, { x: at.x, y: 1 }, "cross")];
  }
  return [h("circle", { cx: overlayAt(at.x), cy: overlayAt(at.y), r: 3, class: "spot" })];
}
function drawModel({ camera, sizeArcsec, model }) {
  const place = ([x, y]) => camera.toFrame({ x: 0.5 + x / sizeArcsec, y: 0.5 - y / sizeArcsec });
  const path = model.curves.map((points) => points.map((point, k) => {
    const { x, y } = place(point);
    return `${k ? "L" : "M"}${x.toFixed(4)} ${y.toFixed(4)}`;
  }).join("")).join("");
  return [
    h(
      "svg",
      { viewBox: "0 0 1 1", preserveAspectRatio: "none", width: "100%", height: "100%", x: 0, y: 0, overflow: "hidden" },
      h("path", { d: path, class: "critical" })
    ),
    ...model.points.map((point) => {
      const { x, y } = place(point);
      return h("circle", { cx: overlayAt(x), cy: overlayAt(y), r: 5, class: "model-image" });
    })
  ];
}
function drawMark({ camera, measure }, mark2, isLarge) {
  const [from, to] = [camera.toFrame(mark2.from), camera.toFrame(mark2.to)];
  const parts = [];
  if (mark2.kind === "ruler") {
    parts.push(overlayLine(from, to, "mark"));
  } else {
    const radius = Math.hypot(to.x - from.x, to.y - from.y);
    parts.push(h("circle", { cx: overlayAt(from.x), cy: overlayAt(from.y), r: overlayAt(radius), class: "mark" }));
  }
  parts.push(h("circle", { cx: overlayAt(from.x), cy: overlayAt(from.y), r: 2, class: "mark-end" }));
  if (isLarge) {
    const right = to.x < 0.7;
    const at = { x: to.x + (right ? 0.015 : -0.015), y: Math.min(0.95, Math.max(0.05, to.y)) };
    parts.push(overlayText(at, measure(mark2), right ? "note start" : "note end"));
  }
  return parts;
}

// app/viewer/pointer.js
var DRAG_FROM_PX = 4;
var Pointer = class {
  // `viewer`: an ImageViewer, which is told where the pointer is and what is measured with it.
  constructor(viewer) {
    this.viewer = viewer;
    this.dragged = false;
  }
  // Follow the pointer over the picture of the cell `name`.
  listen(node, name) {
    const { viewer } = this;
    const place = (event) => {
      const box = node.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    };
    let start = null;
    node.addEventListener("pointermove", (event) => {
      if (viewer.row === null) {
        return;
      }
      if (start !== null) {
        this.drag(start, event, place(event), node);
      }
      const at = viewer.camera.toImage(place(event));
      viewer.point(at.x >= 0 && at.x < 1 && at.y >= 0 && at.y < 1 ? { ...at, name } : null);
    });
    node.addEventListener("pointerleave", () => viewer.point(null));
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || viewer.row === null) {
        return;
      }
      const at = place(event);
      const tool = event.shiftKey ? "ruler" : event.altKey ? "circle" : viewer.tool;
      start = { clientX: event.clientX, clientY: event.clientY, last: at, tool, image: viewer.camera.toImage(at) };
      this.dragged = false;
    });
    const end = () => {
      start = null;
    };
    node.addEventListener("pointerup", () => {
      if (start !== null && !this.dragged && node === viewer.frame.node) {
        viewer.onPick?.(start.image);
      }
      end();
    });
    node.addEventListener("pointercancel", end);
    node.addEventListener("dblclick", () => viewer.camera.reset());
    node.addEventListener("wheel", (event) => {
      if (viewer.row === null || event.ctrlKey) {
        return;
      }
      event.preventDefault();
      viewer.camera.zoomBy(2 ** (-Math.sign(event.deltaY) / 3), place(event));
    }, { passive: false });
  }
  // Pan the picture, or measure with the tool that the press began with.
  drag(start, event, at, node) {
    const moved = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
    if (!this.dragged && moved < DRAG_FROM_PX) {
      return;
    }
    if (!this.dragged) {
      this.dragged = true;
      node.setPointerCapture(event.pointerId);
    }
    const { camera } = this.viewer;
    if (start.tool === null) {
      camera.panBy(start.last.x - at.x, start.last.y - at.y);
    } else {
      this.viewer.mark(start.tool, start.image, camera.toImage(at));
    }
    start.last = at;
  }
};

// app/viewer/readout.js
var PIXEL_BYTES_KEPT = 64 * 2 ** 20;
var PixelPool = class {
  constructor() {
    this.entries = /* @__PURE__ */ new Map();
  }
  load(url) {
    let entry = this.entries.get(url);
    if (entry === void 0) {
      entry = { values: null, bytes: 0 };
      entry.ready = this.fetch(url, entry);
    }
    this.entries.delete(url);
    this.entries.set(url, entry);
    return entry;
  }
  async fetch(url, entry) {
    try {
      const answer = await fetch(url);
      if (!answer.ok) {
        throw new Error(await answer.text());
      }
      const buffer = await answer.arrayBuffer();
      entry.values = new Float32Array(buffer);
      entry.bytes = buffer.byteLength;
      this.evict();
    } catch {
      this.entries.delete(url);
    }
    return entry;
  }
  evict() {
    let bytes = [...this.entries.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    for (const [url, entry] of this.entries) {
      if (bytes <= PIXEL_BYTES_KEPT) {
        return;
      }
      bytes -= entry.bytes;
      if (entry.bytes) {
        this.entries.delete(url);
      }
    }
  }
};
var Readout = class {
  constructor() {
    this.place = h("span", {});
    this.sky = h("span", {});
    this.value = h("span", {});
    this.node = h(
      "div",
      { className: "readout", "aria-label": "Values under the cursor" },
      h("div", {}, this.place),
      h("div", {}, this.sky),
      h("div", {}, this.value)
    );
    this.rest();
  }
  rest(text = "Point at a picture for pixel values and sky position") {
    this.place.textContent = text;
    this.node.classList.add("faint");
    this.sky.textContent = this.value.textContent = "";
  }
  // `pixel` as in FITS: the middle of the first pixel is 1, 1. `from`: the object's own pixel.
  show(pixel, plane, from) {
    this.node.classList.remove("faint");
    const { length, angle } = separation(plane, from, { x: pixel.x - 1, y: pixel.y - 1 });
    const turned = angle === null ? "" : ` PA ${angle.toFixed(0)}°`;
    this.place.replaceChildren(
      h(
        "span",
        { title: "Pixel of the cutout, as in FITS: the first has its middle at 1, 1" },
        `x ${pixel.x.toFixed(1)}  y ${pixel.y.toFixed(1)}`
      ),
      h(
        "span",
        { title: "Distance from the object, and position angle east of north" },
        `r ${length.toFixed(2)}″${turned}`
      )
    );
    const radec = plane.radec({ x: pixel.x - 1, y: pixel.y - 1 });
    if (radec === null) {
      const offset = plane.offset(from, { x: pixel.x - 1, y: pixel.y - 1 });
      this.sky.textContent = offset === null ? `No RA, Dec (${plane.missing})` : `Δα cos δ ${signedArcsec(offset.east)}″  Δδ ${signedArcsec(offset.north)}″ (${plane.missing})`;
      return;
    }
    const { sexagesimal: text, degrees } = formatRaDec(radec);
    this.sky.replaceChildren(
      h("span", { title: "Right ascension, declination (ICRS), sexagesimal" }, text),
      h("span", { title: "Right ascension, declination (ICRS), degrees" }, degrees)
    );
  }
  // The value of the band under the cursor, in every unit that it has.
  showValue(text) {
    this.value.textContent = text;
  }
};
var signedArcsec = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

// app/viewer/values.js
function describeValue(band, value, units) {
  const { rendered, snr, info, scale } = units;
  const number = formatValue(value, snr ? 3 : 4);
  if (Number.isNaN(value)) {
    return { short: "no data", brightness: "", long: `${band}: no data` };
  }
  if (rendered) {
    return { short: number, brightness: "", long: `${band}: level ${number} of 255, no flux` };
  }
  if (snr) {
    return { short: `${number} σ`, brightness: "", long: `${band}: ${number} σ. ${noiseNote(info)}` };
  }
  const zeroPoint = info?.zero_point_mag?.[band];
  const { njy, mu } = calibrate(value, zeroPoint, scale);
  const sigma = info?.sky_sigma?.[band];
  const parts = [
    typeof zeroPoint === "number" ? `${number} (ZP ${zeroPoint.toFixed(2)})` : `${number} (no ZP)`,
    njy === null ? null : `${formatValue(njy)} nJy`,
    mu === null ? null : `${mu.toFixed(2)} mag/″²`,
    typeof sigma === "number" ? `σ ${formatValue(sigma, 3)}` : null
  ];
  return {
    short: njy === null ? number : `${formatValue(njy)} nJy`,
    brightness: mu === null ? "" : `${mu.toFixed(2)} m/″²`,
    long: `${band}: ${parts.filter(Boolean).join(" · ")}`
  };
}
function unitNote({ rendered, snr, info }) {
  if (rendered) {
    return "8-bit picture: levels, no flux";
  }
  return snr ? noiseNote(info) : "Below: nJy a pixel and AB mag/arcsec² by band";
}
function noiseNote(info) {
  return info?.noise_from === "variance" ? "Values in σ of the variance map" : "Values in σ of the sky: there is no variance map";
}
function pictureCaption(catalog, band, view) {
  if (catalog.rendered) {
    return `${band ?? "picture as imported"} · 8-bit, no flux`;
  }
  const what = [
    view.light ? "galaxy subtracted" : null,
    view.snr ? "S/N" : null
  ].filter(Boolean);
  const [red, green, blue] = tripleOf(catalog, view);
  const name = band ?? (red === blue ? red : `${red} ${green || "mean"} ${blue}`);
  return [name, ...what].join(" · ");
}

// app/viewer/viewer.js
var BLINK_MS = 600;
var ZOOM_STEP = Math.SQRT2;
var PAN_STEP = 0.15;
var COLOR = "";
var ImageViewer = class {
  // `palettes`: name to 256 colors, as readPalettes gives them.
  constructor(pool, palettes = /* @__PURE__ */ new Map()) {
    this.pool = pool;
    this.palettes = palettes;
    this.pixels = new PixelPool();
    this.calibrations = new Calibrations();
    this.caption = h("span", { className: "frame-caption" });
    this.legend = h("span", { className: "frame-legend", hidden: true });
    this.overlay = new Overlay(true);
    this.frame = new Frame(this.overlay.node, this.caption, this.legend);
    this.strip = h("div", { className: "strip", role: "group", "aria-label": "Bands" });
    this.readout = new Readout();
    this.node = h(
      "div",
      { className: "images" },
      h("div", { className: "viewer-body" }, this.frame.node),
      this.readout.node,
      this.strip
    );
    this.cells = /* @__PURE__ */ new Map();
    this.shown = null;
    this.tiled = false;
    this.blinking = null;
    this.tool = null;
    this.crosshair = false;
    this.decorations = true;
    this.marks = [];
    this.model = null;
    this.cursor = null;
    this.row = this.catalog = this.view = this.sky = null;
    this.onPick = null;
    this.onTool = () => {
    };
    this.settled = Promise.resolve(true);
    this.camera = new Camera(this.node, () => {
      this.node.classList.toggle("zoomed", (this.camera?.zoom ?? 1) > 1);
      this.drawOverlays();
      this.onTool();
    });
    this.pointer = new Pointer(this);
    this.pointer.listen(this.frame.node, COLOR);
  }
  get bands() {
    return this.catalog === null ? [] : this.catalog.bands;
  }
  // --- pictures ---------------------------------------------------------------------------------
  // Show a candidate; resolves when its large picture has been drawn (false: another came between).
  show(row, catalog, view) {
    if (this.catalog !== catalog) {
      this.arrange(catalog);
    }
    if (this.row !== row) {
      this.marks = [];
      this.model = null;
      this.sky = null;
    }
    this.row = row;
    this.catalog = catalog;
    this.view = view;
    this.node.classList.toggle("inverted", view.invert);
    this.node.classList.toggle("smooth", view.smooth);
    const drawn = this.tiled ? null : this.draw();
    if (this.tiled) {
      this.press();
    }
    const cells = [...this.cells].filter(([name]) => name !== COLOR || this.tiled).map(([name, cell]) => cell.frame.show(this.pool, this.url(name || null), this.palette(name || null)));
    this.settled = Promise.all(drawn === null ? cells : [drawn, ...cells]).then((all) => all.every(Boolean));
    this.calibrations.ask(catalog, row, view, () => this.drawOverlays());
    this.readPixels();
    this.drawOverlays();
    return drawn ?? this.settled;
  }
  url(band) {
    return tileUrl(this.catalog, this.row, band, this.view);
  }
  palette(band) {
    return band === null || this.catalog.rendered ? null : this.palettes.get(this.view.palette) ?? null;
  }
  async draw() {
    const band = this.largeBand;
    this.caption.textContent = pictureCaption(this.catalog, band, this.view);
    this.press();
    const drawn = await this.frame.show(this.pool, this.url(band), this.palette(band));
    if (drawn) {
      const { missing } = this.frame;
      this.legend.hidden = missing === 0 || missing === 1;
      this.legend.textContent = `hatched: no data, ${(100 * missing).toFixed(missing < 0.1 ? 1 : 0)} %`;
    }
    return drawn;
  }
  // Mark the cell of the band that is shown large.
  press() {
    for (const [name, cell] of this.cells) {
      cell.node.setAttribute("aria-pressed", String(!this.tiled && name === (this.largeBand ?? COLOR)));
    }
  }
  get largeBand() {
    return this.bands.includes(this.shown) ? this.shown : null;
  }
  redraw() {
    return this.row === null ? null : this.show(this.row, this.catalog, this.view);
  }
  // Show one band large (null: color); the same band again goes back to color.
  choose(band) {
    this.shown = band === this.shown && !this.tiled ? null : band;
    if (this.tiled) {
      return this.tile(false);
    }
    this.drawOverlays();
    return this.row === null ? null : this.draw();
  }
  // The next (1) or previous (-1) band, color between the last and the first.
  step(direction = 1) {
    if (this.row === null || !this.bands.length) {
      return;
    }
    const all = [null, ...this.bands];
    const at = all.indexOf(this.largeBand) + direction + all.length;
    this.choose(all[at % all.length]);
  }
  // Step through the bands by itself, until called again.
  blink() {
    if (this.blinking !== null) {
      clearInterval(this.blinking);
      this.blinking = null;
    } else {
      const next = () => {
        if (this.row === null || !this.bands.length) {
          return;
        }
        this.shown = this.bands[(this.bands.indexOf(this.shown) + 1) % this.bands.length];
        this.drawOverlays();
        this.draw();
      };
      this.tile(false);
      this.blinking = setInterval(next, BLINK_MS);
      next();
    }
    this.onTool();
    return this.blinking !== null;
  }
  // All pictures side by side, or one large and the others small.
  tile(tiled = !this.tiled) {
    if (tiled === this.tiled) {
      return null;
    }
    if (tiled && this.blinking !== null) {
      this.blink();
    }
    this.tiled = tiled;
    this.node.classList.toggle("tiled", tiled);
    this.setCells();
    this.onTool();
    return this.redraw();
  }
  // One large picture in color, whole, with nothing measured.
  reset() {
    if (this.blinking !== null) {
      this.blink();
    }
    this.shown = null;
    this.crosshair = false;
    this.decorations = true;
    this.marks = [];
    this.tool = null;
    this.tile(false);
    this.camera.reset();
    this.onTool();
  }
  clear() {
    this.reset();
    this.row = null;
    this.frame.url = null;
    this.frame.clear();
    this.arrange(null);
    this.readout.rest();
  }
  // Addresses of all pictures of a candidate, the one that is shown large first.
  urls(row, catalog, view) {
    const bands = [null, ...catalog.bands];
    const first = catalog.bands.includes(this.shown) ? this.shown : null;
    bands.sort((one, other) => Number(other === first) - Number(one === first));
    return bands.map((band) => tileUrl(catalog, row, band, view));
  }
  arrange(catalog) {
    this.catalog = catalog;
    this.cells.clear();
    this.strip.replaceChildren();
    this.strip.hidden = this.bands.length < 2;
    if (catalog === null) {
      return;
    }
    this.addCell(COLOR, "0");
    catalog.bands.forEach((band, k) => this.addCell(band, k < 9 ? String(k + 1) : null));
    this.setCells();
  }
  addCell(name, key) {
    const band = name || null;
    const overlay = new Overlay(band === null);
    const caption = h("span", { className: "band-name" }, key ? h("kbd", {}, key) : null, band ?? "color");
    const frame = new Frame(overlay.node, caption);
    const value = h("span", { className: "band-value" });
    const brightness = h("span", { className: "band-value" });
    const choose = () => {
      this.pointer.dragged || this.choose(band);
    };
    const node = h(
      "div",
      {
        className: "band",
        role: "button",
        tabIndex: 0,
        "aria-pressed": "false",
        title: `Show ${band ?? "the color picture"} large${key ? ` (key ${key})` : ""}`,
        onclick: choose,
        onkeydown: (event) => {
          if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            choose();
          }
        }
      },
      frame.node,
      h("div", { className: "band-values" }, value, brightness)
    );
    this.pointer.listen(frame.node, name);
    this.cells.set(name, { frame, overlay, node, value, brightness });
    this.strip.append(node);
  }
  setCells() {
    const color = this.cells.get(COLOR);
    if (color !== void 0) {
      color.node.hidden = !this.tiled;
    }
    const n = this.cells.size;
    this.strip.style.setProperty("--columns", n <= 4 ? 2 : n <= 9 ? 3 : 4);
    this.strip.style.setProperty("--in-row", Math.min(6, Math.max(3, this.bands.length)));
  }
  // --- what is known of the image ---------------------------------------------------------------
  // Where the image lies on the sky, once the server has said so.
  locate(row, sky) {
    if (row !== this.row || sky === this.sky) {
      return;
    }
    this.sky = sky ?? null;
    this.drawOverlays();
  }
  get plane() {
    return new SkyPlane(this.sky, this.scale);
  }
  get scale() {
    return this.catalog.size_arcsec / this.catalog.size_px;
  }
  get info() {
    return this.catalog === null ? void 0 : this.calibrations.of(this.catalog);
  }
  // Pixel values are fetched where somebody points at the picture.
  async readPixels() {
    if (this.cursor === null || this.row === null) {
      return;
    }
    const entry = this.pixels.load(pixelsUrl(this.catalog, this.row, this.view));
    if (entry.values === null) {
      await entry.ready;
      this.writeReadout();
    }
  }
  // --- tools ------------------------------------------------------------------------------------
  // The pointer is at a place of the picture of one cell; null: it is over none.
  point(cursor) {
    this.cursor = cursor;
    if (cursor !== null) {
      this.readPixels();
    }
    this.drawOverlays();
  }
  // Measure from one place of the image to another, with a ruler or a circle.
  mark(kind, from, to) {
    this.marks = [...this.marks.filter((mark2) => mark2.kind !== kind), { kind, from, to }];
  }
  use(tool) {
    this.tool = tool === this.tool ? null : tool;
    this.node.dataset.tool = this.tool ?? "";
    this.onTool();
  }
  // Put away the tool, or else what was measured with it.
  escape() {
    if (this.tool !== null) {
      this.use(this.tool);
    } else {
      this.marks = [];
      this.drawOverlays();
    }
  }
  toggle(name) {
    this[name] = !this[name];
    this.drawOverlays();
    this.onTool();
  }
  // Draw the curves and images of a lens model over the pictures; null: none.
  showModel(model) {
    if (model === this.model) {
      return;
    }
    this.model = model;
    this.drawOverlays();
  }
  zoom(direction) {
    this.camera.zoomBy(ZOOM_STEP ** direction);
  }
  pan(dx, dy) {
    this.camera.panBy(PAN_STEP * dx, PAN_STEP * dy);
  }
  // --- overlays and readout -----------------------------------------------------------------------
  // Pixel (from 0, y upwards) of a place of the image.
  pixel({ x, y }) {
    const n = this.catalog.size_px;
    return { x: x * n - 0.5, y: (1 - y) * n - 0.5 };
  }
  // The pixel of the object: its place by the table, else the middle.
  get origin() {
    const middle = (this.catalog.size_px - 1) / 2;
    return { x: this.sky?.x ?? middle, y: this.sky?.y ?? middle };
  }
  measure(mark2) {
    const { length, angle } = separation(this.plane, this.pixel(mark2.from), this.pixel(mark2.to));
    const text = `${length.toFixed(2)}″`;
    if (mark2.kind === "circle") {
      return `R ${text}`;
    }
    return angle === null ? text : `${text}, PA ${angle.toFixed(0)}°`;
  }
  psf(band) {
    const psf = this.info?.psf_fwhm_arcsec;
    if (psf === void 0) {
      return null;
    }
    const names = band === null ? tripleOf(this.catalog, this.view).filter(Boolean) : [band];
    const known = names.map((name) => psf[name]).filter((value) => typeof value === "number");
    return known.length ? Math.max(...known) : null;
  }
  drawOverlays() {
    if (!this.row || !this.catalog || !this.view) {
      return;
    }
    const scene = {
      camera: this.camera,
      sizeArcsec: this.catalog.size_arcsec,
      plane: this.plane,
      cursor: null,
      crosshair: this.crosshair,
      decorations: this.decorations,
      marks: this.marks,
      model: this.model,
      measure: (mark2) => this.measure(mark2)
    };
    const cursor = (name) => this.cursor && (this.crosshair || this.cursor.name !== name) ? this.cursor : null;
    if (this.tiled) {
      this.overlay.node.replaceChildren();
    } else {
      this.overlay.render({
        ...scene,
        cursor: this.crosshair ? cursor(null) : this.cursorBeside(),
        psfArcsec: this.psf(this.largeBand)
      });
    }
    for (const [name, { overlay }] of this.cells) {
      overlay.render({ ...scene, cursor: cursor(name), psfArcsec: this.psf(name || null) });
    }
    this.writeReadout();
  }
  // The cursor, where it is over one of the small pictures.
  cursorBeside() {
    return this.cursor === null || this.cursor.name === COLOR ? null : this.cursor;
  }
  // What values of the shown pixels mean.
  get units() {
    return { rendered: this.catalog.rendered, snr: this.view.snr, info: this.info, scale: this.scale };
  }
  writeReadout() {
    const { cursor } = this;
    if (cursor === null || this.row === null) {
      this.readout.rest();
      for (const cell of this.cells.values()) {
        cell.value.textContent = cell.brightness.textContent = "";
      }
      return;
    }
    const { x, y } = this.pixel(cursor);
    this.readout.show({ x: x + 1, y: y + 1 }, this.plane, this.origin);
    const values = this.pixels.load(pixelsUrl(this.catalog, this.row, this.view)).values;
    if (values === null) {
      this.readout.showValue("…");
      return;
    }
    const n = this.catalog.size_px;
    const column = Math.min(n - 1, Math.floor(cursor.x * n));
    const fromTop = Math.min(n - 1, Math.floor(cursor.y * n));
    const row = this.catalog.rendered ? fromTop : n - 1 - fromTop;
    const large = cursor.name === COLOR ? this.tiled ? null : this.largeBand : cursor.name;
    const written = this.bands.map((band, k) => {
      const value = values[(k * n + row) * n + column];
      const text = describeValue(band, value, this.units);
      const cell = this.cells.get(band);
      cell.value.textContent = text.short;
      cell.brightness.textContent = text.brightness;
      return [band, text.long];
    });
    this.readout.showValue(large === null ? unitNote(this.units) : written.find(([band]) => band === large)[1]);
  }
};

// app/review/marks.js
var DECIDED = { accepted: "accepted as a lens", retired: "not a lens", open: "not decided" };
function opinionOf(consensus) {
  if (consensus == null) {
    return null;
  }
  const { posterior: posterior2, state, n_votes } = consensus;
  const votes = `${n_votes} ${n_votes === 1 ? "vote" : "votes"}`;
  const text = posterior2 > 0.99 ? "> .99" : posterior2 < 0.01 ? "< .01" : posterior2.toFixed(2).replace(/^0/, "");
  return {
    text,
    title: `Consensus of ${votes}: P(lens) ${formatProbability(posterior2)}, ${DECIDED[state]}`
  };
}
function gradeMarks(row, own) {
  const opinion = opinionOf(row.consensus);
  return [
    own ? h("span", { className: "grade-mark own", title: `Your grade: ${own.grade}` }, own.grade) : null,
    opinion === null ? null : h("span", { className: `grade-mark others ${row.consensus.state}`, title: opinion.title }, opinion.text),
    row.blind ? h("span", { className: "faint", title: "Graded blind in an open session: label and consensus are shown when it is closed" }, "blind") : null
  ];
}

// app/review/table.js
var COLUMNS = [
  // name, heading, title, sort key, text of a row, class
  ["rank", "#", "Rank in this list", null, null, "number"],
  ["thumbnail", "", "", null, null, ""],
  ["object", "Object", "Object id", "object_id", (row) => row.object_id, "object"],
  ["grade", "Grade", "Your grade (filled), and the consensus where others have graded (open)", null, null, "grade"],
  [
    "score",
    "Score",
    "Calibrated probability by the ensemble: a score, not a confirmation",
    "score",
    (row) => formatProbability(row.probability),
    "number scores"
  ],
  [
    "p-galaxy",
    "Galaxy",
    "Score as a galaxy-scale lens",
    null,
    (row) => formatProbability(row.scales?.galaxy),
    "number scale"
  ],
  [
    "p-cluster",
    "Cluster",
    "Score as a cluster-scale lens, of the nearest candidate within 15″",
    null,
    (row) => formatProbability(row.scales?.cluster),
    "number scale"
  ],
  [
    "p-either",
    "Either",
    "Probability of a lens at one scale or both, taken as independent",
    null,
    (row) => formatProbability(row.scales?.either),
    "number scale"
  ],
  [
    "epistemic",
    "Epist.",
    "Epistemic uncertainty: mutual information of the members, nat",
    "epistemic",
    (row) => formatNumber(row.epistemic),
    "number scores"
  ],
  [
    "disagreement",
    "Disagr.",
    "Disagreement: standard deviation of the members' logits",
    "disagreement",
    (row) => formatNumber(row.disagreement, 2),
    "number scores"
  ],
  [
    "magnitude",
    "Mag",
    "AB magnitude of the reference band",
    "magnitude",
    (row) => formatNumber(row.magnitude, 2),
    "number"
  ],
  ["label", "Label", "Label as imported", null, null, ""],
  ["stage", "Stage", "Stage of the candidate", null, null, "stage"],
  ["catalog", "Catalog", "Catalog", null, null, "catalog"]
];
var LABEL_TEXT = { 0: "not", 1: "lens" };
function labelChip(label) {
  if (label === null) {
    return h("span", { className: "faint", title: "No label" }, MISSING);
  }
  const title = label ? "Imported with the label: lens" : "Imported with the label: not a lens";
  return h("span", { className: `chip label-${label}`, title }, LABEL_TEXT[label]);
}
function stageChip(stage) {
  return h("span", { className: `chip stage-${stage}` }, stage);
}
var RankingTable = class {
  // `ownGrade(id)`: the person's grade that stands, {grade}; null or undefined: none is known.
  constructor(catalogs, { onSelect, onSort, ownGrade }) {
    this.ownGrade = ownGrade;
    this.catalogs = catalogs;
    this.onSelect = onSelect;
    this.rows = [];
    this.selected = -1;
    this.headings = /* @__PURE__ */ new Map();
    const heads = COLUMNS.map(([name, heading, title, sort, , kind]) => {
      const cell = h("th", { scope: "col", className: `${name} ${kind}`, title }, sort === null ? heading || h("span", { className: "hidden" }, name) : h("button", { type: "button", onclick: () => onSort(sort) }, heading));
      if (sort !== null) {
        this.headings.set(sort, cell);
      }
      return cell;
    });
    this.body = h("tbody", {});
    this.table = h(
      "table",
      { role: "grid", className: "one-scale", tabIndex: 0, "aria-label": "Ranked candidates" },
      h("thead", {}, h("tr", {}, heads)),
      this.body
    );
    this.node = h("div", { className: "table-scroll" }, this.table);
    this.body.addEventListener("click", (event) => {
      const line = event.target.closest("tr");
      if (line !== null) {
        this.onSelect([...this.body.children].indexOf(line));
      }
    });
  }
  // Show a page; `first` is the rank of its first row, null while that is not known.
  setRows(rows, first, query) {
    this.rows = rows;
    this.selected = -1;
    this.table.classList.toggle("unscored", query.ensemble_id === null);
    this.table.classList.toggle("one-catalog", this.catalogs.size < 2 || query.catalog_ids.length === 1);
    this.table.classList.toggle("one-scale", rows.every((row) => row.scales === void 0));
    for (const [sort, cell] of this.headings) {
      const direction = query.descending ? "descending" : "ascending";
      cell.setAttribute("aria-sort", sort === query.sort ? direction : "none");
    }
    this.table.removeAttribute("aria-activedescendant");
    this.body.replaceChildren(...rows.map((row, k) => this.line(row, k, first)));
    this.node.scrollTop = 0;
  }
  setRanks(first) {
    [...this.body.children].forEach((line, k) => {
      line.firstChild.textContent = formatCount(first + k);
    });
  }
  line(row, k, first) {
    const catalog = this.catalogs.get(row.catalog_id);
    const cells = COLUMNS.map(([name, , , , text, kind]) => {
      const className = `${name} ${kind}`;
      switch (name) {
        case "rank":
          return h("td", { className }, first === null ? "" : formatCount(first + k));
        case "thumbnail":
          return h("td", { className }, catalog === void 0 ? null : picture({
            src: tileUrl(catalog, row, null, { preset: "auto" }, 64),
            alt: "",
            loading: "lazy",
            width: 30,
            height: 30
          }));
        case "object":
          return h(
            "th",
            { className, scope: "row", title: row.object_id },
            h("span", {}, row.object_id)
          );
        case "grade":
          return h("td", { className }, gradeMarks(row, this.ownGrade(row.id)));
        case "label":
          return h("td", { className }, labelChip(row.label));
        case "stage":
          return h("td", { className }, stageChip(row.stage));
        case "catalog":
          return h("td", { className, title: catalog?.title }, catalog?.title ?? MISSING);
        default:
          return h("td", { className }, text(row));
      }
    });
    return h("tr", { id: `candidate-${row.id}`, "aria-selected": "false" }, cells);
  }
  // A grade of a candidate was given or taken back.
  markGrade(id) {
    const row = this.rows.find((one) => one.id === id);
    const cell = this.body.querySelector(`#candidate-${id} td.grade`);
    if (row !== void 0) {
      cell?.replaceChildren(...gradeMarks(row, this.ownGrade(id)).filter((node) => node !== null));
    }
  }
  // Ask again for the pictures that did not come.
  drawAgain() {
    loadMissing(this.body);
  }
  select(index) {
    const lines = this.body.children;
    lines[this.selected]?.setAttribute("aria-selected", "false");
    this.selected = index;
    const line = lines[index];
    if (line === void 0) {
      return;
    }
    line.setAttribute("aria-selected", "true");
    this.table.setAttribute("aria-activedescendant", line.id);
    const head = this.table.tHead.offsetHeight;
    const { offsetTop, offsetHeight } = line;
    const { scrollTop, clientHeight } = this.node;
    if (offsetTop < scrollTop + head) {
      this.node.scrollTop = offsetTop - head;
    } else if (offsetTop + offsetHeight > scrollTop + clientHeight) {
      this.node.scrollTop = offsetTop + offsetHeight - clientHeight;
    }
  }
};

// app/review/candidate.js
var AHEAD = 8;
var BEHIND = 2;
var AUTO_PAUSE_MS = 40;
var CandidatePanel = class {
  /**
   * @param {any} start what the page began with
   * @param {Map<number, any>} catalogs by id
   * @param {object} parts
   * @param {import("./walk.js").RankingWalk} parts.walk
   * @param {(event: "shown" | "settled", row: any, ms: number) => void} parts.onDrawn
   * @param {() => void} parts.onHelp
   * @param {() => boolean} parts.onView pictures are to be drawn otherwise; whether this one is in sight
   */
  constructor(start, catalogs, { walk, onDrawn, onHelp, onView }) {
    this.catalogs = catalogs;
    this.walk = walk;
    this.onDrawn = onDrawn;
    this.pool = new TilePool();
    this.controls = new ImageControls(start, () => {
      if (onView()) {
        this.redraw();
      }
    });
    this.viewer = new ImageViewer(this.pool, readPalettes(start.palettes));
    this.toolbar = new ImageToolbar(this.viewer, this.controls);
    this.fetchAuto = debounce(() => this.askAuto(), AUTO_PAUSE_MS);
    this.title = h("h2", {});
    this.chips = h("span", { className: "chips" });
    const help = h("button", { type: "button", className: "text", onclick: onHelp }, "Keys ", h("kbd", {}, "?"));
    this.node = h(
      "section",
      { className: "viewer", "aria-label": "Candidate" },
      h("header", {}, this.title, this.chips, h("span", { className: "spacer" }), help),
      this.toolbar.node,
      this.viewer.node,
      this.controls.node
    );
  }
  get row() {
    return this.walk.row;
  }
  catalogOf(row) {
    return this.catalogs.get(row.catalog_id);
  }
  show(row, at) {
    this.title.textContent = row.object_id;
    this.title.title = row.object_id;
    this.showChips(row);
    this.controls.setCatalog(this.catalogOf(row));
    const drawn = this.viewer.show(row, this.catalogOf(row), this.controls.view);
    this.tell("shown", drawn, row, at);
    this.tell("settled", this.viewer.settled, row, at);
    this.toolbar.render();
    this.fetchAhead();
    this.fetchAuto();
  }
  showChips(row) {
    this.chips.replaceChildren(stageChip(row.stage), labelChip(row.label));
  }
  // Say when a picture stands on the screen, unless another candidate was chosen meanwhile.
  tell(event, drawing, row, at) {
    drawing.then((drawn) => {
      if (drawn && row === this.row) {
        requestAnimationFrame(() => this.onDrawn(event, row, performance.now() - at));
      }
    });
  }
  redraw() {
    const { row } = this;
    if (row === void 0) {
      return;
    }
    this.viewer.show(row, this.catalogOf(row), this.controls.view);
    this.toolbar.render();
    this.fetchAhead();
    this.fetchAuto();
  }
  // Show on the sliders what "auto" chose for the candidate, where that is how it is drawn.
  async askAuto() {
    const { row } = this;
    if (row === void 0 || this.controls.view.preset !== "auto") {
      return;
    }
    try {
      const answer = await fetch(infoUrl(this.catalogOf(row), row, this.controls.view));
      const { auto } = answer.ok ? await answer.json() : {};
      if (auto !== void 0 && row === this.row) {
        this.controls.suggest(auto);
      }
    } catch {
    }
  }
  fetchAhead() {
    const { rows, index } = this.walk;
    const near = [...this.walk.upcoming(AHEAD), ...rows.slice(Math.max(0, index - BEHIND), index).reverse()];
    this.pool.ahead(near.flatMap((row) => this.viewer.urls(row, this.catalogOf(row), this.controls.view)));
  }
  clear() {
    this.viewer.clear();
    this.title.textContent = "";
    this.chips.replaceChildren();
  }
  remove() {
    this.viewer.reset();
    this.fetchAuto.cancel();
  }
};

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
var GRAY2 = 0.25;
var DARK = 64;
var PX_PER_PT = 4 / 3;
function onWhite(rgb) {
  const [high, low] = [Math.max(...rgb) / 255, Math.min(...rgb) / 255];
  const lightness = (high + low) / 2;
  if (lightness <= LIGHT && high - low >= GRAY2) {
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
function colorOnWhite(color) {
  const [red, green, blue] = onWhite(read(color).slice(0, 3));
  return `rgb(${red}, ${green}, ${blue})`;
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

// app/widgets/term.js
var GAP_PX = 6;
function placeOf(word, size, view) {
  const below = word.bottom + GAP_PX;
  const top = below + size.height <= view.height ? below : Math.max(0, word.top - GAP_PX - size.height);
  return { left: Math.max(GAP_PX, Math.min(word.left, view.width - size.width - GAP_PX)), top };
}

// app/widgets/chart_menu.js
var KINDS = {
  png: ["PNG", "picture, 300 dpi"],
  svg: ["SVG", "vectors, to edit"],
  pdf: ["PDF", "vectors, for papers"],
  csv: ["CSV", "the numbers"]
};
var ICON = "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11";
var CSS = `
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
    h("style", {}, CSS),
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
function saveButton(chart) {
  const name = "Save this chart as PNG, SVG, PDF or CSV";
  return h(
    "button",
    {
      type: "button",
      className: "save-chart",
      title: name,
      "aria-label": name,
      "aria-haspopup": "menu",
      onclick: (event) => openChartMenu(event.currentTarget, chart())
    },
    h(
      "svg",
      { viewBox: "0 0 16 16", width: 14, height: 14, fill: "none", stroke: "currentColor", "stroke-width": 1.5, "aria-hidden": "true" },
      h("path", { d: ICON })
    )
  );
}

// app/widgets/svg_pen.js
var NUMBER = (value) => Number(value.toFixed(2));
function escaped(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
var SvgPen = class {
  constructor(width, height) {
    this.size = [width, height];
    this.parts = [];
    this.clips = 0;
    this.open = 0;
    this.saved = [];
    this.path = "";
    this.box = null;
    this.fillStyle = "#000";
    this.strokeStyle = "#000";
    this.lineWidth = 1;
    this.globalAlpha = 1;
    this.textAlign = "left";
    this.font = "11px sans-serif";
    this.imageSmoothingEnabled = false;
  }
  setTransform() {
  }
  // SVG has no pixels to be scaled to
  clearRect() {
  }
  save() {
    this.saved.push(this.open);
  }
  translate(x, y) {
    this.move(`translate(${NUMBER(x)} ${NUMBER(y)})`);
  }
  rotate(radians) {
    this.move(`rotate(${NUMBER(radians * 180 / Math.PI)})`);
  }
  move(transform) {
    this.open += 1;
    this.parts.push(`<g transform="${transform}">`);
  }
  // Groups that a clip or a move has opened since are closed.
  restore() {
    const before = this.saved.pop() ?? 0;
    while (this.open > before) {
      this.parts.push("</g>");
      this.open -= 1;
    }
  }
  beginPath() {
    this.path = "";
    this.box = null;
  }
  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${NUMBER(x)} ${NUMBER(y)}`;
  }
  closePath() {
    this.path += "Z";
  }
  rect(x, y, width, height) {
    this.box = [x, y, width, height].map(NUMBER);
  }
  // A whole circle: charts draw no others.
  arc(x, y, radius) {
    const [r, left] = [NUMBER(radius), NUMBER(x - radius)];
    this.path += `M${left} ${NUMBER(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  }
  clip() {
    const [x, y, width, height] = this.box;
    this.clips += 1;
    this.open += 1;
    this.parts.push(
      `<clipPath id="clip${this.clips}"><rect x="${x}" y="${y}" width="${width}" height="${height}"/></clipPath>`,
      `<g clip-path="url(#clip${this.clips})">`
    );
  }
  get alpha() {
    return this.globalAlpha === 1 ? "" : ` opacity="${NUMBER(this.globalAlpha)}"`;
  }
  stroke() {
    this.parts.push(`<path d="${this.path}" fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${this.lineWidth}"${this.alpha}/>`);
  }
  fill() {
    this.parts.push(`<path d="${this.path}" fill="${escaped(this.fillStyle)}"${this.alpha}/>`);
  }
  fillRect(x, y, width, height) {
    this.parts.push(`<rect x="${NUMBER(x)}" y="${NUMBER(y)}" width="${NUMBER(width)}" height="${NUMBER(height)}" fill="${escaped(this.fillStyle)}"${this.alpha}/>`);
  }
  strokeRect(x, y, width, height) {
    this.parts.push(`<rect x="${NUMBER(x)}" y="${NUMBER(y)}" width="${NUMBER(width)}" height="${NUMBER(height)}" fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${this.lineWidth}"${this.alpha}/>`);
  }
  fillText(text, x, y) {
    const anchor = { left: "start", center: "middle", right: "end" }[this.textAlign] ?? "start";
    const [, size, family] = /^(\S+) (.*)$/.exec(this.font);
    this.parts.push(`<text x="${NUMBER(x)}" y="${NUMBER(y)}" text-anchor="${anchor}" fill="${escaped(this.fillStyle)}" font-size="${size}" font-family="${escaped(family)}">${escaped(text)}</text>`);
  }
  // `image`: anything that a canvas can draw; it is kept as PNG.
  drawImage(image, x, y, width, height) {
    const sheet = document.createElement("canvas");
    sheet.width = image.width;
    sheet.height = image.height;
    sheet.getContext("2d").drawImage(image, 0, 0);
    this.parts.push(`<image x="${NUMBER(x)}" y="${NUMBER(y)}" width="${NUMBER(width)}" height="${NUMBER(height)}" preserveAspectRatio="none" style="image-rendering: pixelated" href="${sheet.toDataURL("image/png")}"/>`);
  }
  toString() {
    const [width, height] = this.size;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${this.parts.join("\n")}</svg>
`;
  }
};

// app/review/chart_axes.js
var AXES = {
  histogram: ["score: probability of being a lens", "candidates, log(1 + n)"],
  uncertainty: ["ensemble's logit", "epistemic uncertainty (nat)"],
  embedding: ["first direction of embeddings", "second direction"],
  sky: ["right ascension, ICRS (deg)", "declination, ICRS (deg)"]
};
var PROBABILITY_TICKS = [1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999];
function niceTicks(low, high, most) {
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step2 = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
  const ticks = [];
  for (let k = Math.ceil(low / step2 - 1e-9); k * step2 <= high + 1e-9 * step2; k++) {
    ticks.push(Number((k * step2).toPrecision(10)));
  }
  return ticks;
}
function interpolate(value, xs, ys) {
  const last = xs.length - 1;
  if (value <= xs[0]) {
    return ys[0];
  }
  if (value >= xs[last]) {
    return ys[last];
  }
  const k = xs.findIndex((x) => x >= value);
  const part = xs[k] > xs[k - 1] ? (value - xs[k - 1]) / (xs[k] - xs[k - 1]) : 0;
  return ys[k - 1] + part * (ys[k] - ys[k - 1]);
}

// app/review/chart_columns.js
var NAMES = {
  uncertainty: ["logit", "epistemic_nat"],
  embedding: ["first_direction", "second_direction"],
  sky: ["map_x_deg", "map_y_deg"]
};
function unpack(text, Type) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Type(bytes.buffer);
}
function chartColumns({ counts, edges, probabilities, x, y, p, position, grid, extent, kind }) {
  if (counts) {
    return {
      probability_from: probabilities.slice(0, -1),
      probability_to: probabilities.slice(1),
      logit_from: edges.slice(0, -1),
      logit_to: edges.slice(1),
      candidates: counts
    };
  }
  const [across, up] = NAMES[kind];
  if (position) {
    return { ...position, probability: p };
  }
  if (x) {
    return { [across]: x, [up]: y, probability: p };
  }
  if (!grid) {
    return {};
  }
  const [rows, columns] = grid.shape;
  const [left, right, bottom, top] = extent;
  const cells = [...unpack(grid.counts, Uint16Array)].map((n, k) => [n, k]).filter(([n]) => n > 0);
  const middle = (k, n, low, high) => low + (k + 0.5) / n * (high - low);
  return {
    [across]: cells.map(([, k]) => middle(k % columns, columns, left, right)),
    [up]: cells.map(([, k]) => middle(Math.floor(k / columns), rows, bottom, top)),
    candidates: cells.map(([n]) => n)
  };
}

// app/review/chart.js
var CHART_PAD = { left: 60, right: 10, top: 8, bottom: 42 };
var CLICK_PX = 5;
var REACH_PX = 9;
var PAPER_PX = 420;
var TICK_PX = 46;
var ChartCanvas = class {
  /**
   * @param {object} handlers
   * @param {(extent: number[] | null) => void} handlers.view
   * @param {(x: number, y: number, dx: number, dy: number) => void} handlers.open
   * @param {(place: number[] | null) => void} handlers.hover with the pixel
   * @param {(corners: number[][]) => void} handlers.select
   * @param {(low: number, high: number, open: boolean, end: boolean) => void} handlers.range
   */
  constructor(handlers) {
    this.handlers = handlers;
    this.canvas = h("canvas", { "aria-label": "Chart of the candidates of this list", role: "img" });
    this.node = h("div", { className: "chart-canvas" }, this.canvas);
    this.tool = "lasso";
    this.data = null;
    this.place = null;
    this.path = null;
    this.paper = null;
    this.canvas.addEventListener("pointerdown", (event) => this.start(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerup", () => this.end());
    this.canvas.addEventListener("pointercancel", () => {
      this.path = null;
      this.draw();
    });
    this.canvas.addEventListener("pointerleave", () => this.handlers.hover(null));
    this.canvas.addEventListener("wheel", (event) => this.zoom(event), { passive: false });
    this.canvas.addEventListener("dblclick", () => this.handlers.view(null));
    this.resized = new ResizeObserver(() => this.fit());
    this.resized.observe(this.node);
    this.themed = new MutationObserver(() => requestAnimationFrame(() => this.draw()));
    this.themed.observe(document.documentElement, { attributes: true });
  }
  remove() {
    this.resized.disconnect();
    this.themed.disconnect();
  }
  get size() {
    return this.paper ?? this.screen;
  }
  get screen() {
    return [Math.max(this.node.clientWidth, 40), Math.max(this.node.clientHeight, 40)];
  }
  get inner() {
    const [width, height] = this.size;
    return [width - CHART_PAD.left - CHART_PAD.right, height - CHART_PAD.top - CHART_PAD.bottom];
  }
  fit() {
    const ratio = devicePixelRatio || 1;
    const [width, height] = this.size;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.draw();
  }
  set(data) {
    this.data = data;
    this.extent = data.extent ?? null;
    if (data.points) {
      data.x = unpack(data.points.x, Float32Array);
      data.y = unpack(data.points.y, Float32Array);
      data.p = unpack(data.points.p, Float32Array);
      if (data.points.ra_deg) {
        data.position = { ra_deg: unpack(data.points.ra_deg, Float64Array), dec_deg: unpack(data.points.dec_deg, Float64Array) };
      }
    }
    this.image = null;
    this.draw();
  }
  clear() {
    this.data = null;
    this.place = null;
    this.draw();
  }
  color(name) {
    this.canvas.style.color = `var(--lt-${name})`;
    const { color } = getComputedStyle(this.canvas);
    return this.paper && isDark() ? colorOnWhite(color) : color;
  }
  toPixel(x, y) {
    const [left, right, bottom, top] = this.extent;
    const [width, height] = this.inner;
    return [
      CHART_PAD.left + (x - left) / (right - left) * width,
      CHART_PAD.top + (top - y) / (top - bottom) * height
    ];
  }
  /** @returns {[number, number]} */
  toData(px, py) {
    const [left, right, bottom, top] = this.extent;
    const [width, height] = this.inner;
    return [
      left + (px - CHART_PAD.left) / width * (right - left),
      top - (py - CHART_PAD.top) / height * (top - bottom)
    ];
  }
  // --- drawing ----------------------------------------------------------------------------------
  draw(pen = this.canvas.getContext("2d")) {
    const ratio = devicePixelRatio || 1;
    const [width, height] = this.size;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (this.data === null) {
      return;
    }
    this.ink = {
      text: this.color("text"),
      muted: this.color("muted"),
      line: this.color("line"),
      accent: this.color("accent"),
      mark: this.color("warning")
    };
    pen.font = `11px ${getComputedStyle(this.node).fontFamily}`;
    if (this.data.counts) {
      this.drawBars(pen);
    } else {
      this.drawMap(pen);
    }
    this.titleAxes(pen);
    this.drawPath(pen);
  }
  titleAxes(pen) {
    const [x, y] = AXES[this.data.counts ? "histogram" : this.data.kind] ?? [];
    if (x === void 0) {
      return;
    }
    const [width, height] = this.inner;
    this.text(pen, x, CHART_PAD.left + width / 2, CHART_PAD.top + height + 34, "center");
    pen.save();
    pen.translate(12, CHART_PAD.top + height / 2);
    pen.rotate(-Math.PI / 2);
    this.text(pen, y, 0, 0, "center");
    pen.restore();
  }
  // The chart as SVG, as it is drawn now, as wide as a column of text and in colors for white paper.
  toSvg() {
    const [width, height] = this.screen;
    this.paper = [PAPER_PX, PAPER_PX * height / width].map(Math.round);
    try {
      const pen = new SvgPen(...this.paper);
      this.draw(
        /** @type {any} */
        pen
      );
      return String(pen);
    } finally {
      this.paper = null;
    }
  }
  drawBars(pen) {
    const { counts, edges, probabilities } = this.data;
    if (!counts.length) {
      return;
    }
    const most = Math.max(...counts);
    const [width, height] = this.inner;
    this.extent = [edges[0], edges.at(-1), 0, Math.log10(most + 1) * 1.05];
    const base = CHART_PAD.top + height;
    for (const n of [1, 10, 100, 1e3, 1e4, 1e5, 1e6].filter((n2) => n2 <= most)) {
      const [, y] = this.toPixel(0, Math.log10(n + 1));
      this.rule(pen, [[CHART_PAD.left, y], [CHART_PAD.left + width, y]]);
      this.text(pen, n >= 1e3 ? `${n / 1e3}k` : String(n), CHART_PAD.left - 6, y + 4, "right");
    }
    pen.fillStyle = this.ink.accent;
    counts.forEach((n, k) => {
      if (!n) {
        return;
      }
      const [x0, y] = this.toPixel(edges[k], Math.log10(n + 1));
      const [x1] = this.toPixel(edges[k + 1], 0);
      pen.fillRect(x0 + 0.5, y, Math.max(x1 - x0 - 1, 1), base - y);
    });
    let after = -Infinity;
    for (const p of PROBABILITY_TICKS) {
      if (p < probabilities[0] || p > probabilities.at(-1)) {
        continue;
      }
      const [x] = this.toPixel(interpolate(p, probabilities, edges), 0);
      if (x - after < TICK_PX) {
        continue;
      }
      after = x;
      this.rule(pen, [[x, base], [x, base + 4]]);
      this.text(pen, String(p), x, base + 16, "center");
    }
    if (this.place !== null) {
      const [x] = this.toPixel(this.place[0], 0);
      pen.strokeStyle = this.ink.mark;
      pen.lineWidth = 2;
      pen.strokeRect(x, CHART_PAD.top, 0.01, height);
      pen.lineWidth = 1;
    }
  }
  drawMap(pen) {
    const { data, ink } = this;
    const [width, height] = this.inner;
    pen.save();
    pen.beginPath();
    pen.rect(CHART_PAD.left, CHART_PAD.top, width, height);
    pen.clip();
    pen.strokeStyle = ink.line;
    for (const corners of data.cells ?? []) {
      this.rule(pen, corners.map(([x, y]) => this.toPixel(x, y)), true);
    }
    for (const { points } of data.lines ?? []) {
      this.rule(pen, points.map(([x, y]) => this.toPixel(x, y)));
    }
    if (data.grid) {
      this.drawGrid(pen);
    }
    if (data.x) {
      this.drawPoints(pen);
    }
    if (this.place !== null) {
      const [x, y] = this.toPixel(...this.place);
      pen.strokeStyle = ink.mark;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, 6, 0, 2 * Math.PI);
      pen.stroke();
      pen.lineWidth = 1;
    }
    pen.restore();
    for (const line of data.lines ?? []) {
      this.labelLine(pen, line);
    }
    if (data.kind === "uncertainty") {
      const [left, right, bottom, top] = this.extent;
      for (const tick of niceTicks(left, right, 6)) {
        const [x] = this.toPixel(tick, bottom);
        this.rule(pen, [[x, CHART_PAD.top + height], [x, CHART_PAD.top + height + 4]]);
        this.text(pen, String(tick), x, CHART_PAD.top + height + 15, "center");
      }
      for (const tick of niceTicks(bottom, top, 4)) {
        const [, y] = this.toPixel(left, tick);
        this.rule(pen, [[CHART_PAD.left - 4, y], [CHART_PAD.left, y]]);
        this.text(pen, String(tick), CHART_PAD.left - 7, y + 4, "right");
      }
    }
    pen.strokeStyle = ink.line;
    pen.strokeRect(CHART_PAD.left, CHART_PAD.top, width, height);
  }
  // Right ascensions below the map, declinations to its left: where the line meets the edge. On a map
  // of the whole sky along the equator and the left limb.
  labelLine(pen, { along, text, points }) {
    const [width, height] = this.inner;
    const pixels = points.map(([x, y]) => this.toPixel(x, y));
    const base = CHART_PAD.top + height;
    if (this.data.whole_sky) {
      const [x, y] = along === "ra" ? pixels[Math.floor(pixels.length / 2)] : pixels[0];
      const far = along === "dec" ? pixels.at(-1) : [x, y];
      const at = far[0] < x ? far : [x, y];
      this.text(pen, text, Math.max(at[0] - 2, 2), at[1] - 3, along === "dec" ? "left" : "center");
      return;
    }
    const axis = along === "ra" ? 1 : 0;
    const edge = along === "ra" ? base : CHART_PAD.left;
    for (let k = 1; k < pixels.length; k++) {
      const [a, b] = [pixels[k - 1], pixels[k]];
      if ((a[axis] - edge) * (b[axis] - edge) > 0 || a[axis] === b[axis]) {
        continue;
      }
      const part = (edge - a[axis]) / (b[axis] - a[axis]);
      const other = a[1 - axis] + part * (b[1 - axis] - a[1 - axis]);
      if (along === "ra" && other > CHART_PAD.left + 8 && other < CHART_PAD.left + width - 8) {
        this.text(pen, text, other, base + 15, "center");
      } else if (along === "dec" && other > CHART_PAD.top + 4 && other < base) {
        this.text(pen, text, CHART_PAD.left - 5, other + 4, "right");
      }
      return;
    }
  }
  drawGrid(pen) {
    const { grid, extent } = this.data;
    if (this.image === null || this.imageInk !== this.ink.accent) {
      const [rows, columns] = grid.shape;
      const counts = unpack(grid.counts, Uint16Array);
      const most = Math.log1p(Math.min(grid.most, 65535));
      const sheet = new OffscreenCanvas(columns, rows);
      const brush = sheet.getContext("2d");
      brush.fillStyle = this.ink.accent;
      brush.fillRect(0, 0, 1, 1);
      const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
      const pixels = brush.createImageData(columns, rows);
      counts.forEach((n, k) => {
        const at = 4 * ((rows - 1 - Math.floor(k / columns)) * columns + k % columns);
        pixels.data.set([red, green, blue, n ? 40 + 215 * Math.log1p(n) / most : 0], at);
      });
      brush.putImageData(pixels, 0, 0);
      this.image = sheet;
      this.imageInk = this.ink.accent;
    }
    const [x0, y0] = this.toPixel(extent[0], extent[3]);
    const [x1, y1] = this.toPixel(extent[1], extent[2]);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.image, x0, y0, x1 - x0, y1 - y0);
  }
  drawPoints(pen) {
    const { x, y, p } = this.data;
    pen.fillStyle = this.ink.accent;
    const radius = x.length > 800 ? 1.6 : 2.6;
    for (let k = 0; k < x.length; k++) {
      const [px, py] = this.toPixel(x[k], y[k]);
      pen.globalAlpha = 0.3 + 0.7 * p[k];
      pen.beginPath();
      pen.arc(px, py, radius, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }
  drawPath(pen) {
    if (this.path === null || this.path.length < 2 || this.tool === "pan") {
      return;
    }
    pen.strokeStyle = this.ink.text;
    pen.fillStyle = this.ink.accent;
    pen.beginPath();
    for (const [x, y] of this.corners()) {
      pen.lineTo(x, y);
    }
    pen.closePath();
    pen.globalAlpha = 0.15;
    pen.fill();
    pen.globalAlpha = 1;
    pen.stroke();
  }
  rule(pen, points, closed = false) {
    pen.strokeStyle = this.ink.line;
    pen.beginPath();
    for (const [x, y] of points) {
      pen.lineTo(x, y);
    }
    if (closed) {
      pen.closePath();
    }
    pen.stroke();
  }
  text(pen, text, x, y, align) {
    pen.fillStyle = this.ink.muted;
    pen.textAlign = align;
    pen.fillText(text, x, y);
  }
  // --- the pointer ------------------------------------------------------------------------------
  // The marked region in pixels: what was drawn, a box, or a range of the bars.
  corners() {
    const [x0, y0] = this.path[0];
    const [x1, y1] = this.path.at(-1);
    if (this.data.counts) {
      const [, height] = this.inner;
      return [
        [x0, CHART_PAD.top],
        [x1, CHART_PAD.top],
        [x1, CHART_PAD.top + height],
        [x0, CHART_PAD.top + height]
      ];
    }
    return this.tool === "box" ? [[x0, y0], [x1, y0], [x1, y1], [x0, y1]] : this.path;
  }
  start(event) {
    if (this.data === null || event.button !== 0 || !this.extent) {
      return;
    }
    this.canvas.setPointerCapture(event.pointerId);
    this.path = [[event.offsetX, event.offsetY]];
    this.before = this.extent;
    this.handlers.hover(null);
  }
  move(event) {
    const at = [event.offsetX, event.offsetY];
    if (this.path !== null) {
      const last = this.path.at(-1);
      if (Math.hypot(at[0] - last[0], at[1] - last[1]) >= 3) {
        this.path.push(at);
      }
      if (this.tool === "pan" && !this.data.counts) {
        this.pan(at);
      }
      this.draw();
    } else if (this.data !== null && !this.data.counts && this.extent) {
      this.handlers.hover([...this.toData(...at), ...this.reach(), ...at]);
    }
  }
  /** @returns {[number, number]} */
  reach() {
    const [left, right, bottom, top] = this.extent;
    const [width, height] = this.inner;
    return [REACH_PX * (right - left) / width, REACH_PX * (top - bottom) / height];
  }
  pan([x, y]) {
    const [left, right, bottom, top] = this.before;
    const [width, height] = this.inner;
    const dx = (x - this.path[0][0]) / width * (right - left);
    const dy = (y - this.path[0][1]) / height * (top - bottom);
    this.extent = [left - dx, right - dx, bottom + dy, top + dy];
  }
  end() {
    const { path } = this;
    if (path === null) {
      return;
    }
    const far = Math.max(...path.map(([x, y]) => Math.hypot(x - path[0][0], y - path[0][1])));
    if (far < CLICK_PX) {
      if (!this.data.counts) {
        this.handlers.open(...this.toData(...path[0]), ...this.reach());
      }
    } else if (this.data.counts) {
      const [low, high] = [path[0], path.at(-1)].map(([x]) => this.toData(x, 0)[0]).sort((a, b) => a - b);
      const { edges, probabilities } = this.data;
      this.handlers.range(
        interpolate(low, edges, probabilities),
        interpolate(high, edges, probabilities),
        low <= edges[0],
        high >= edges.at(-1)
      );
    } else if (this.tool === "pan") {
      this.handlers.view(this.extent);
    } else {
      this.handlers.select(this.corners().map(([x, y]) => this.toData(x, y)));
    }
    this.path = null;
    this.draw();
  }
  zoom(event) {
    if (this.data === null || this.data.counts || !this.extent) {
      return;
    }
    event.preventDefault();
    const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 240)));
    const [x, y] = this.toData(event.offsetX, event.offsetY);
    const [left, right, bottom, top] = this.extent;
    this.extent = [
      x + (left - x) * factor,
      x + (right - x) * factor,
      y + (bottom - y) * factor,
      y + (top - y) * factor
    ];
    this.draw();
    this.handlers.view(this.extent);
  }
};

// app/review/charts.js
var CHARTS = {
  // kind: [tab, what it shows]
  histogram: ["Scores", "Candidates by score; drag to limit the list to a range"],
  uncertainty: ["Uncertainty", "Epistemic uncertainty (nat) against the ensemble's logit"],
  embedding: ["Embeddings", "Candidates that the network finds similar lie close together"],
  sky: ["Sky", "Positions, ICRS, north up and east to the left"]
};
var CHART_TOOLS = { lasso: "Lasso", box: "Box", pan: "Move" };
var VIEW_PAUSE_MS = 160;
var HOVER_PAUSE_MS = 70;
var MARK_PAUSE_MS = 120;
var ChartPanel = class {
  /**
   * @param {object} parts
   * @param {(message: object, then: (answer: any) => void, failed?: (sentence: string) => void) => void} parts.ask
   * @param {Map<number, any>} parts.catalogs by id
   * @param {(candidate: number) => void} parts.onOpen
   * @param {(low: number, high: number) => void} parts.onRange
   * @param {(selection: any) => void} parts.onSelection
   */
  constructor({ ask, catalogs, onOpen, onRange, onSelection }) {
    this.ask = ask;
    this.catalogs = catalogs;
    this.onOpen = onOpen;
    this.onRange = onRange;
    this.onSelection = onSelection;
    this.kind = "histogram";
    this.asked = 0;
    this.button = h("button", {
      type: "button",
      className: "charts-toggle",
      "aria-pressed": "false",
      title: "Diagrams of this list (key d)",
      onclick: () => this.toggle()
    }, "Charts");
    this.tabs = Object.fromEntries(Object.entries(CHARTS).map(([kind, [tab, title]]) => [
      kind,
      h("button", { type: "button", role: "tab", title, onclick: () => this.show(kind) }, tab)
    ]));
    this.tools = Object.fromEntries(Object.entries(CHART_TOOLS).map(([tool, text]) => [
      tool,
      h("button", { type: "button", "aria-pressed": "false", onclick: () => this.use(tool) }, text)
    ]));
    this.whole = h("button", {
      type: "button",
      title: "Show everything (double click)",
      onclick: () => this.setView(null)
    }, "All");
    this.state = h("span", { className: "chart-state", role: "status" });
    this.message = h("p", { className: "chart-message", hidden: true });
    this.tip = h("div", { className: "chart-tip", hidden: true });
    this.chart = new ChartCanvas({
      view: (extent) => this.setView(extent),
      open: (...place) => this.near(place, ({ candidate }) => {
        if (candidate) {
          this.onOpen(candidate.id);
        }
      }),
      hover: (place) => this.hover(place),
      select: (corners) => this.select(corners),
      range: (low, high, open, end) => this.onRange(
        open ? 0 : Number(low.toPrecision(3)),
        end ? 1 : Number(high.toPrecision(3))
      )
    });
    this.toolbar = h(
      "span",
      { className: "segments", role: "group", "aria-label": "Tool" },
      Object.values(this.tools),
      this.whole
    );
    this.saving = saveButton(() => this.saved());
    this.node = h(
      "section",
      { className: "charts", hidden: true, "aria-label": "Charts" },
      h(
        "div",
        { className: "charts-head" },
        h("span", { className: "segments", role: "tablist", "aria-label": "Chart" }, Object.values(this.tabs)),
        h("span", { className: "spacer" }),
        this.toolbar,
        this.saving
      ),
      h("div", { className: "chart-body" }, this.chart.node, this.message, this.tip),
      this.state
    );
    this.askView = debounce(() => this.load(), VIEW_PAUSE_MS);
    this.askHover = debounce(() => this.showTip(), HOVER_PAUSE_MS);
    this.askPlace = debounce(() => this.findPlace(), MARK_PAUSE_MS);
    this.use("lasso");
  }
  remove() {
    this.chart.remove();
    for (const later of [this.askView, this.askHover, this.askPlace]) {
      later.cancel();
    }
  }
  get open() {
    return !this.node.hidden;
  }
  /** @returns {import("../widgets/chart_export.js").Chart} */
  saved() {
    const title = CHARTS[this.kind][0];
    return {
      title,
      dark: false,
      svg: () => this.chart.toSvg(),
      series: () => [{ name: title, columns: chartColumns(this.chart.data) }]
    };
  }
  toggle() {
    this.node.hidden = !this.node.hidden;
    this.button.setAttribute("aria-pressed", String(this.open));
    if (this.open) {
      this.chart.fit();
      this.show(this.kind);
    }
  }
  show(kind) {
    this.kind = kind;
    for (const [name, tab] of Object.entries(this.tabs)) {
      tab.setAttribute("aria-selected", String(name === kind));
      tab.setAttribute("aria-pressed", String(name === kind));
    }
    this.toolbar.hidden = kind === "histogram";
    this.view = null;
    this.saving.disabled = true;
    this.chart.clear();
    this.load();
  }
  use(tool) {
    this.chart.tool = tool;
    for (const [name, button] of Object.entries(this.tools)) {
      button.setAttribute("aria-pressed", String(name === tool));
    }
  }
  setQuery(query) {
    this.query = query;
    const scored = query.ensemble_id !== null;
    for (const kind of ["histogram", "uncertainty"]) {
      this.tabs[kind].disabled = !scored;
    }
    if (!scored && ["histogram", "uncertainty"].includes(this.kind)) {
      this.kind = "sky";
    }
    if (this.open) {
      this.show(this.kind);
    }
  }
  setView(extent) {
    this.view = extent;
    this.askView();
  }
  load() {
    if (!this.open) {
      return;
    }
    const { kind } = this;
    const asked = ++this.asked;
    const [width, height] = this.chart.inner;
    const slow = setTimeout(() => this.say(kind === "embedding" ? "Projecting the embeddings …" : "Reading …"), 250);
    const mine = (then) => (answer) => {
      if (asked !== this.asked) {
        return;
      }
      clearTimeout(slow);
      then(answer);
    };
    const message = kind === "histogram" ? { type: "histogram" } : {
      type: "chart",
      kind,
      view: this.view,
      width: Math.round(width / 2),
      height: Math.round(height / 2)
    };
    this.ask(
      { ...message, query: this.query },
      mine((answer) => this.draw(answer)),
      mine((text) => {
        this.chart.clear();
        this.say(text);
        this.state.textContent = "";
      })
    );
  }
  draw(answer) {
    this.say(answer.n ? "" : "No candidate to show.");
    this.saving.disabled = !answer.n;
    this.chart.set(answer);
    const parts = [`${formatCount(answer.n)} candidates`];
    if (this.kind === "histogram") {
      parts.push("count on a logarithmic axis, score below");
    }
    if (this.kind === "uncertainty") {
      parts.push("epistemic uncertainty (nat) against logit");
    }
    if (answer.n_left_out) {
      parts.push(`${formatCount(answer.n_left_out)} without a place here`);
    }
    if (answer.grid) {
      parts.push(`up to ${formatCount(answer.grid.most)} a cell`);
    }
    if (answer.caption) {
      parts.push(answer.caption);
    }
    this.state.textContent = parts.join(" · ");
    this.state.title = this.state.textContent;
    this.node.dataset.drawn = this.kind;
    this.findPlace();
  }
  say(text) {
    this.message.hidden = text === "";
    this.message.textContent = text;
  }
  // --- the chosen candidate and those under the pointer ------------------------------------------
  mark(id) {
    this.chosen = id;
    if (this.open) {
      this.askPlace();
    }
  }
  findPlace() {
    const { chosen, kind } = this;
    if (chosen === void 0 || this.chart.data === null) {
      return;
    }
    const on = kind === "histogram" ? "uncertainty" : kind;
    this.ask({ type: "chart_place", kind: on, query: this.query, id: chosen }, ({ place }) => {
      if (chosen !== this.chosen || kind !== this.kind) {
        return;
      }
      this.chart.place = place;
      this.chart.draw();
    }, () => {
    });
  }
  /** @param {number[]} place @param {(answer: any) => void} then */
  near([x, y, dx, dy], then) {
    this.ask({ type: "chart_near", kind: this.kind, query: this.query, x, y, dx, dy }, then);
  }
  hover(place) {
    this.under = place;
    this.tip.hidden = true;
    if (place === null) {
      this.askHover.cancel();
    } else {
      this.askHover();
    }
  }
  showTip() {
    const { under } = this;
    if (!under) {
      return;
    }
    this.near(under, ({ candidate }) => {
      if (under !== this.under || candidate === null) {
        return;
      }
      const catalog = this.catalogs.get(candidate.catalog_id);
      this.tip.replaceChildren(
        picture({ src: tileUrl(catalog, candidate, null, { preset: "auto" }, 64), alt: "", width: 48, height: 48 }),
        h("span", {}, h("b", {}, candidate.object_id), formatProbability(candidate.probability))
      );
      const [px, py] = under.slice(4);
      const [width] = this.chart.size;
      this.tip.style.left = px > width / 2 ? "" : `${px + 12}px`;
      this.tip.style.right = px > width / 2 ? `${width - px + 12}px` : "";
      this.tip.style.top = `${Math.max(0, py - 30)}px`;
      this.tip.hidden = false;
    });
  }
  select(corners) {
    const step2 = Math.ceil(corners.length / 500);
    this.ask(
      {
        type: "chart_select",
        kind: this.kind,
        query: this.query,
        corners: corners.filter((_, k) => k % step2 === 0)
      },
      ({ selection }) => this.onSelection(selection),
      (text) => {
        this.state.textContent = text;
      }
    );
  }
};

// app/review/details.js
var AHEAD2 = 4;
var PAUSE_MS = 40;
var MOST_KEPT = 500;
var CandidateDetails = class {
  /**
   * @param {object} parts
   * @param {(message: object, then: (answer: any) => void) => void} parts.ask
   * @param {() => number | null} parts.ensemble the one that ranks the list
   * @param {() => any} parts.row the candidate that is shown
   * @param {(n: number) => any[]} parts.upcoming the candidates after it
   * @param {() => void} parts.onChange
   */
  constructor({ ask, ensemble, row, upcoming, onChange }) {
    this.ask = ask;
    this.ensemble = ensemble;
    this.row = row;
    this.upcoming = upcoming;
    this.onChange = onChange;
    this.kept = /* @__PURE__ */ new Map();
    this.truths = /* @__PURE__ */ new Map();
    this.fetch = debounce(() => this.fetchNow(), PAUSE_MS);
  }
  of(row) {
    return this.kept.get(row.id);
  }
  truthOf(row) {
    return this.truths.get(row.id);
  }
  fetchNow() {
    const row = this.row();
    if (row === void 0) {
      return;
    }
    const ids = [row, ...this.upcoming(AHEAD2)].map(({ id }) => id).filter((id) => !this.kept.has(id));
    if (!ids.length) {
      return;
    }
    const ensemble = this.ensemble();
    this.ask({ type: "details", ids, ensemble_id: ensemble }, ({ details }) => {
      if (ensemble !== this.ensemble()) {
        return;
      }
      if (this.kept.size > MOST_KEPT) {
        this.kept.clear();
      }
      for (const one of details) {
        this.kept.set(one.id, one);
      }
      this.onChange();
    });
  }
  // Ask for what a simulation put into a candidate, once.
  fetchTruth(row) {
    if (!this.of(row)?.has_truth || this.truths.has(row.id)) {
      return;
    }
    this.ask({ type: "truth", id: row.id }, ({ id, rows }) => {
      this.truths.set(id, rows);
      this.onChange();
    });
  }
  // Another list: members' scores are of another ensemble.
  forget() {
    this.kept.clear();
  }
  remove() {
    this.fetch.cancel();
  }
};

// app/review/empty_list.js
var EmptyList = class {
  constructor(start, filters, catalogs) {
    this.ensembles = start.ensembles;
    this.filters = filters;
    this.catalogs = catalogs;
    this.unscored = [];
    this.node = h("div", { className: "empty", hidden: true });
    this.link = h("a", { className: "unscored", hidden: true });
  }
  // Whether the ensemble has scored none of the list's catalogs.
  get isUnscored() {
    const { catalog_ids } = this.filters.query;
    return this.unscored.length > 0 && this.unscored.length === (catalog_ids.length || [...this.catalogs.values()].filter(({ archived }) => !archived).length);
  }
  show(none, unscored) {
    this.unscored = unscored;
    this.node.hidden = !none;
    this.link.hidden = none || unscored.length === 0;
    if (none) {
      this.node.replaceChildren(...this.sentences());
    }
    if (!this.link.hidden) {
      this.link.textContent = `${this.names} not scored`;
      this.link.href = this.scoreAddress;
      this.link.title = `${this.ensemble} has not scored ${unscored.map((id) => this.catalogs.get(id).title).join(", ")}, and so not in this list. Opens Score.`;
    }
  }
  sentences() {
    const link = (page, text) => h("a", { href: page }, text);
    if (this.catalogs.size === 0) {
      return [h("h3", {}, "No candidates yet"), h("p", {}, "Import or simulate a catalog on ", link("catalogs", "Catalogs"), ".")];
    }
    if (this.isUnscored) {
      return this.notScored();
    }
    if (this.filters.filtered) {
      return [h("h3", {}, "No candidate passes these filters"), h("button", {
        type: "button",
        className: "text",
        onclick: () => this.filters.reset()
      }, "Clear filters")];
    }
    return [h("h3", {}, "Nothing is ranked yet"), h(
      "p",
      {},
      "Score a catalog on ",
      link("score", "Score"),
      ", or list all candidates without scores."
    )];
  }
  // Who has not scored what, how to have it scored, and how to see it without.
  notScored() {
    const n = this.unscored.reduce((sum, id) => sum + this.catalogs.get(id).n, 0);
    return [
      h("h3", {}, `${this.ensemble} has not scored ${this.names}`),
      h("p", {}, h("a", { href: this.scoreAddress }, `Score ${this.names} with ${this.ensemble}`)),
      h("p", {}, h(
        "button",
        { type: "button", onclick: () => this.filters.chooseEnsemble(null) },
        n === 1 ? "Show the candidate without scores" : `Show the ${formatCount(n)} candidates without scores`
      ))
    ];
  }
  get chosen() {
    return this.ensembles.find(({ id }) => id === this.filters.query.ensemble_id);
  }
  get ensemble() {
    return this.chosen?.name ?? "The ensemble";
  }
  get names() {
    const { unscored } = this;
    return unscored.length === 1 ? this.catalogs.get(unscored[0]).title : `${unscored.length} catalogs`;
  }
  // The form on Score, filled in.
  get scoreAddress() {
    const words = new URLSearchParams();
    if (this.chosen !== void 0) {
      words.set("ensemble", this.chosen.name);
    }
    words.set("catalog", this.catalogs.get(this.unscored[0]).name);
    return `score?${words}`;
  }
};

// app/review/my_grade.js
function mineChoices(grades) {
  return [
    ["", "My grade"],
    ["mine", "Graded by me"],
    ["not_mine", "Not graded by me"],
    ...grades.map(({ key, title }) => (
      /** @type {[string, string]} */
      [`grade:${key}`, `My grade ${key}: ${title}`]
    ))
  ];
}
function mineToQuery(value) {
  if (value.startsWith("grade:")) {
    return { votes: "mine", grades: [value.slice(6)] };
  }
  return { votes: value || null, grades: [] };
}
function mineOfQuery({ votes, grades }) {
  if (votes === "mine" && grades.length === 1) {
    return `grade:${grades[0]}`;
  }
  return (votes === "mine" || votes === "not_mine") && grades.length === 0 ? votes : "";
}

// app/review/filters.js
var SORTS = {
  score: "Score",
  epistemic: "Epistemic uncertainty",
  disagreement: "Disagreement",
  ood: "Out of distribution",
  magnitude: "Magnitude",
  theta_e: "θ_E proxy",
  arc_radius: "Arc radius",
  graded: "Time of last grade",
  object_id: "Object id"
};
var SORTS_WITHOUT_SCORES = ["magnitude", "theta_e", "arc_radius", "graded", "object_id"];
var ASCENDING_FIRST = ["magnitude", "object_id"];
var LABELS = {
  "": "Any label",
  lens: "Labeled lens",
  not_lens: "Labeled not a lens",
  labeled: "Labeled",
  unlabeled: "Unlabeled"
};
var TYPING_PAUSE_MS = 250;
var CheckMenu = class {
  constructor(name, everything, options, onChange) {
    this.name = name;
    this.everything = everything;
    this.options = new Map(options);
    this.boxes = new Map(options.map(([value, text]) => {
      const box = h("input", { type: "checkbox", onchange: () => {
        this.write();
        onChange(this.chosen);
      } });
      return [value, { box, node: h("label", {}, box, h("span", { title: text }, text)) }];
    }));
    this.summary = h("summary", {});
    this.node = h("details", { className: "menu" }, this.summary, h(
      "div",
      { className: "menu-items", role: "group", "aria-label": name },
      [...this.boxes.values()].map(({ node }) => node)
    ));
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.node.open) {
        this.node.open = false;
        this.summary.focus();
        event.stopPropagation();
      }
    });
    this.node.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.node.contains(event.relatedTarget)) {
        this.node.open = false;
      }
    });
  }
  get chosen() {
    return [...this.boxes].filter(([, { box }]) => box.checked).map(([value]) => value);
  }
  set chosen(values) {
    for (const [value, { box }] of this.boxes) {
      box.checked = values.includes(value);
    }
    this.write();
  }
  write() {
    const { chosen } = this;
    this.summary.textContent = chosen.length === 0 || chosen.length === this.boxes.size ? this.everything : chosen.length === 1 ? this.options.get(chosen[0]) : `${chosen.length} of ${this.boxes.size}`;
    this.summary.ariaLabel = `${this.name}: ${this.summary.textContent}`;
    this.summary.title = chosen.map((value) => this.options.get(value)).join(", ");
    this.node.classList.toggle("active", chosen.length > 0 && chosen.length < this.boxes.size);
  }
};
var FilterBar = class {
  constructor({ ensembles, catalogs, stages, defaults, signed_in, selection, grades, query = defaults }, onChange, ask) {
    this.onChange = onChange;
    this.defaults = defaults;
    this.query = defaults;
    const changed = (field) => (value) => this.update({ [field]: value });
    this.ensemble = h(
      "select",
      {
        "aria-label": "Ensemble",
        title: "Ensemble whose scores are shown",
        onchange: () => this.chooseEnsemble(Number(this.ensemble.value) || null)
      },
      ensembles.filter((one) => !one.archived || one.id === query.ensemble_id).map(({ id, title }) => h("option", { value: id }, title)),
      h("option", { value: "" }, "No scores (all candidates)")
    );
    this.catalogs = new CheckMenu(
      "Catalogs",
      "All catalogs",
      catalogs.filter((one) => !one.archived || query.catalog_ids.includes(one.id)).map(({ id, title, n }) => [id, `${title} (${formatCount(n)})`]),
      changed("catalog_ids")
    );
    this.stages = new CheckMenu(
      "Stages",
      "Any stage",
      stages.map((stage) => [stage, stage]),
      changed("stages")
    );
    this.label = h(
      "select",
      {
        "aria-label": "Label",
        title: "Label as imported",
        onchange: () => this.update({ label: this.label.value || null })
      },
      Object.entries(LABELS).map(([value, text]) => h("option", { value }, text))
    );
    const bound = (name, field, fallback) => h("input", {
      type: "number",
      min: 0,
      max: 1,
      step: "any",
      inputMode: "decimal",
      placeholder: String(fallback),
      "aria-label": name,
      title: name,
      onchange: (event) => this.bound(event.target, field, fallback)
    });
    this.low = bound("Smallest score", "probability_min", 0);
    this.high = bound("Largest score", "probability_max", 1);
    this.range = h(
      "span",
      { className: "range" },
      h("span", {}, "Score"),
      this.low,
      h("span", {}, "to"),
      this.high
    );
    const typed = debounce(() => this.update({ object_id: this.object.value.trim() }), TYPING_PAUSE_MS);
    this.object = h("input", {
      type: "search",
      placeholder: "Object id",
      maxLength: 255,
      spellcheck: false,
      "aria-label": "Object id contains",
      title: "Part of the object id (key /)",
      oninput: typed
    });
    this.mine = h(
      "select",
      {
        "aria-label": "My grade",
        title: "Candidates by the grade that you gave",
        hidden: !signed_in,
        onchange: () => this.update(mineToQuery(this.mine.value))
      },
      mineChoices(grades ?? []).map(([value, text]) => h("option", { value }, text))
    );
    this.more = new MoreFilters(this, ask, signed_in);
    this.more.selection = selection;
    this.sort = h("select", {
      "aria-label": "Order",
      title: "Order",
      onchange: () => this.order(this.sort.value)
    });
    this.direction = h("button", {
      type: "button",
      className: "icon",
      onclick: () => this.update({ descending: !this.query.descending })
    });
    this.clear = h(
      "button",
      { type: "button", className: "text", onclick: () => this.reset() },
      "Clear filters"
    );
    this.node = h(
      "form",
      {
        className: "filters",
        role: "search",
        "aria-label": "Filters",
        onsubmit: (event) => event.preventDefault()
      },
      this.ensemble,
      this.catalogs.node,
      this.range,
      this.label,
      this.stages.node,
      this.mine,
      this.object,
      this.more.node,
      h("span", { className: "order" }, this.sort, this.direction),
      this.more.chips,
      this.clear
    );
    this.closeMenus = (event) => {
      const path = event.composedPath();
      for (const { node } of [this.catalogs, this.stages, this.more]) {
        if (!path.includes(node)) {
          node.open = false;
        }
      }
    };
    document.addEventListener("pointerdown", this.closeMenus);
  }
  remove() {
    document.removeEventListener("pointerdown", this.closeMenus);
  }
  // Show a query without reporting it back.
  set(query) {
    this.query = query;
    const scored = query.ensemble_id !== null;
    this.ensemble.value = query.ensemble_id ?? "";
    this.catalogs.chosen = query.catalog_ids;
    this.stages.chosen = query.stages;
    this.label.value = query.label ?? "";
    this.mine.value = mineOfQuery(query);
    this.low.value = query.probability_min > 0 ? query.probability_min : "";
    this.high.value = query.probability_max < 1 ? query.probability_max : "";
    this.range.hidden = !scored;
    if (this.object.value.trim() !== query.object_id) {
      this.object.value = query.object_id;
    }
    this.sort.replaceChildren(...(scored ? Object.keys(SORTS) : SORTS_WITHOUT_SCORES).map((value) => h(
      "option",
      { value, title: value === "graded" ? "Lists only graded candidates" : null },
      `By ${SORTS[value][0].toLowerCase()}${SORTS[value].slice(1)}`
    )));
    this.sort.value = query.sort;
    this.direction.textContent = query.descending ? "↓" : "↑";
    this.direction.title = query.descending ? "Largest first" : "Smallest first";
    this.direction.setAttribute("aria-label", this.direction.title);
    for (const [node, active] of [
      [this.label, query.label],
      [this.mine, this.mine.value],
      [this.low, query.probability_min > 0],
      [this.high, query.probability_max < 1],
      [this.object, query.object_id]
    ]) {
      node.classList.toggle("active", Boolean(active));
    }
    this.more.set(query);
    this.clear.hidden = !this.filtered;
  }
  get filtered() {
    const { query } = this;
    return Boolean(query.catalog_ids.length || query.stages.length || query.label || query.object_id || query.probability_min > 0 || query.probability_max < 1 || hasExtras(query));
  }
  update(changes) {
    this.set({ ...this.query, ...changes });
    this.onChange(this.query);
  }
  // Limit the list to a stored selection.
  choose(selection) {
    this.more.selection = selection;
    this.update({ selection: selection.id });
  }
  chooseEnsemble(ensemble_id) {
    const changes = { ensemble_id };
    if (ensemble_id === null) {
      const ranges = this.query.ranges.filter(([name]) => !SCORE_RANGES.includes(name));
      Object.assign(changes, { probability_min: 0, probability_max: 1, ranges });
      if (!SORTS_WITHOUT_SCORES.includes(this.query.sort)) {
        Object.assign(changes, { sort: "object_id", descending: false });
      }
    } else if (this.query.ensemble_id === null) {
      Object.assign(changes, { sort: "score", descending: true });
    }
    this.update(changes);
  }
  // Order by `sort`; by the same again: the other way round.
  order(sort) {
    this.update(sort === this.query.sort ? { descending: !this.query.descending } : { sort, descending: !ASCENDING_FIRST.includes(sort) });
  }
  bound(input, field, fallback) {
    const value = input.value === "" ? fallback : Number(input.value);
    const range = {
      probability_min: this.query.probability_min,
      probability_max: this.query.probability_max,
      [field]: value
    };
    const bad = !(value >= 0 && value <= 1) || range.probability_min > range.probability_max;
    input.setCustomValidity(bad ? "From 0 to 1, the smaller number first" : "");
    if (bad) {
      input.reportValidity();
    } else {
      this.update({ [field]: value });
    }
  }
  reset() {
    const { catalog_ids, stages, label, object_id, probability_min, probability_max } = this.defaults;
    this.object.value = "";
    this.update({ catalog_ids, stages, label, object_id, probability_min, probability_max, ...NO_EXTRAS });
  }
};

// app/widgets/grade_keys.js
var HAND_KEYS = {
  own: { grades: null, undo: "u", skip: "n", flag: "q", reason: "e", mode: "y" },
  left: { grades: "fdsagvcx", undo: "z", skip: "q", flag: "t", reason: "r", mode: "b" },
  right: { grades: "jklhmuop", undo: "i", skip: "n", flag: "p", reason: "o", mode: "y" }
};
var FIXED_KEYS = { back: "Backspace", forward: "ArrowDown", front: "End", note: "/", rest: "Enter", help: "?" };
function labelKeys(scheme, hand, own = {}) {
  const { grades, ...view } = HAND_KEYS[hand] ?? HAND_KEYS.own;
  const keys = scheme.grades.map(({ key }) => key.toLowerCase());
  const single = keys.every((key) => key.length === 1) && new Set(keys).size === keys.length && !scheme.continuous;
  const initials = keys.map((key) => key[0]);
  const n = keys.length;
  const given = grades !== null ? [...grades].slice(0, n).reverse() : single ? keys : !scheme.continuous && new Set(initials).size === n ? initials : keys.map((_, k) => String(n - k));
  const chosen = Object.fromEntries(scheme.grades.map(({ key }, k) => [`grade:${key}`, given[k] ?? ""]));
  const taken = new Set(Object.values(chosen));
  const rest = { ...FIXED_KEYS, ...view };
  const free = [..."jkdyzquen"].filter((key) => !taken.has(key) && !Object.values(rest).includes(key));
  for (const [action, key] of Object.entries(rest)) {
    chosen[action] = taken.has(key) ? free.shift() ?? "" : key;
  }
  return { ...chosen, ...own };
}
function yieldKeys(sections, taken) {
  const used = new Set(sections.flatMap(({ keys }) => keys.flatMap((row) => row.keys)));
  return sections.map((section) => ({ ...section, keys: section.keys.map((row) => {
    const open = row.keys.filter((key) => !taken.has(key));
    if (open.length === row.keys.length) {
      return row;
    }
    if (open.length) {
      return { ...row, keys: open, shown: open.map(shownKey).join(" ") };
    }
    const shifted = row.keys.filter((key) => /^[a-z]$/.test(key)).map((key) => key.toUpperCase()).filter((key) => !taken.has(key) && !used.has(key));
    return { ...row, keys: shifted, shown: shifted.map((key) => `⇧${key}`).join(" ") };
  }).filter((row) => row.keys.length) }));
}
function shownKey(key) {
  return {
    " ": "Space",
    Backspace: "⌫",
    ArrowDown: "↓",
    ArrowUp: "↑",
    ArrowLeft: "←",
    ArrowRight: "→",
    Enter: "⏎"
  }[key] ?? key;
}

// app/review/grade_keys.js
var OWN_WAYS = ["grade", "gradeNow"];
function gradeKeysOf({ grades, preferences }) {
  if (preferencesOf(preferences?.general ?? null).grade_keys !== "label") {
    return null;
  }
  const { hand = "own", own = {} } = preferences?.label ?? {};
  const keys = labelKeys({ grades }, hand, own);
  return Object.fromEntries(grades.map(({ key }) => [key, keys[`grade:${key}`]]));
}
function regraded(sections, grades, gradeKeys) {
  if (gradeKeys === null) {
    return sections;
  }
  const without = sections.map((section) => ({
    ...section,
    keys: section.keys.filter(({ action }) => !OWN_WAYS.includes(action))
  }));
  const given = grades.filter(({ key }) => gradeKeys[key]).map(({ key, title }) => ({
    keys: [gradeKeys[key]],
    shown: shownKey(gradeKeys[key]),
    action: `grade:${key}`,
    text: `${key}: ${title}`
  }));
  return yieldKeys(without, new Set(Object.values(gradeKeys))).map((section, k) => sections[k].keys.some(({ action }) => action === "grade") ? { ...section, keys: [...given, ...section.keys] } : section);
}

// app/widgets/copying.js
var SAID_MS = 2e3;
async function copyText(text, clipboard = navigator.clipboard) {
  try {
    await clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
function sayOn(button, said, label = button.textContent) {
  button.textContent = said;
  setTimeout(() => {
    button.textContent = label;
  }, SAID_MS);
}

// app/review/out.js
function linkButton(write, notify) {
  const button = h("button", {
    type: "button",
    title: "Copy the address of this list and candidate",
    onclick: async () => {
      write();
      if (await copyText(location.href)) {
        sayOn(button, "Copied", "Copy link");
      } else {
        notify(`This browser does not allow pages to use the clipboard. The link: ${location.href}`);
      }
    }
  }, "Copy link");
  return button;
}
var ExportMenu = class {
  // `words()` gives the words of the present address.
  constructor(formats, words, samp) {
    this.samp = samp;
    this.formats = formats;
    this.words = words;
    this.items = h("div", { className: "menu-items export", role: "menu", "aria-label": "Export" });
    this.summary = h(
      "summary",
      { title: "Write the candidates of this list, or the chosen one, to a file" },
      "Export"
    );
    this.node = h("details", { className: "menu export-menu" }, this.summary, this.items);
    this.node.addEventListener("toggle", () => {
      if (this.node.open) {
        this.draw();
      }
    });
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.node.open) {
        this.node.open = false;
        this.summary.focus();
        event.stopPropagation();
      }
    });
    this.close = (event) => {
      if (!event.composedPath().includes(this.node)) {
        this.node.open = false;
      }
    };
    document.addEventListener("pointerdown", this.close);
  }
  draw() {
    const link = (format, only) => {
      const words = this.words();
      if (only) {
        words.set("only", "1");
      }
      return h(
        "a",
        {
          role: "menuitem",
          href: `export/${format.name}?${words}`,
          download: "",
          onclick: () => {
            this.node.open = false;
          }
        },
        only ? `${format.title} (${format.suffix})` : format.title,
        !only && format.most !== null ? h("span", { className: "faint" }, `first ${formatCount(format.most)}`) : null
      );
    };
    const chosen = this.formats.filter(({ name }) => ["cutouts", "png", "ds9", "csv"].includes(name));
    this.items.replaceChildren(
      h("h3", {}, "This list"),
      ...this.formats.map((format) => link(format, false)),
      h("h3", {}, "The chosen candidate"),
      ...this.words().has("candidate") ? chosen.map((format) => link(format, true)) : [],
      h("h3", { title: "Messages between TOPCAT, DS9, Aladin and this program" }, "Other programs (SAMP)"),
      this.samp.node
    );
    this.samp.ask("samp_state");
  }
  remove() {
    document.removeEventListener("pointerdown", this.close);
  }
};
var SampMenu = class {
  // `about()` gives the query and the chosen candidate; `on` says what to do with what others point at.
  constructor(send, about, on) {
    this.send = send;
    this.about = about;
    this.on = on;
    this.state = h("p", { className: "faint", role: "status" });
    const button = (text, type) => h("button", { type: "button", onclick: () => this.ask(type) }, text);
    this.connect = button("Connect", "samp_connect");
    this.disconnect = button("Disconnect", "samp_disconnect");
    this.senders = [
      button("Send list", "samp_table"),
      button("Send image", "samp_image"),
      button("Send position", "samp_position")
    ];
    this.node = h("div", { className: "samp" }, this.connect, ...this.senders, this.disconnect, this.state);
    this.show({ connected: false, others: [], sent: "" });
  }
  ask(type) {
    this.state.textContent = type === "samp_state" ? "" : "…";
    this.send(
      { type, ...this.about() },
      (answer) => this.show(answer),
      (text) => {
        this.state.textContent = text;
      }
    );
  }
  show({ connected, others, sent }) {
    this.connect.hidden = connected;
    for (const node of [...this.senders, this.disconnect]) {
      node.hidden = !connected;
    }
    const there = others.length ? `Connected: ${others.join(", ")}.` : "No other program is connected to the hub.";
    this.state.textContent = [sent, connected ? there : sent ? "" : "Not connected."].join(" ").trim();
  }
  receive({ open, selection, notice }) {
    if (open !== void 0) {
      this.on.open(open);
    }
    if (selection !== void 0) {
      this.on.select(selection);
    }
    if (notice !== void 0) {
      this.on.notice(notice);
    }
  }
};

// app/viewer/references.js
var NONE = "No other object of this survey has a class that is known by a spectrum, the consensus of two graders or an imported label.";
var REFERENCE_KEYS = { keys: ["R"], shown: "R", action: "references", text: "Show or hide lenses and other objects to compare with" };
var ReferenceDrawer = class {
  /**
   * @param {(then: (references: any[]) => void, failed: (sentence: string) => void) => void} ask for what is shown now
   */
  constructor(ask) {
    this.ask = ask;
    this.asked = 0;
    this.body = h("div", { className: "reference-rows" });
    this.node = h(
      "section",
      { className: "references", hidden: true, "aria-label": "References" },
      h(
        "header",
        {},
        h("h2", {}, "References"),
        h("span", { className: "spacer" }),
        h("button", { type: "button", className: "icon", title: "Close (key R)", "aria-label": "Close", onclick: () => this.toggle() }, "×")
      ),
      this.body
    );
  }
  get shown() {
    return !this.node.hidden;
  }
  toggle() {
    this.node.hidden = !this.node.hidden;
    this.refresh();
  }
  // Another candidate, or none: other references, while the drawer is open.
  refresh() {
    if (!this.shown) {
      return;
    }
    const number = ++this.asked;
    this.ask(
      (references) => {
        if (number === this.asked) {
          this.show(references);
        }
      },
      (sentence) => {
        if (number === this.asked) {
          this.body.replaceChildren(h("p", { className: "faint" }, sentence));
        }
      }
    );
  }
  show(references) {
    const rows = [["Lenses", true], ["Not lenses", false]].map(([title, isLens]) => [
      title,
      references.filter((one) => one.is_lens === isLens)
    ]);
    this.body.replaceChildren(...references.length ? rows.map(([title, ones]) => h(
      "div",
      { className: "reference-row" },
      h("h3", {}, title),
      ones.length ? h("ul", {}, ones.map((one) => this.one(one))) : h("p", { className: "faint" }, "None is known.")
    )) : [h("p", { className: "faint" }, NONE)]);
  }
  one({ object_id: name, source, picture: address }) {
    const button = h("button", { type: "button", title: `${name}: ${source}`, "aria-pressed": "false", onclick: () => {
      const large = button.getAttribute("aria-pressed") !== "true";
      for (const other of this.body.querySelectorAll("button[aria-pressed]")) {
        other.setAttribute("aria-pressed", "false");
      }
      button.setAttribute("aria-pressed", String(large));
      button.blur();
    } }, picture({ src: address, alt: name, loading: "lazy" }), h("small", {}, source));
    return h("li", {}, button);
  }
};

// app/review/bulk.js
var count = (n) => `${n.toLocaleString("en-US")} ${n === 1 ? "candidate" : "candidates"}`;
function gradePlan(rows, grade, ownGrade, make, fields) {
  const wanted = rows.filter((row) => ownGrade(row.id)?.grade !== grade.key);
  const replaced = wanted.filter((row) => ownGrade(row.id)).length;
  const same = rows.length - wanted.length;
  return {
    events: wanted.map((row) => make("grade", row, { grade: grade.key, ...fields })),
    question: sentences(
      `Grade ${count(wanted.length)} ${grade.key} (${grade.title})?`,
      same && `${same} more ${same === 1 ? "has" : "have"} that grade of yours.`,
      replaced && `${replaced} other ${replaced === 1 ? "grade" : "grades"} of yours ${replaced === 1 ? "is" : "are"} replaced.`
    ),
    doing: `Grade ${count(wanted.length)} ${grade.key}`,
    done: `${count(wanted.length)} graded ${grade.key}`
  };
}
function tagPlan(rows, text, tagsOf, make) {
  const tag = text.replaceAll(",", " ").trim().split(/\s+/).join(" ");
  const wanted = rows.filter((row) => !tagsOf(row).some((one) => one.toLowerCase() === tag.toLowerCase()));
  const same = rows.length - wanted.length;
  return {
    events: tag ? wanted.map((row) => make("tag", row, { tag })) : [],
    question: sentences(`Tag ${count(wanted.length)} “${tag}”?`, same && `${same} more ${same === 1 ? "has" : "have"} that tag.`),
    doing: `Tag ${count(wanted.length)}`,
    done: `${count(wanted.length)} tagged “${tag}”`
  };
}
function stagePlan(rows, stage, reason2, make) {
  const wanted = rows.filter((row) => row.stage !== stage);
  const same = rows.length - wanted.length;
  const why = reason2 === null ? "" : ` (${reason2.title})`;
  return {
    events: wanted.map((row) => make("stage", row, { stage, reason: reason2?.key ?? null, expected: row.stage })),
    question: sentences(`Move ${count(wanted.length)} to ${stage}${why}?`, same && `${same} more ${same === 1 ? "is" : "are"} there already.`),
    doing: `Move ${count(wanted.length)}`,
    done: `${count(wanted.length)} moved to ${stage}`
  };
}
function undoPlan({ events, done }, rowOf, ownGrade, tagsOf, make) {
  const back = events.flatMap((event) => {
    const row = rowOf(event.candidate);
    if (event.kind === "grade" && ownGrade(event.candidate)?.uuid === event.uuid) {
      return [make("undo", row, { undoes: event.uuid })];
    }
    if (event.kind === "tag" && tagsOf(row).some((tag) => tag.toLowerCase() === event.tag.toLowerCase())) {
      return [make("untag", row, { tag: tagsOf(row).find((tag) => tag.toLowerCase() === event.tag.toLowerCase()) })];
    }
    if (event.kind === "stage" && row.stage === event.stage && event.expected !== "rejected") {
      return [make("stage", row, { stage: event.expected, reason: null, expected: event.stage })];
    }
    return [];
  });
  const left = events.length - back.length;
  return {
    events: back,
    question: sentences(`Take back: ${done}?`, left && `${left} ${left === 1 ? "is" : "are"} left as ${left === 1 ? "it is" : "they are"}, changed since or rejected before.`),
    doing: `Take back ${back.length.toLocaleString("en-US")}`,
    done: `${count(back.length)} as before`
  };
}
var sentences = (...parts) => parts.filter(Boolean).join(" ");

// app/viewer/lens_panel.js
var PICTURES = [
  ["data", "Data"],
  ["model", "Model"],
  ["residual", "Residual ±5 σ"],
  ["arcs", "Data − galaxy"],
  ["lensed", "Lensed source"],
  ["source", "Source"]
];
var TICK_MS = 500;
var MOST_KEPT2 = 100;
var MOST_PICKED = 8;
var LensPanel = class {
  // `viewer`: of the large picture; `choices`: what one browser remembers; `ask(row, asked)`: the answer of the
  // server, as a promise; `below`: a section on the same candidate with a node, show(row, opened) and remove(), or none.
  constructor({ viewer, ask, below = null }, choices, keep) {
    this.viewer = viewer;
    this.question = ask;
    this.choices = choices;
    this.keep = keep;
    this.opened = false;
    this.row = void 0;
    this.kept = /* @__PURE__ */ new Map();
    this.waiting = null;
    this.picked = null;
    this.overlay = h("input", { type: "checkbox", checked: choices.curves !== false, onchange: () => {
      this.choices.curves = this.overlay.checked;
      this.keep();
      this.drawCurves();
    } });
    this.controls = h("label", { className: "lens-overlay" }, this.overlay, " Critical curve and images on the picture");
    this.body = h("div", { className: "lens-body", "aria-live": "polite" });
    this.node = h("section", { className: "lens-test", "aria-label": "Lens test" }, this.body, below?.node);
    this.below = below;
  }
  // Another candidate: what belongs to the last one goes at once.
  candidate(row) {
    this.row = row;
    this.stopPicking();
    this.viewer.showModel(null);
    this.draw();
    this.look();
    this.below?.show(row, this.opened);
  }
  clear() {
    this.row = void 0;
    this.below?.show(void 0, this.opened);
    this.stopPicking();
    this.viewer.showModel(null);
    this.body.replaceChildren();
  }
  open(opened) {
    this.opened = opened;
    if (!opened) {
      this.stopPicking();
    }
    this.drawCurves();
    this.draw();
    this.look();
    this.below?.show(this.row, opened);
  }
  // Whether a result of the present candidate is to be seen.
  get isShown() {
    return this.opened && this.answer?.kept === true;
  }
  get answer() {
    return this.row === void 0 ? void 0 : this.kept.get(this.row.id);
  }
  // Show what the workspace has kept; nothing is computed.
  look() {
    if (this.opened && this.row !== void 0 && this.answer === void 0 && this.waiting !== this.row.id) {
      this.ask(this.row, { compute: false });
    }
  }
  // Fit a lens to the candidate, unless that is done or under way; from the images that are pointed at, anew.
  run() {
    const { row, picked } = this;
    if (row === void 0 || this.waiting !== null || this.answer?.kept && !picked?.length) {
      return;
    }
    const positions = picked ?? [];
    this.stopPicking();
    this.ask(row, { compute: true, positions });
  }
  // Every click on the large picture is an image from now on, until the test is run.
  pick() {
    this.picked = [];
    this.viewer.onPick = ({ x, y }) => {
      const size = this.viewer.catalog.size_arcsec;
      if (this.picked.length < MOST_PICKED) {
        this.picked.push([(x - 0.5) * size, (0.5 - y) * size]);
      }
      this.draw();
    };
    this.draw();
  }
  stopPicking() {
    this.picked = null;
    this.viewer.onPick = null;
  }
  async ask(row, asked) {
    const { compute } = asked;
    if (compute) {
      this.waiting = row.id;
      this.since = performance.now();
      this.timer = setInterval(() => this.tick(), TICK_MS);
      this.draw();
    }
    let answer;
    try {
      answer = await this.question(row, asked);
    } catch (error) {
      answer = { kept: false, problem: error.message };
    }
    if (compute) {
      clearInterval(this.timer);
      this.waiting = null;
    }
    if (this.kept.size >= MOST_KEPT2) {
      this.kept.clear();
    }
    if (compute || !this.kept.get(row.id)?.kept) {
      this.kept.set(row.id, answer);
    }
    this.draw();
  }
  tick() {
    const clock = this.body.querySelector(".lens-clock");
    if (clock !== null) {
      clock.textContent = this.elapsed;
    }
  }
  get elapsed() {
    return `${((performance.now() - this.since) / 1e3).toFixed(0)} s`;
  }
  draw() {
    const { row, answer } = this;
    if (row === void 0 || !this.opened) {
      return;
    }
    this.node.dataset.state = this.waiting === row.id ? "fitting" : answer === void 0 ? "asking" : answer.kept ? answer.verdict : answer.problem ? "problem" : "none";
    if (this.waiting === row.id) {
      this.body.replaceChildren(h(
        "p",
        { className: "lens-fitting", role: "status" },
        h("span", { className: "lens-spinner" }),
        "Fitting a lens … ",
        h("span", { className: "lens-clock" }, this.elapsed)
      ), sketch());
    } else if (this.picked !== null) {
      this.body.replaceChildren(...this.picking());
    } else if (answer === void 0) {
      this.body.replaceChildren(sketch());
    } else if (answer.kept) {
      this.body.replaceChildren(...result(answer, this.controls), this.pointing());
    } else {
      const other = this.waiting !== null ? "Another candidate is being fitted; wait for it." : null;
      this.body.replaceChildren(...[
        answer.problem ? h("p", { className: "failure", role: "alert" }, answer.problem) : null,
        h("p", {}, "Fit a simple lens to this cutout, and compare it with models without a lens. It takes a few seconds."),
        h("button", {
          type: "button",
          className: "primary",
          disabled: other !== null,
          title: other ?? "",
          onclick: () => this.run()
        }, "Run the lens test ", h("kbd", {}, "m")),
        this.pointing()
      ].filter(Boolean));
    }
    this.drawCurves();
  }
  pointing() {
    return h("button", {
      type: "button",
      disabled: this.waiting !== null,
      onclick: () => this.pick(),
      title: "Start the fit from images that you click on"
    }, "Point at the images");
  }
  picking() {
    const n = this.picked.length;
    return [
      h("p", {}, "Click on the images of the source in the large picture, two to four of them if you can; then run the test."),
      h(
        "div",
        { className: "lens-picking" },
        h(
          "button",
          { type: "button", className: "primary", disabled: n === 0, onclick: () => this.run() },
          n === 0 ? "No image yet" : `Run from ${n} ${n === 1 ? "image" : "images"} `,
          n ? h("kbd", {}, "m") : null
        ),
        h("button", { type: "button", onclick: () => {
          this.stopPicking();
          this.draw();
        } }, "Cancel")
      )
    ];
  }
  drawCurves() {
    const { answer } = this;
    if (this.picked !== null) {
      this.viewer.showModel({ curves: [], points: [...this.picked] });
      return;
    }
    const shown = this.opened && answer?.pictures && this.choices.curves !== false;
    this.viewer.showModel(shown ? {
      curves: [answer.critical_curve],
      points: answer.images.map(([x, y]) => [x, y])
    } : null);
  }
  remove() {
    clearInterval(this.timer);
    this.below?.remove();
  }
};
function sketch() {
  return h(
    "div",
    { className: "lens-pictures lens-sketch", "aria-hidden": "true" },
    PICTURES.map(() => h("figure", {}, h("div", { className: "lens-tile" })))
  );
}
function result(answer, controls) {
  const verdict = h(
    "div",
    { className: `lens-verdict ${answer.verdict}` },
    h("strong", {}, answer.title ?? "No lens test"),
    h("p", {}, reason(answer.sentence))
  );
  if (!answer.pictures) {
    return [verdict];
  }
  return [
    verdict,
    h("p", { className: "faint" }, answer.indicative),
    h("div", { className: "lens-pictures" }, PICTURES.map(([name, title]) => tile(answer, name, title))),
    controls,
    numbers(answer),
    h("p", { className: "faint" }, `Bands ${answer.bands.join(", ")}; method ${answer.version}; ${answer.at ? `${answer.at.slice(0, 10)}, ` : ""}${answer.seconds.toFixed(1)} s${begun(answer)}. On the source: caustic, and dashed the line within which there is a second image.`)
  ];
}
function begun({ settings }) {
  const n = settings.positions_arcsec.length;
  return n ? `, started from ${n} ${n === 1 ? "image" : "images"} that somebody pointed at` : "";
}
function reason(sentence) {
  const [, rest] = sentence.split(/^[^:.]*: /);
  return rest === void 0 ? sentence : rest[0].toUpperCase() + rest.slice(1);
}
function tile(answer, name, title) {
  const { critical_curve, caustic, cut, images: images2, source_side_arcsec, side_arcsec } = answer;
  const middle = name === "source" ? [answer.source_x_arcsec.value, answer.source_y_arcsec.value] : [0, 0];
  const side = name === "source" ? source_side_arcsec : side_arcsec;
  const at = ([x, y]) => [0.5 + (x - middle[0]) / side, 0.5 - (y - middle[1]) / side];
  const line = (points, className) => h("path", {
    class: className,
    d: points.map((point, k) => `${k ? "L" : "M"}${at(point).map((v) => v.toFixed(4)).join(" ")}`).join("")
  });
  const drawn = name === "source" ? [line(caustic, "caustic"), line(cut, "cut")] : name === "lensed" ? [line(critical_curve, "caustic"), ...images2.map((image) => {
    const [cx, cy] = at(image);
    return h("circle", { cx, cy, r: 0.025, class: "lens-image" });
  })] : [];
  return h("figure", {}, h(
    "div",
    { className: "lens-tile" },
    h("img", { src: answer.pictures[name], alt: title }),
    h("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" }, drawn)
  ), h("figcaption", {}, name === "source" ? `Source, ${side.toFixed(1)}″` : title));
}
function numbers(answer) {
  const value = ({ value: value2, error }, digits, unit = "") => `${value2.toFixed(digits)} ± ${error === null ? "–" : error.toFixed(digits)}${unit}`;
  const { evidence } = answer;
  const rows = [
    ["θ_E", value(answer.theta_e_arcsec, 2, "″")],
    ["Axis ratio q", value(answer.axis_ratio, 2)],
    ["Direction", value(answer.angle_deg, 0, "°")],
    ["Shear γ", value(answer.shear, 3)],
    ["Source radius", value(answer.source_radius_arcsec, 2, "″")],
    ["Images", `${evidence.n_images}; S/N inside ${evidence.inner_snr.toFixed(0)}, outside ${evidence.outer_snr.toFixed(0)}`],
    ["Reduced χ²", `${answer.reduced_chi2.toFixed(2)}; no lens ${answer.reduced_chi2_no_lens.toFixed(2)}`],
    ["ΔBIC", `${signed(evidence.delta_bic)} over no lens; ${signed(evidence.rival_delta_bic)} over ${evidence.rival}`]
  ];
  return h("dl", { className: "lens-numbers" }, rows.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
}
function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(0)}`;
}

// app/review/lens_model.js
var LOOK_MS = 4e3;
var SHOWN = [
  "theta_e_arcsec",
  "axis_ratio",
  "angle_deg",
  "slope",
  "shear",
  "shear_angle_deg",
  "magnification",
  "mass_msun",
  "theta_e_kpc",
  "sigma_v_km_s",
  "source_radius_arcsec"
];
var MASSES = [["sie", "Isothermal (SIE)"], ["epl", "Power law (EPL)"]];
var WIDTH = 300;
var HEIGHT = 130;
var PAD = { left: 44, right: 8, top: 6, bottom: 32 };
var LensModelSection = class {
  // `ask(row, asked)`: the answer of the server, as a promise.
  constructor(ask) {
    this.question = ask;
    this.row = void 0;
    this.opened = false;
    this.answer = void 0;
    this.asking = false;
    this.problem = "";
    this.body = h("div", { className: "lens-body", "aria-live": "polite" });
    this.node = h("section", { className: "lens-model", "aria-label": "Lens model", hidden: true }, this.body);
  }
  // A candidate, or none, in a panel that is open or not.
  show(row, opened) {
    const other = row?.id !== this.row?.id;
    this.row = row;
    this.opened = opened;
    if (other) {
      this.answer = void 0;
      this.asking = false;
      this.problem = "";
    }
    clearTimeout(this.timer);
    this.draw();
    if (opened && row !== void 0 && (other || this.answer === void 0 || this.answer.run?.active)) {
      this.look();
    }
  }
  remove() {
    clearTimeout(this.timer);
  }
  // Ask what there is; with `start` begin a run first.
  async look(start) {
    const { row } = this;
    let answer;
    try {
      answer = await this.question(row, start === void 0 ? {} : { start });
      this.problem = "";
      this.asking = false;
    } catch (error) {
      this.problem = error.message;
    }
    if (row?.id !== this.row?.id) {
      return;
    }
    this.answer = answer ?? this.answer;
    this.draw();
    clearTimeout(this.timer);
    if (this.opened && this.answer?.run?.active) {
      this.timer = setTimeout(() => this.look(), LOOK_MS);
    }
  }
  draw() {
    const { answer, row } = this;
    this.node.hidden = row === void 0 || !this.opened || answer === void 0 && !this.problem;
    if (this.node.hidden) {
      return;
    }
    const run = answer?.run;
    const model = answer?.model;
    this.node.dataset.state = run?.active ? "running" : model?.status ?? (run ? run.status : "none");
    const held = document.activeElement?.closest?.(".lens-model form");
    if (held && this.asking) {
      return;
    }
    this.body.replaceChildren(...[
      h("h3", {}, "Lens model"),
      this.problem ? h("p", { className: "failure", role: "alert" }, this.problem) : null,
      ...run ? this.running(run) : [],
      ...model?.status === "sampled" ? posterior(model, row) : [],
      model?.status === "failed" ? h("p", {}, model.sentence) : null,
      model || run ? null : h("p", {}, "Sample the posterior of the mass, the shear and the source around the lens test's fit. It is a run of some minutes."),
      this.asking ? this.form() : this.button(run)
    ].filter(Boolean));
  }
  running(run) {
    if (run.active) {
      return [h(
        "p",
        { className: "lens-fitting", role: "status" },
        h("span", { className: "lens-spinner" }),
        run.status === "queued" ? "Waiting for other runs …" : run.activity || "Starting …"
      )];
    }
    const said = { failed: run.error ?? "It failed.", cancelled: "It was cancelled.", lost: run.error ?? "Its process ended." };
    return run.status in said ? [h(
      "p",
      { className: "failure" },
      `The last run: ${said[run.status]} `,
      h("a", { href: `runs?run=${run.id}` }, "Open it in Runs")
    )] : [];
  }
  button(run) {
    const refusal = this.answer?.refusal ?? "";
    return h("button", {
      type: "button",
      className: "lens-model-start",
      disabled: refusal !== "" || run?.active === true,
      title: refusal,
      onclick: () => {
        this.asking = true;
        this.draw();
        this.body.querySelector("form").scrollIntoView({ block: "nearest" });
        this.body.querySelector("select").focus({ preventScroll: true });
      }
    }, "Model…");
  }
  form() {
    const mass = h("select", { "aria-label": "Mass" }, MASSES.map(([value, title]) => h("option", { value }, title)));
    const redshift = (title) => h("input", { type: "number", min: "0", max: "19", step: "any", placeholder: "z", "aria-label": title });
    const lens = redshift("Redshift of the lens");
    const source = redshift("Redshift of the source");
    const close = () => {
      this.asking = false;
      leave();
      this.draw();
    };
    return h(
      "form",
      { className: "lens-model-form", onsubmit: (event) => {
        event.preventDefault();
        leave();
        this.look({ mass: mass.value, z_lens: Number(lens.value) || 0, z_source: Number(source.value) || 0 });
      }, onkeydown: (event) => {
        event.stopPropagation();
        if (event.key === "Escape") {
          close();
        }
      } },
      h("label", {}, "Mass ", mass),
      h("label", {}, "z lens ", lens),
      h("label", {}, "z source ", source),
      h("p", { className: "faint" }, "Redshifts give masses and delays; empty: those of the confirmation, if there is one."),
      h(
        "div",
        { className: "lens-picking" },
        h("button", { type: "submit", className: "primary" }, "Start the run"),
        h("button", { type: "button", onclick: close }, "Cancel")
      )
    );
  }
};
function posterior(model, row) {
  const { diagnostics, quantities } = model;
  const rows = SHOWN.filter((name) => name in quantities).map((name) => [quantities[name].title, interval(quantities[name])]);
  const warnings = [];
  if (!diagnostics.converged) {
    warnings.push("The sample has not converged: do not use it.");
  }
  if (model.lens_test.verdict === "no_lens") {
    warnings.push("The lens test says that no lens model fits.");
  }
  if (model.reduced_chi2 > 1.5) {
    warnings.push(`The best model is a poor fit: reduced χ² ${model.reduced_chi2.toFixed(2)}.`);
  }
  return [
    ...warnings.map((text) => h("p", { className: "failure" }, text)),
    ...posteriorOfRadius(model),
    h("dl", { className: "lens-numbers" }, rows.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)])),
    images(model),
    ...model.corner ? cornerPlot(model) : [],
    h("p", { className: "faint" }, `68 % intervals from ${diagnostics.effective_samples.toLocaleString("en")} effective samples of ${diagnostics.calls.toLocaleString("en")} models; reduced χ² ${model.reduced_chi2.toFixed(2)}; bands ${model.bands.join(", ")}; ${model.cosmology}; ${model.at.slice(0, 10)}, ${(model.seconds / 60).toFixed(1)} min.`),
    h(
      "p",
      {},
      h("a", { href: `lens-models/${row.id}`, download: "" }, "Files"),
      " (samples, COOLEST, lenstronomy, PyAutoLens) · ",
      h("a", { href: `runs?run=${model.run}` }, "run")
    )
  ].filter(Boolean);
}
function leave() {
  const held = document.activeElement;
  if (held instanceof HTMLElement) {
    held.blur();
  }
}
function interval({ p16, p50, p84, unit }) {
  const [low, high] = [p50 - p16, p84 - p50];
  if (Math.abs(p50) >= 1e6) {
    const power = Math.floor(Math.log10(Math.abs(p50)));
    const one = (value) => (value / 10 ** power).toFixed(2);
    return `(${one(p50)} −${one(low)} +${one(high)}) × 10${superscript(power)}${unit}`;
  }
  const smaller = Math.min(...[low, high].filter((error) => error > 0), Math.abs(p50) || 1);
  const digits = Math.min(Math.max(1 - Math.floor(Math.log10(smaller)), 0), 4);
  return `${p50.toFixed(digits)} −${low.toFixed(digits)} +${high.toFixed(digits)}${unit}`;
}
function superscript(power) {
  return [...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)] ?? "⁻").join("");
}
function posteriorOfRadius({ histogram: { edges, shares }, quantities: { theta_e_arcsec: { p16, p50, p84 } } }) {
  const [first, last] = [edges[0], edges.at(-1)];
  const most = Math.max(...shares);
  const base = HEIGHT - PAD.bottom;
  const x = (value) => PAD.left + (value - first) / (last - first) * (WIDTH - PAD.left - PAD.right);
  const y = (share) => base - share / most * (base - PAD.top);
  const bars = shares.map((share, k) => h("rect", {
    x: x(edges[k]),
    width: Math.max(x(edges[k + 1]) - x(edges[k]) - 0.5, 0.5),
    y: y(share),
    height: base - y(share),
    class: edges[k] >= p16 && edges[k + 1] <= p84 ? "within" : "beyond"
  }));
  const middle = PAD.top + (base - PAD.top) / 2;
  const drawn = h(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": `Posterior of θ_E, from ${first.toFixed(3)} to ${last.toFixed(3)} arcsec`
    },
    bars,
    h("line", { class: "median", x1: x(p50), x2: x(p50), y1: PAD.top, y2: base }),
    h("line", { x1: PAD.left, x2: WIDTH - PAD.right, y1: base, y2: base }),
    niceTicks(first, last, 6).map((tick) => h(
      "g",
      {},
      h("line", { x1: x(tick), x2: x(tick), y1: base, y2: base + 4 }),
      h("text", { x: x(tick), y: base + 14, "text-anchor": "middle" }, String(tick))
    )),
    niceTicks(0, most, 3).map((tick) => h(
      "g",
      {},
      h("line", { x1: PAD.left - 4, x2: PAD.left, y1: y(tick), y2: y(tick) }),
      h("text", { x: PAD.left - 6, y: y(tick) + 3, "text-anchor": "end" }, String(tick))
    )),
    h("text", { x: x((first + last) / 2), y: HEIGHT - 3, "text-anchor": "middle" }, "Einstein radius θ_E (arcsec)"),
    h("text", { x: 10, y: middle, "text-anchor": "middle", transform: `rotate(-90 10 ${middle})` }, "share of draws")
  );
  return [h("figure", { className: "lens-histogram" }, drawn), saveButton(() => ({
    title: "Posterior of the Einstein radius",
    svg: () => drawn,
    series: () => [{ name: "", columns: {
      theta_e_from_arcsec: edges.slice(0, -1),
      theta_e_to_arcsec: edges.slice(1),
      share_of_draws: shares
    } }]
  }))];
}
var textOf2 = (address) => new TextDecoder().decode(Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0)));
function cornerPlot({ corner, quantities }) {
  const told = SHOWN.filter((name) => name in quantities).map((name) => [name, quantities[name]]);
  const column = (name) => told.map(([, quantity]) => quantity[name]);
  return [
    h("img", { className: "lens-corner", src: corner, alt: "Corner plot: each pair of quantities, 68 and 95 %" }),
    saveButton(() => ({
      title: "Corner plot",
      dark: false,
      svg: () => textOf2(corner),
      series: () => [{ name: "", columns: { quantity: told.map(([name]) => name), p16: column("p16"), p50: column("p50"), p84: column("p84") } }]
    }))
  ];
}
function images({ images: { each, share }, is_compact, settings }) {
  if (!each.length) {
    return null;
  }
  const delays = each.some((image) => image.delay_days !== null);
  const head = ["Image", "μ", ...delays ? ["delay, days"] : []];
  const cells = (image, k) => [
    `${k + 1} (${image.x_arcsec.toFixed(2)}″, ${image.y_arcsec.toFixed(2)}″)`,
    interval({ ...image.magnification, unit: "" }),
    ...delays ? [k ? interval({ ...image.delay_days, unit: "" }) : "first"] : []
  ];
  const why = delays ? "" : is_compact ? settings.z_lens && settings.z_source ? "" : " Delays need both redshifts." : " The source is no point: no delays.";
  return h(
    "div",
    {},
    h(
      "table",
      { className: "lens-images" },
      h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, each.map((image, k) => h("tr", {}, cells(image, k).map((text) => h("td", {}, text)))))
    ),
    h("p", { className: "faint" }, `Images of the source's center in the order of arrival; so many in ${(100 * share).toFixed(0)} % of the draws.${why}`)
  );
}

// app/review/scores.js
var AXIS_LOGIT = 7;
var AXIS_TICKS = [1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999];
var NAMED_TICKS = [0.01, 0.5, 0.99];
var logitOf = (p) => Math.log(p / (1 - p));
var placeOf2 = (p) => (Math.max(-AXIS_LOGIT, Math.min(AXIS_LOGIT, logitOf(p))) / AXIS_LOGIT + 1) / 2;
function mark(className, from, to) {
  const node = h("i", { className });
  node.style.left = `${100 * from}%`;
  if (to !== void 0) {
    node.style.width = `${100 * (to - from)}%`;
  }
  return node;
}
function memberRows(row, members, interval2) {
  const behind = () => [
    ...AXIS_TICKS.map((p) => mark("tick", placeOf2(p))),
    interval2 ? mark("interval-band", placeOf2(interval2.low), placeOf2(interval2.high)) : null,
    mark("ensemble", placeOf2(row.probability))
  ];
  const axis = h(
    "div",
    { className: "member-axis", "aria-hidden": "true" },
    h("span", {}),
    h("span", { className: "member-strip" }, NAMED_TICKS.map((p) => {
      const tick = h("span", {}, String(p));
      tick.style.left = `${100 * placeOf2(p)}%`;
      return tick;
    })),
    h("span", {})
  );
  return h(
    "div",
    { className: "members-box" },
    h("ol", {}, members.map((member) => h(
      "li",
      { title: `${member.name} (${member.kind}), weight ${formatNumber(member.weight, 2)}` },
      h("span", { className: "name" }, member.name),
      h("span", { className: "member-strip", "aria-hidden": "true" }, behind(), mark("dot", placeOf2(member.probability))),
      h("span", { className: "value" }, formatProbability(member.probability))
    ))),
    axis,
    legend([
      ["dot", explained("member", "member score")],
      ["line", explained("ensemble", "score")],
      ...interval2 ? [["range", explained("68 % interval", "interval of a score")]] : []
    ])
  );
}
var inNats = (value) => value === null || value === void 0 ? MISSING : `${formatNumber(value)} nat`;
var explained = (word, of) => h("lt-term", { of }, word);
function legend(entries) {
  return h("p", { className: "legend" }, entries.map(([kind, what]) => h("span", { className: kind }, what)));
}
var ScorePanel = class {
  constructor() {
    this.node = h("section", { className: "scores", "aria-label": "Scores" });
  }
  show(row, details, interval2) {
    if (row.probability === void 0) {
      this.node.replaceChildren(h("p", { className: "faint" }, "No ensemble has been chosen: no scores."));
      return;
    }
    const total = (row.epistemic ?? 0) + (row.aleatoric ?? 0);
    const share = total > 0 ? 100 * row.epistemic / total : 0;
    const percent = 100 * (row.probability ?? 0);
    this.node.replaceChildren(
      h(
        "div",
        { className: "headline" },
        h("strong", {}, formatProbability(row.probability)),
        explained("ensemble score", "score"),
        meter(percent, "score")
      ),
      facts([
        [explained("Epistemic", "epistemic uncertainty"), inNats(row.epistemic)],
        [explained("Aleatoric", "aleatoric uncertainty"), inNats(row.aleatoric)],
        [explained("Disagreement", "disagreement"), formatNumber(row.disagreement, 2)],
        [explained("OOD distance", "OOD distance"), formatNumber(row.ood, 2)]
      ]),
      h(
        "div",
        { className: "parts", "aria-hidden": "true" },
        h("span", { className: "part epistemic" }),
        h("span", { className: "part aleatoric" })
      ),
      legend([
        ["epistemic", `${share.toFixed(0)} % of ${formatNumber(total)} nat is epistemic`],
        ["aleatoric", "aleatoric"]
      ]),
      this.members(row, details, interval2)
    );
    this.node.querySelector(".part.epistemic").style.flexGrow = String(share);
    this.node.querySelector(".part.aleatoric").style.flexGrow = String(100 - share);
  }
  members(row, details, interval2) {
    if (details === void 0) {
      return h("div", { className: "members-box loading" });
    }
    if (!details.members.length) {
      return h("p", { className: "faint" }, "No scores of single members are stored.");
    }
    return memberRows(row, details.members, interval2);
  }
};
function meter(percent, kind) {
  const bar = h("span", { className: "fill" });
  bar.style.width = `${percent}%`;
  return h("span", { className: `meter ${kind}`, "aria-hidden": "true" }, bar);
}
function facts(rows) {
  return h("dl", { className: "facts" }, rows.map(([name, value, title]) => h(
    "div",
    { title: title ?? "" },
    h("dt", {}, name),
    h("dd", {}, value)
  )));
}
var MetadataTable = class {
  constructor(onTruth) {
    this.onTruth = onTruth;
    this.truthWanted = false;
    this.node = h("section", { className: "metadata", "aria-label": "Metadata" });
  }
  show(row, details, truth) {
    if (details === void 0) {
      this.node.classList.add("loading");
      return;
    }
    this.node.classList.remove("loading");
    this.node.replaceChildren(
      ...details.sections.map(({ title, rows }) => h("div", { className: "section" }, h("h3", {}, title), facts(rows))),
      ...details.has_truth ? [this.truth(truth)] : []
    );
  }
  // What a simulated object is stays hidden until somebody asks for it.
  truth(rows) {
    const shown = this.truthWanted && rows !== void 0;
    return h(
      "div",
      { className: "section truth" },
      h("h3", {}, "Simulated truth"),
      h("button", { type: "button", "aria-expanded": String(shown), onclick: () => {
        this.truthWanted = !this.truthWanted;
        this.onTruth();
      } }, this.truthWanted ? "Hide simulated truth" : "Show simulated truth"),
      shown ? facts(rows) : null
    );
  }
};

// app/review/panel_scores.js
var DIAGRAM = { width: 300, height: 190, left: 34, right: 8, top: 8, bottom: 26 };
var DIAGRAM_LOGIT = 5;
var DIAGRAM_TICKS = [0.01, 0.1, 0.5, 0.9, 0.99];
var UNLIKE_PERCENT = 99;
var UNLIKE_FROM = 200;
var ScoreContextPanel = class {
  constructor() {
    this.node = h("section", { className: "score-context", "aria-label": "How sure the score is" });
    this.more = h("section", { className: "score-context", "aria-label": "Calibration and other ensembles" });
    this.shown = null;
  }
  show(row, answer) {
    if (row.probability === void 0) {
      this.clear();
      this.shown = null;
      return;
    }
    for (const node of [this.node, this.more]) {
      node.classList.toggle("loading", answer === void 0);
    }
    if (answer === void 0 || answer === this.shown) {
      return;
    }
    this.shown = answer;
    this.node.replaceChildren(...[this.interval(row, answer), this.ood(answer.ood)].filter(Boolean));
    this.more.replaceChildren(
      fold("Calibration", ...this.calibration(answer)),
      fold("Other ensembles", this.ensembles(answer.ensembles))
    );
  }
  clear() {
    this.shown = null;
    this.node.replaceChildren();
    this.more.replaceChildren();
  }
  interval(row, { interval: interval2, calibration }) {
    if (!interval2) {
      return h("p", { className: "faint" }, "One member and no test split: the score has no interval.");
    }
    const parts = [
      interval2.sigma_members === null ? null : `members differ by ±${interval2.sigma_members.toFixed(2)}`,
      interval2.sigma_calibration === null ? "no test split to estimate the calibration's error" : `calibration ±${interval2.sigma_calibration.toFixed(2)} (${formatCount(calibration.n)} test objects)`
    ].filter(Boolean);
    return h(
      "p",
      { className: "interval" },
      h("strong", {}, `${formatProbability(interval2.low)} – ${formatProbability(interval2.high)}`),
      " ",
      h("lt-term", { of: "interval of a score" }, "68 % interval"),
      h("span", {}, `: ${parts.join("; ")}.`)
    );
  }
  ood(ood) {
    if (!ood) {
      return null;
    }
    const { percent, n } = ood;
    const first = percent > 100 - 101 / n;
    const node = h("p", { className: "ood" }, first ? `Largest OOD distance of the ${formatCount(n)} candidates of its catalog.` : `OOD distance larger than that of ${percent.toFixed(percent > 99 ? 2 : 0)} % of the ${formatCount(n)} candidates of its catalog.`);
    if (percent > UNLIKE_PERCENT && n >= UNLIKE_FROM) {
      node.append(h("span", { className: "warn" }, "Few candidates are this far from the known non-lenses: inspect it, and trust the score less."));
    }
    return node;
  }
  calibration({ calibration, problem }) {
    if (problem) {
      return [h("p", { className: "failure" }, problem)];
    }
    if (!calibration) {
      return [h(
        "p",
        { className: "faint" },
        "This ensemble has no reliability diagram: it has no test split."
      )];
    }
    const here = calibration.bins[calibration.bin];
    const share = (value) => `${(100 * value).toFixed(1)} %`;
    const diagram = reliabilityDiagram(calibration);
    return [
      diagram,
      saveButton(() => ({ title: "Calibration", svg: () => diagram, series: () => [{ name: "", columns: binColumns(calibration.bins) }] })),
      h(
        "p",
        { className: "faint" },
        `At the class prior of the ${calibration.measured_on} (${share(calibration.prior)} lenses; scores are for ${share(calibration.survey_prior)}) this score would be ${formatProbability(1 / (1 + Math.exp(-calibration.logit)))}. Of ${formatCount(here.count)} objects scored about like it, ${share(here.share)} were lenses (68 %: ${share(here.low)} to ${share(here.high)}).`
      )
    ];
  }
  ensembles(ensembles) {
    if (ensembles.length < 2) {
      return h("p", { className: "faint" }, "No other ensemble has scored this candidate.");
    }
    return h("table", { className: "ensembles" }, h("tbody", {}, ensembles.map((one, k) => {
      const before = ensembles[k + 1];
      const change = before === void 0 ? "" : signed2(one.logit - before.logit, 2);
      return h(
        "tr",
        {},
        h("td", { className: "faint" }, one.date),
        h(
          "td",
          { className: "name", title: one.promoted ? `${one.name}, promoted` : one.name },
          one.promoted ? "● " : "",
          one.name
        ),
        h("td", { className: "number" }, formatProbability(one.probability)),
        h("td", { className: "number faint", title: "Change of the logit since the ensemble below" }, change)
      );
    })));
  }
};
var signed2 = (value, digits) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
var binColumns = (bins) => Object.fromEntries(Object.entries({
  probability: "predicted_probability",
  share: "share_of_lenses",
  low: "share_low_68",
  high: "share_high_68",
  count: "objects"
}).map(([name, header]) => [header, bins.map((bin) => bin[name])]));
function reliabilityDiagram({ bins, logit, bin }) {
  const { width, height, left, right, top, bottom } = DIAGRAM;
  const fraction = (value) => (Math.max(-DIAGRAM_LOGIT, Math.min(DIAGRAM_LOGIT, value)) / DIAGRAM_LOGIT + 1) / 2;
  const ofProbability = (p) => fraction(logitOf(Math.min(1 - 1e-9, Math.max(1e-9, p))));
  const x = (f) => left + f * (width - left - right);
  const y = (f) => height - bottom - f * (height - top - bottom);
  const here = x(fraction(logit));
  return h(
    "svg",
    {
      class: "reliability",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": "Share of lenses among test objects against predicted probability; the line marks this score"
    },
    DIAGRAM_TICKS.map((p) => h(
      "g",
      { class: "tick" },
      h("line", { x1: x(ofProbability(p)), x2: x(ofProbability(p)), y1: y(0), y2: y(1) }),
      h("line", { x1: x(0), x2: x(1), y1: y(ofProbability(p)), y2: y(ofProbability(p)) }),
      h("text", { x: x(ofProbability(p)), y: height - 14, "text-anchor": "middle" }, String(p)),
      h("text", { x: left - 4, y: y(ofProbability(p)) + 3, "text-anchor": "end" }, String(p))
    )),
    h("line", { class: "diagonal", x1: x(0), x2: x(1), y1: y(0), y2: y(1) }),
    h("line", { class: "here", x1: here, x2: here, y1: y(0), y2: y(1) }),
    bins.map((one, k) => h(
      "g",
      { class: k === bin ? "bin chosen" : "bin" },
      h("line", {
        x1: x(ofProbability(one.probability)),
        x2: x(ofProbability(one.probability)),
        y1: y(ofProbability(one.low)),
        y2: y(ofProbability(one.high))
      }),
      h("circle", { cx: x(ofProbability(one.probability)), cy: y(ofProbability(one.share)), r: k === bin ? 4 : 2.8 })
    )),
    h("text", { class: "axis", x: x(0.5), y: height - 2, "text-anchor": "middle" }, "predicted probability, test objects"),
    h("text", { class: "axis", x: 9, y: y(0.5), "text-anchor": "middle", transform: `rotate(-90 9 ${y(0.5)})` }, "share of lenses")
  );
}

// app/review/panel_attention.js
var AttentionPanel = class {
  constructor(frame, choices, keep) {
    this.choices = choices;
    this.keep = keep;
    this.opened = false;
    this.list = [];
    this.key = null;
    this.image = h("img", { className: "attention-map", alt: "", hidden: true });
    frame.append(this.image);
    this.image.addEventListener("load", () => {
      this.image.hidden = !this.choices.overlay;
    });
    this.buttons = h("div", { className: "segments members-choice", role: "group", "aria-label": "Member" });
    this.overlay = h("input", { type: "checkbox", checked: choices.overlay, onchange: () => this.toggle() });
    this.opacity = h("input", {
      type: "range",
      min: 0.1,
      max: 1,
      step: 0.05,
      value: choices.opacity,
      "aria-label": "Opacity of the map",
      oninput: () => {
        this.choices.opacity = Number(this.opacity.value);
        this.style();
        this.keep();
      }
    });
    this.controls = h(
      "div",
      { className: "attention-controls" },
      h("label", {}, this.overlay, " On the picture ", h("kbd", {}, "z")),
      h("label", { className: "opacity" }, h("span", {}, "Opacity"), this.opacity)
    );
    this.methods = h("div", { className: "segments methods-choice", role: "group", "aria-label": "Map", hidden: true });
    this.body = h("div", { className: "attention-body", "aria-live": "polite" });
    this.node = h(
      "section",
      { className: "attention", "aria-label": "Attention" },
      this.buttons,
      this.controls,
      this.methods,
      this.body
    );
    this.style();
  }
  style() {
    this.image.style.opacity = String(this.choices.opacity);
  }
  // Another candidate: what belongs to the last one goes at once.
  candidate(row, catalog) {
    this.row = row;
    this.catalog = catalog;
    this.clear();
  }
  clear() {
    this.key = null;
    this.image.hidden = true;
    this.image.removeAttribute("src");
    this.body.classList.add("loading");
  }
  members(list) {
    if (list === void 0 || list === this.list) {
      return;
    }
    this.list = list;
    if (!list.some(({ name }) => name === this.choices.member)) {
      this.choices.member = (list.find(({ kind }) => kind === "network") ?? list[0])?.name ?? "";
      this.choices.method = "";
    }
    this.draw();
    if (this.opened || this.choices.overlay) {
      this.fetch();
    }
  }
  draw() {
    this.buttons.hidden = this.list.length < 2;
    this.buttons.replaceChildren(...this.list.map(({ name, kind }) => h("button", {
      type: "button",
      title: `${name} (${kind})`,
      "aria-pressed": String(name === this.choices.member),
      onclick: () => this.choose(name)
    }, name)));
    if (!this.list.length) {
      this.body.classList.remove("loading");
      this.body.replaceChildren(h("p", { className: "faint" }, "No ensemble has scored this candidate: nothing to explain."));
    }
  }
  choose(name) {
    this.choices.member = name;
    this.choices.method = "";
    this.keep();
    this.clear();
    this.draw();
    this.fetch();
  }
  // Maps of one member, where it has more than one.
  drawMethods({ method, methods = [] }) {
    this.methods.hidden = methods.length < 2;
    this.methods.replaceChildren(...methods.map(([name, title]) => h("button", {
      type: "button",
      "aria-pressed": String(name === method),
      onclick: () => this.use(name)
    }, title)));
  }
  use(method) {
    this.choices.method = method;
    this.keep();
    this.clear();
    this.fetch();
  }
  next() {
    if (!this.list.length) {
      return;
    }
    const at = this.list.findIndex(({ name }) => name === this.choices.member);
    this.choose(this.list[(at + 1) % this.list.length].name);
  }
  // The map is on the picture while the panel is open, unless somebody takes it away.
  open(opened) {
    if (opened === this.opened) {
      return;
    }
    this.opened = opened;
    this.lay(opened);
  }
  toggle() {
    this.lay(!this.choices.overlay);
    this.keep();
  }
  lay(shown) {
    this.choices.overlay = shown;
    this.overlay.checked = shown;
    this.image.hidden = !this.choices.overlay || !this.image.complete || !this.image.naturalWidth;
    this.fetch();
  }
  // Ask for what is wanted and not here; the server computes it when it is asked.
  async fetch() {
    const { row, catalog, choices } = this;
    if (row === void 0 || !(this.opened || choices.overlay) || !this.list.length) {
      return;
    }
    const base = `attention/${encodeURIComponent(choices.member)}/${encodeURIComponent(catalog.name)}/${row.index}`;
    const asked = `v=${row.version}${choices.method ? `&method=${choices.method}` : ""}`;
    const key = `${base}?${asked}`;
    if (this.key === key) {
      return;
    }
    this.key = key;
    let answer;
    try {
      const response = await fetch(`${base}/info?${asked}`);
      answer = response.ok ? await response.json() : { kind: "none", sentence: await response.text() };
    } catch {
      answer = { kind: "none", sentence: "The server does not answer; is it running?" };
    }
    if (this.key !== key) {
      return;
    }
    this.body.classList.remove("loading");
    this.body.replaceChildren(...this.explain(answer));
    this.drawMethods(answer);
    this.controls.classList.toggle("idle", answer.kind !== "map");
    if (answer.kind === "map") {
      this.image.src = key;
    }
  }
  explain(answer) {
    if (answer.kind === "map") {
      return [
        ...answer.scale ? [scaleBar2(answer.scale)] : [],
        ...answer.methods.length > 1 ? [] : [h("h3", {}, answer.title)],
        // else a button names it
        h("p", {}, answer.sentence),
        h("p", { className: "faint" }, `Raw logit ${signed2(answer.logit, 2)}. A map shows what a member used, not whether that is a lens.`)
      ];
    }
    if (answer.kind === "features") {
      return [h("h3", {}, "Features, in log-odds"), featureBars(answer)];
    }
    return [h("p", { className: "faint" }, answer.sentence)];
  }
};
function scaleBar2({ colors, low, high, unit }) {
  const last = colors.length - 1;
  const stops = colors.map((color, k) => `${color}${Math.round(255 * k / last).toString(16).padStart(2, "0")}`);
  const bar = h("span", { className: "scale-colors", "aria-hidden": "true" }, h("i", {}));
  bar.firstElementChild.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  return h(
    "div",
    { className: "scale-bar", role: "img", "aria-label": `Scale: ${low} to ${high} ${unit}` },
    bar,
    h("span", {}, low),
    h("span", { className: "faint" }, unit),
    h("span", {}, high)
  );
}
function featureBars({ rows, rest, n_rest, base, logit }) {
  const longest = Math.max(...rows.map((row) => Math.abs(row.log_odds)), Math.abs(rest), 1e-6);
  const line = (name, value, logOdds, kind, title) => {
    const bar = h("i", { className: logOdds < 0 ? "against" : "for" });
    bar.style.width = `${50 * Math.abs(logOdds) / longest}%`;
    return h(
      "div",
      { className: `contribution ${kind}`, title },
      h(
        "span",
        { className: "name" },
        name,
        value === "" ? null : h("small", {}, value)
      ),
      h("span", { className: "bar" }, kind === "sum" ? null : bar),
      h("span", { className: "value" }, signed2(logOdds, 2))
    );
  };
  return h(
    "div",
    { className: "contributions" },
    rows.map((row) => {
      const value = row.value === null ? "" : `${formatFeature(row.value)}${row.unit ? ` ${row.unit}` : ""}`;
      return line(row.name, value, row.log_odds, "", `${row.name}${value && ` = ${value}`}: ${signed2(row.log_odds, 3)} log-odds`);
    }),
    n_rest ? line(`${formatCount(n_rest)} others`, "", rest, "rest", "Sum of all other features") : null,
    line("Base", "", base, "sum", "Of an average object"),
    line("Raw logit", "", logit, "sum total", "Before calibration")
  );
}
function formatFeature(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

// app/review/panel_context.js
var MATCH_WORDS = { matched: "matched", review: "to be looked at" };
var ContextPanel = class {
  constructor(host, choices, keep) {
    this.host = host;
    this.choices = choices;
    this.keep = keep;
    this.shown = null;
    this.node = h("section", { className: "context", "aria-label": "Context" });
  }
  clear() {
    this.shown = null;
    this.node.replaceChildren();
  }
  show(row, answer) {
    this.node.classList.toggle("loading", answer === void 0);
    if (answer === void 0 || answer === this.shown) {
      return;
    }
    this.shown = answer;
    this.node.replaceChildren(
      fold("Look-alikes with a label", ...this.part(answer.neighbors, (part) => this.neighbors(part))),
      fold("Cross-matches", ...this.part(answer.counterparts, ({ found }) => this.counterparts(found))),
      fold("On the sky", ...this.part(answer.links, ({ found }) => this.sky(row, found)))
    );
  }
  // Each part stands alone: what fails in one is said there, and the others are shown.
  part(answer, draw) {
    if (answer.failure !== void 0) {
      return [h("p", { className: "failure", role: "alert" }, answer.failure)];
    }
    try {
      return draw(answer);
    } catch (error) {
      console.error(error);
      return [h("p", { className: "failure", role: "alert" }, "This part could not be shown; the browser's console says why.")];
    }
  }
  neighbors({ sentence, found, member, n_labeled, left_out }) {
    if (sentence !== void 0) {
      return [h("p", { className: "faint" }, sentence)];
    }
    if (!found.length) {
      return [h(
        "p",
        { className: "faint" },
        "No candidate with an embedding of this network is labeled yet; grade some candidates, or import labels."
      )];
    }
    const group = (title, isLens) => {
      const some = found.filter((one) => one.is_lens === isLens);
      return h("div", { className: "alike" }, h("h4", {}, title), some.length ? h("div", { className: "cutouts" }, some.map((one) => this.cutout(one))) : h("p", { className: "faint" }, "none is labeled"));
    };
    const out = left_out ? `; ${formatCount(left_out)} more are left out` : "";
    return [group("Lenses", true), group("Not lenses", false), h(
      "p",
      { className: "faint" },
      `Nearest of ${formatCount(n_labeled)} labeled candidates${out}, by the cosine of embeddings of ${member}.`
    )];
  }
  cutout(one) {
    const catalog = this.host.catalogs.get(one.catalog_id);
    if (catalog === void 0) {
      return null;
    }
    return h(
      "a",
      {
        className: "cutout",
        href: `review?candidate=${one.id}`,
        title: `${one.object_id}, ${one.catalog}: similarity ${one.similarity.toFixed(3)}`
      },
      picture({ src: tileUrl(catalog, one, null, { preset: "auto" }, 96), alt: one.object_id, loading: "lazy", width: 64, height: 64 }),
      h("span", {}, one.similarity.toFixed(2))
    );
  }
  counterparts(counterparts) {
    if (!counterparts.length) {
      return [h(
        "p",
        { className: "faint" },
        "No counterpart in the references that its catalog was matched with. ",
        h("a", { href: "crossmatch" }, "Cross-match")
      )];
    }
    return [h("ul", { className: "counterparts" }, counterparts.map((one) => h(
      "li",
      { className: one.status },
      h("strong", {}, one.name || "unnamed"),
      h("span", {}, ` ${one.title}`),
      h("div", { className: "faint" }, [
        one.separation_arcsec === null ? "" : `${one.separation_arcsec.toFixed(2)}″`,
        MATCH_WORDS[one.status] ?? one.status,
        one.reason
      ].filter(Boolean).join(", "))
    )))];
  }
  sky(row, links) {
    if (!links.length) {
      return [h("p", { className: "faint" }, "The catalog gives no position.")];
    }
    return [
      h("p", { className: "links" }, links.map(({ name, href }) => h("a", { href, target: "_blank", rel: "noopener noreferrer" }, name))),
      ...this.field(row)
    ];
  }
  // A picture from a survey service, which learns the position: asked for by the user alone.
  field(row) {
    const box = h("div", { className: "wide-field" });
    const always = h("input", { type: "checkbox", checked: this.choices.field === true, onchange: () => {
      this.choices.field = always.checked;
      this.keep();
      if (always.checked) {
        load();
      }
    } });
    const load = async () => {
      box.replaceChildren(h("p", { className: "faint" }, "Asking the survey service…"));
      try {
        const response = await fetch(`wide-field/${row.id}`);
        if (response.headers.get("Content-Type") !== "image/jpeg") {
          throw new Error((await response.json()).error);
        }
        const url = URL.createObjectURL(await response.blob());
        const width = response.headers.get("X-Field-Arcmin");
        const survey = response.headers.get("X-Field-Survey");
        const image = h("img", { src: url, alt: "Wider field", onload: () => URL.revokeObjectURL(url) });
        const square = h("span", { className: "footprint" });
        square.style.width = square.style.height = `${100 * Number(response.headers.get("X-Cutout-Fraction"))}%`;
        box.replaceChildren(
          h("div", { className: "field-picture" }, image, square),
          h("p", { className: "faint" }, `${survey}, ${width}′ wide, north up; the square is the cutout.`)
        );
      } catch (error) {
        box.replaceChildren(h("p", { className: "faint" }, error instanceof TypeError ? "The server does not answer; is it running?" : error.message));
      }
    };
    if (this.choices.field === true) {
      load();
    } else {
      box.append(h("button", { type: "button", onclick: load }, "Show the wider field"));
    }
    return [box, h(
      "label",
      {
        className: "faint always",
        title: "The service of the CDS is sent the position of every candidate whose context you open"
      },
      always,
      " Always; sends positions to CDS, Strasbourg"
    )];
  }
};

// app/review/drafts.js
var DRAFT_KEY = "lens-triage-draft";
var Drafts = class {
  /**
   * @param {string} place whose they are: workspace and grader
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} storage
   */
  constructor(place, storage) {
    this.prefix = `${DRAFT_KEY}:${place}`;
    this.storage = storage;
    this.unstored = /* @__PURE__ */ new Map();
  }
  /** @returns {string} */
  of(candidate, field) {
    const key = this.key(candidate, field);
    try {
      return this.unstored.get(key) ?? this.storage.getItem(key) ?? "";
    } catch {
      return "";
    }
  }
  // Keep a text; an empty one is forgotten.
  keep(candidate, field, text) {
    const key = this.key(candidate, field);
    this.unstored.delete(key);
    try {
      if (text) {
        this.storage.setItem(key, text);
      } else {
        this.storage.removeItem(key);
      }
    } catch {
      if (text) {
        this.unstored.set(key, text);
      }
    }
  }
  key(candidate, field) {
    return `${this.prefix}:${candidate}:${field}`;
  }
};

// app/review/auto_advance.js
var KEY2 = "lens-triage.review.advance";
var AutoAdvance = class {
  /**
   * @param {Pick<Storage, "getItem" | "setItem">} storage
   * @param {string} preferred "on" or "off"; "": as the browser was left
   */
  constructor(storage, preferred = "") {
    this.storage = storage;
    this.graded = null;
    this.came = null;
    this.on = false;
    try {
      this.on = storage.getItem(KEY2) === "on";
    } catch {
    }
    if (preferred) {
      this.on = preferred === "on";
    }
  }
  toggle() {
    this.on = !this.on;
    try {
      this.storage.setItem(KEY2, this.on ? "on" : "off");
    } catch {
    }
  }
  // A candidate was graded; whether the next one is to be shown.
  given(candidate) {
    this.graded = this.on ? candidate : null;
    return this.on;
  }
  // Another candidate is shown, by itself or because it was asked for.
  shows(candidate) {
    this.came = this.graded === null ? null : { from: this.graded, to: candidate };
    this.graded = null;
  }
  // The candidate whose grade is meant to be taken back: the one that is shown, or, where that has none and a
  // grade has just led here, the one that was graded.
  toUndo(shown, own) {
    return !own && this.came?.to === shown ? this.came.from : shown;
  }
};

// app/review/own_grades.js
var OwnGrades = class {
  constructor() {
    this.stored = /* @__PURE__ */ new Map();
    this.askedAt = /* @__PURE__ */ new Map();
    this.given = /* @__PURE__ */ new Map();
  }
  // The grade that stands: {uuid, grade}; null where there is none, undefined where that is not known.
  of(candidate) {
    const local = this.given.get(candidate);
    if (local?.grades.length) {
      return local.grades.at(-1);
    }
    const stored = this.stored.get(candidate);
    return local?.undone.has(stored?.uuid) ? null : stored;
  }
  give(candidate, grade) {
    const local = this.local(candidate);
    local.grades.push(grade);
    local.pending += 1;
  }
  // Take back the grade that stands; the one before it stands again.
  undo(candidate) {
    const local = this.local(candidate);
    const taken = local.grades.pop() ?? this.stored.get(candidate);
    if (taken) {
      local.undone.add(taken.uuid);
    }
    local.pending += 1;
  }
  // The server has said what became of an event; of one that it refused, nothing is believed.
  settled(candidate, at, refused) {
    const local = this.given.get(candidate);
    if (local === void 0) {
      return;
    }
    local.pending -= 1;
    local.settledAt = at;
    if (refused) {
      this.given.delete(candidate);
    }
  }
  isPending(candidate) {
    return (this.given.get(candidate)?.pending ?? 0) > 0;
  }
  // What the server answered to a question that was asked at a moment: it knows what was settled by then.
  // An answer to an earlier question than the last one, such as a page fetched ahead, says nothing.
  heard(candidate, stored, askedAt) {
    if (askedAt < (this.askedAt.get(candidate) ?? -Infinity)) {
      return;
    }
    this.askedAt.set(candidate, askedAt);
    this.stored.set(candidate, stored);
    const local = this.given.get(candidate);
    if (local !== void 0 && local.pending === 0 && askedAt > local.settledAt) {
      this.given.delete(candidate);
    }
  }
  local(candidate) {
    if (!this.given.has(candidate)) {
      this.given.set(candidate, { grades: [], undone: /* @__PURE__ */ new Set(), pending: 0, settledAt: 0 });
    }
    return this.given.get(candidate);
  }
};

// app/review/remarks.js
var Remarks = class {
  constructor() {
    this.given = /* @__PURE__ */ new Map();
  }
  // Count an event as said, once.
  add(event) {
    const given = this.given.get(event.candidate) ?? [];
    if (given.some((one) => one.event.uuid === event.uuid)) {
      return false;
    }
    this.given.set(event.candidate, [...given, { event, settledAt: null }]);
    return true;
  }
  // The server has said what became of an event; one that it refused was never said.
  settled(event, at, refused) {
    const given = this.given.get(event.candidate) ?? [];
    this.keep(event.candidate, given.flatMap((one) => one.event.uuid !== event.uuid ? [one] : refused ? [] : [{ event: one.event, settledAt: at }]));
  }
  // The server has answered a question that was asked at a moment: it knows what was settled by then.
  heard(candidate, askedAt) {
    const given = this.given.get(candidate) ?? [];
    this.keep(candidate, given.filter(({ settledAt }) => settledAt === null || settledAt >= askedAt));
  }
  keep(candidate, given) {
    if (given.length) {
      this.given.set(candidate, given);
    } else {
      this.given.delete(candidate);
    }
  }
  // What the answers of the server do not hold yet, in the order in which it was said.
  of(candidate) {
    return (this.given.get(candidate) ?? []).map(({ event }) => event);
  }
  isPending(candidate) {
    return (this.given.get(candidate) ?? []).some(({ settledAt }) => settledAt === null);
  }
  // The stage of a candidate that the server has at `stage`.
  stage(candidate, stage) {
    return this.of(candidate).findLast(({ kind }) => kind === "stage")?.stage ?? stage;
  }
  // Its tags, of which the server has these; whatever the case of letters, a tag is there once.
  tags(candidate, tags) {
    const same = (a, b) => a.toLowerCase() === b.toLowerCase();
    return this.of(candidate).reduce((now, { kind, tag }) => {
      if (kind === "untag") {
        return now.filter((one) => one !== tag);
      }
      return kind === "tag" && !now.some((one) => same(one, tag)) ? [...now, tag] : now;
    }, tags);
  }
};
function inThreads(entries) {
  const notes = new Set(entries.map(({ note }) => note));
  const isAnswer = ({ reply_to: root }) => root != null && notes.has(root);
  return entries.filter((entry) => !isAnswer(entry)).flatMap((entry) => [
    entry,
    ...entry.note == null ? [] : entries.filter((one) => isAnswer(one) && one.reply_to === entry.note).reverse()
  ]);
}

// app/review/panel_history.js
var BEYOND = "Not graded: the list has ended";
var FIELDS = ["note", "tag"];
var NOTE_HINT = "Write a note; @name shows it to that grader";
var DONE = {
  note: () => "Note saved",
  tag: () => "Tagged",
  untag: () => "Tag removed",
  stage: ({ stage }) => `Moved to ${stage}`
};
var STAGE_STEPS = [
  ["d", "detection"],
  ["t", "triage"],
  ["v", "validation"],
  ["c", "confirmation"]
];
var READS = "You are a reader: ask an organizer for another role to grade, move, tag and write notes.";
var HistoryPanel = class {
  constructor(host) {
    this.host = host;
    this.answer = void 0;
    this.wasBeyond = false;
    this.own = new OwnGrades();
    this.remarks = new Remarks();
    this.prompt = new Prompt();
    const { grader, grades, reasons } = host.start;
    this.grader = grader;
    this.reasons = reasons;
    this.grades = grades;
    this.status = h("span", { className: "save-state", role: "status" });
    this.buttons = new Map(grades.map(({ key, title }) => [key, h("button", {
      type: "button",
      className: "grade",
      title: `${key}: ${title} (key ${host.gradeKeys?.[key] ?? `a, then ${key.toLowerCase()}; or ${key}`})`,
      "aria-pressed": "false",
      onclick: () => this.give(key)
    }, key)]));
    this.stage = h("button", {
      type: "button",
      className: "stage-button",
      title: "Move to a stage (key M)",
      onclick: () => this.askStage()
    });
    const preferences = preferencesOf(host.start.preferences?.general ?? null);
    this.advance = new AutoAdvance(browserStorage, preferences.advance);
    this.advanceBox = h("input", { type: "checkbox", checked: this.advance.on, onchange: () => this.toggleAdvance() });
    this.advanceChoice = h("label", {
      className: "advance",
      hidden: grader === null,
      title: "Go to the next candidate after a grade (key J)"
    }, this.advanceBox, "Next after a grade");
    const step2 = (label, text, way) => h("button", {
      type: "button",
      className: "step",
      title: label,
      ariaLabel: label,
      onclick: () => host.step(way)
    }, text);
    this.footer = h(
      "footer",
      { className: "verdict" },
      this.prompt.node,
      step2("Previous candidate (key k)", "‹", -1),
      grader === null ? this.signIn() : h("div", { className: "verdict-row" }, h(
        "span",
        { className: "segments", role: "group", "aria-label": "Your grade" },
        [...this.buttons.values()]
      ), this.status, h("span", { className: "spacer" }), this.stage),
      step2("Next candidate (key j)", "›", 1)
    );
    this.tags = h("div", { className: "tags" });
    this.tag = h("input", { type: "text", maxLength: 64, placeholder: "Add a tag", "aria-label": "Add a tag (key T)" });
    this.known = h("datalist", { id: "known-tags" });
    this.tag.setAttribute("list", "known-tags");
    this.note = h("textarea", { rows: 2, maxLength: 4e3, placeholder: NOTE_HINT, "aria-label": "Write a note (key N)" });
    this.replyTo = null;
    this.entries = h("ol", { className: "entries" });
    this.form = h(
      "div",
      { className: "say" },
      h(
        "form",
        { className: "tag-form", onsubmit: (event) => {
          event.preventDefault();
          this.addTag();
        } },
        this.tag,
        this.known,
        h("button", { type: "submit" }, "Tag")
      ),
      h(
        "form",
        { className: "note-form", onsubmit: (event) => {
          event.preventDefault();
          this.addNote();
        } },
        this.note,
        h("button", { type: "submit", title: "Ctrl+Enter" }, "Save note")
      )
    );
    this.note.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        this.addNote();
      }
      if (event.key === "Escape") {
        this.note.blur();
      }
    });
    this.tag.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.tag.blur();
      }
    });
    this.form.hidden = grader === null;
    this.drafts = new Drafts(`${host.start.workspace}:${grader?.id}`, browserStorage);
    for (const field of FIELDS) {
      this[field].addEventListener("input", () => {
        if (this.row !== void 0) {
          this.drafts.keep(this.row.id, field, this[field].value);
        }
      });
    }
    this.node = h("section", { className: "history", "aria-label": "History" }, this.tags, this.form, this.entries);
  }
  signIn() {
    if (this.host.start.reads) {
      return h("p", { className: "sign-in faint" }, READS);
    }
    return h("p", { className: "sign-in faint" }, h("a", { href: "#", onclick: (event) => {
      event.preventDefault();
      document.dispatchEvent(new CustomEvent("lens-triage-sign-in"));
    } }, "Sign in"), " to grade, move, tag and write notes.");
  }
  candidate(row) {
    this.row = row;
    this.since = performance.now();
    this.advance.shows(row.id);
    this.prompt.close();
    this.answer = void 0;
    for (const field of FIELDS) {
      this[field].value = this.drafts.of(row.id, field);
    }
    this.wasBeyond = false;
    this.say("", "");
  }
  show(row, answer) {
    this.drawStage(row.stage);
    for (const node of [this.tags, this.entries]) {
      node.classList.toggle("loading", answer === void 0);
    }
    if (answer !== void 0) {
      this.own.heard(row.id, answer.own, answer.asked);
      this.host.graded(row.id);
    }
    this.press(this.own.of(row.id)?.grade ?? null);
    if (answer === void 0 || answer === this.answer) {
      return;
    }
    this.answer = answer;
    this.drawAnswer();
  }
  // What the server said, and what it does not know yet.
  drawAnswer() {
    const { answer, row } = this;
    if (answer === void 0 || row === void 0) {
      return;
    }
    const tags = this.remarks.tags(row.id, answer.tags);
    this.tags.replaceChildren(...tags.map((tag) => h(
      "span",
      { className: "tag" },
      tag,
      this.grader === null ? null : h("button", {
        type: "button",
        "aria-label": `Remove the tag ${tag}`,
        onclick: () => this.tell("untag", { tag })
      }, "×")
    )));
    this.known.replaceChildren(...answer.known_tags.filter((tag) => !tags.includes(tag)).map((value) => h("option", { value })));
    const entries = [
      ...this.remarks.of(row.id).reverse().map((event) => this.unsaved(event)),
      ...inThreads(answer.entries).map((entry) => historyEntry(entry, this.grader && ((note) => this.answerTo(note))))
    ];
    if (answer.blind?.length) {
      entries.unshift(h(
        "li",
        { className: "faint" },
        `Grades of others are shown when ${answer.blind.join(", ")} is closed: this candidate is graded blind there.`
      ));
    }
    this.entries.replaceChildren(...entries.length ? entries : [h("li", { className: "faint" }, "Nobody has graded, tagged or moved this candidate yet.")]);
  }
  // An entry of the history that is on its way to the server.
  unsaved(event) {
    const value = event.stage ?? event.tag ?? "";
    return historyEntry({
      kind: event.kind,
      who: this.grader.name,
      value,
      before: event.expected ?? "",
      text: event.text ?? "",
      at: event.given_at,
      reason: this.reasons.find(({ key }) => key === event.reason)?.title
    });
  }
  drawStage(stage) {
    this.stage.textContent = stage;
    this.stage.classList.toggle("rejected", stage === "rejected");
  }
  press(grade) {
    for (const [key, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(key === grade));
    }
  }
  clear() {
    this.row = void 0;
    this.prompt.close();
    this.answerTo(null);
    for (const field of FIELDS) {
      this[field].value = "";
    }
    this.tags.replaceChildren();
    this.entries.replaceChildren();
  }
  remove() {
    this.prompt.close();
  }
  focus(field) {
    if (this.grader === null) {
      return this.refuse();
    }
    this[field].focus();
  }
  refuse() {
    if (this.host.start.reads) {
      return this.host.notify(READS);
    }
    document.dispatchEvent(new CustomEvent("lens-triage-sign-in"));
  }
  // --- doing ------------------------------------------------------------------------------------
  askGrade() {
    if (this.grader === null) {
      return this.refuse();
    }
    if (this.row === void 0) {
      return;
    }
    this.prompt.ask("Grade", this.grades.map(({ key, title }) => [key.toLowerCase(), title, () => this.give(key)]));
  }
  give(grade) {
    if (this.grader === null) {
      return this.refuse();
    }
    if (this.row === void 0) {
      return;
    }
    if (this.host.isPast()) {
      this.wasBeyond = true;
      this.say(BEYOND, "bad");
      return;
    }
    const event = this.event("grade", { grade, shown_ms: Math.round(performance.now() - this.since), view: this.host.record() });
    this.own.give(this.row.id, { uuid: event.uuid, grade });
    this.submit(event);
    if (this.advance.given(this.row.id)) {
      this.host.step(1);
    }
  }
  undo() {
    if (this.grader === null) {
      return this.refuse();
    }
    if (this.row === void 0) {
      return;
    }
    const before = this.advance.toUndo(this.row.id, this.own.of(this.row.id));
    if (before !== this.row.id) {
      this.host.open(before);
      if (before !== this.row?.id) {
        return;
      }
    }
    const own = this.own.of(this.row.id);
    if (own === null) {
      this.say("You have no grade to undo", "");
      return;
    }
    const event = this.event("undo", { undoes: own?.uuid ?? null });
    this.own.undo(this.row.id);
    this.submit(event);
  }
  toggleAdvance() {
    this.advance.toggle();
    this.advanceBox.checked = this.advance.on;
    this.advanceBox.blur();
  }
  event(kind, more) {
    return this.eventOf(kind, this.row, more);
  }
  // An event of any row; what it says of the candidate is in `more`.
  eventOf(kind, row, more) {
    const event = { uuid: crypto.randomUUID(), kind, candidate: row.id, given_at: (/* @__PURE__ */ new Date()).toISOString(), ...more };
    return isRemark(event) ? event : { ...event, ensemble_id: this.host.ensemble() };
  }
  // Give and say many things at once; they stand at once. `rows`: those of the candidates, by id.
  submitAll(events, rows) {
    for (const event of events) {
      const row = rows.get(event.candidate);
      if (event.kind === "grade") {
        this.own.give(row.id, { uuid: event.uuid, grade: event.grade });
      } else if (event.kind === "undo") {
        this.own.undo(row.id);
      } else {
        this.remarks.add(event);
        if (event.kind === "stage") {
          row.stage = event.stage;
          this.host.changed(row);
        }
      }
      this.host.graded(row.id);
    }
    this.host.outbox.add(events);
  }
  submit(event) {
    this.say("Saving…", "");
    this.press(this.own.of(this.row.id)?.grade ?? null);
    this.host.graded(this.row.id);
    this.host.outbox.add([event]);
  }
  // The server has said what became of an event of this page.
  settled(event, told) {
    if (isRemark(event)) {
      this.settledRemark(event, told);
    } else {
      this.settledGrade(event, told);
    }
  }
  settledRemark(event, { refused }) {
    const { candidate, kind } = event;
    this.remarks.settled(event, performance.now(), refused !== void 0);
    if (refused !== void 0) {
      this.takeBack(candidate, kind, event.text ?? event.tag);
    }
    if (candidate !== this.row?.id) {
      return;
    }
    if (refused !== void 0) {
      this.say("Not saved", "bad");
    } else if (!this.remarks.isPending(candidate)) {
      this.say(DONE[kind](event), "good");
    }
    this.drawAnswer();
  }
  // What was refused stands in its field again, unless something else was written there meanwhile.
  takeBack(candidate, field, text) {
    if (!FIELDS.includes(field) || this.drafts.of(candidate, field)) {
      return;
    }
    this.drafts.keep(candidate, field, text);
    if (candidate === this.row?.id) {
      this[field].value = text;
    }
  }
  settledGrade({ candidate, kind }, { refused }) {
    this.own.settled(candidate, performance.now(), refused !== void 0);
    if (refused !== void 0) {
      this.host.graded(candidate);
    }
    if (candidate !== this.row?.id) {
      return;
    }
    if (refused === void 0) {
      const isBeyond = this.host.isPast() && this.wasBeyond;
      if (isBeyond) {
        this.say(BEYOND, "bad");
      } else if (!this.own.isPending(candidate)) {
        this.say(kind === "undo" ? "Taken back" : "Saved", "good");
      }
    } else {
      this.say("Not saved", "bad");
      this.press(this.own.of(candidate)?.grade ?? null);
    }
  }
  outboxChanged(outbox) {
    const kept = [...outbox.waiting.values()].map(({ event }) => event).filter(isRemark);
    if (kept.filter((event) => this.remarks.add(event)).some(({ candidate }) => candidate === this.row?.id)) {
      this.drawAnswer();
    }
    const { id } = this.row ?? {};
    if (outbox.late && (this.own.isPending(id) || this.remarks.isPending(id))) {
      this.say("Not saved yet", "bad");
    }
  }
  askStage() {
    if (this.grader === null) {
      return this.refuse();
    }
    if (this.row === void 0) {
      return;
    }
    const now = this.row.stage;
    const reject = () => this.prompt.ask("Rejected as", this.reasons.map(({ key, title }, k) => [String(k + 1), title, () => this.move("rejected", key)]));
    this.prompt.ask(`Move from ${now} to`, [
      ...STAGE_STEPS.filter(([, stage]) => stage !== now).map(([key, stage]) => [key, stage, () => this.move(stage)]),
      ...now === "rejected" ? [] : [["r", "rejected…", reject]]
    ]);
  }
  move(stage, reason2 = null) {
    const { row } = this;
    this.tell("stage", { stage, reason: reason2, expected: row.stage });
    row.stage = stage;
    this.drawStage(stage);
    this.host.changed(row);
  }
  addTag() {
    this.tag.blur();
    this.write("tag", (tag) => ({ tag }));
  }
  addNote() {
    this.write("note", (text) => this.replyTo === null ? { text } : { text, reply_to: this.replyTo });
    this.answerTo(null);
  }
  // What is written next answers a note, or none.
  answerTo(entry) {
    this.replyTo = entry?.note ?? null;
    this.note.placeholder = entry === null ? NOTE_HINT : `Answer ${entry.who}`;
    if (entry !== null) {
      this.note.focus();
    }
  }
  // Say what stands in a field; the outbox keeps it from then on.
  write(field, fields) {
    const text = this[field].value.trim();
    if (!text || this.row === void 0) {
      return;
    }
    this.tell(field, fields(text));
    this.drafts.keep(this.row.id, field, "");
    this[field].value = "";
    this[field].blur();
  }
  // Say something of the candidate: it stands at once.
  tell(kind, fields) {
    const event = this.event(kind, fields);
    this.remarks.add(event);
    this.say("Saving…", "");
    this.drawAnswer();
    this.host.outbox.add([event]);
  }
  say(text, kind) {
    this.status.textContent = text;
    this.status.className = `save-state ${kind}`;
  }
};
function historyEntry(entry, answer = null) {
  const when = new Date(entry.at);
  const what = {
    grade: () => ["graded ", h("b", {}, entry.value), entry.undone ? " (taken back)" : ""],
    undo: () => [`took back ${entry.value}`],
    skip: () => ["skipped"],
    flag: () => ["flagged"],
    unflag: () => ["took the flag away"],
    note: () => ["wrote"],
    tag: () => ["tagged ", h("span", { className: "tag" }, entry.value)],
    untag: () => ["took the tag ", h("span", { className: "tag" }, entry.value), " away"],
    stage: () => [`moved ${entry.before} → `, h("b", {}, entry.value)]
  }[entry.kind];
  const aside = [entry.reason, entry.place, entry.visible?.blind === true ? "blind" : ""].filter(Boolean).join(", ");
  const className = [entry.undone ? "undone" : "", entry.reply_to != null ? "reply" : ""].filter(Boolean).join(" ");
  return h(
    "li",
    { className },
    h("div", {}, h("strong", {}, entry.who), " ", what ? what() : [entry.kind], aside ? ` (${aside})` : ""),
    entry.text ? h("p", { className: "said" }, entry.text) : null,
    entry.note != null && answer ? h("button", { type: "button", className: "answer", onclick: () => answer(entry) }, "Answer") : null,
    entry.event ? h("a", {
      className: "answer",
      href: `replays/${entry.event}`,
      target: "_blank",
      rel: "noopener",
      title: "Show what this grader saw"
    }, "Replay") : null,
    h("time", { dateTime: entry.at, title: when.toISOString() }, when.toLocaleString("sv-SE").slice(0, 16))
  );
}

// app/review/panel.js
var PANEL_PAUSE_MS = 120;
var PANEL_STORE = "lens-triage.review.panel";
var FOLD_STORE = "lens-triage.review.folded";
var MOST_ANSWERS_KEPT = 300;
var TABS = [
  { name: "scores", title: "Scores", key: "q" },
  { name: "attention", title: "Attention", key: "e" },
  { name: "lens", title: "Lens", key: "m" },
  { name: "context", title: "Context", key: "n" },
  { name: "history", title: "History", key: "y" }
];
var PANEL_KEYS = { title: "Panels", keys: [
  { keys: ["q"], shown: "q", action: "tab_scores", text: "Scores and catalog" },
  { keys: ["e"], shown: "e", action: "tab_attention", text: "Attention: the evidence of a member" },
  { keys: ["m"], shown: "m", action: "lensTest", text: "Lens test: fit a simple lens" },
  { keys: ["n"], shown: "n", action: "tab_context", text: "Context: neighbors, cross-matches, sky" },
  { keys: ["y"], shown: "y", action: "tab_history", text: "History, notes, tags" },
  { keys: ["z"], shown: "z", action: "overlay", text: "Show or hide the attention on the picture" },
  { keys: ["Z"], shown: "Z", action: "nextMember", text: "Attention of the next member" }
] };
var GRADE_KEYS = { title: "Grade and move", keys: [
  { keys: ["a"], shown: "a", action: "grade", text: "Grade: then a, b, c or x" },
  { keys: ["A", "B", "C", "X"], shown: "A B C X", action: "gradeNow", text: "Give that grade at once" },
  { keys: ["u"], shown: "u", action: "undoGrade", text: "Take your grade back" },
  { keys: ["J"], shown: "J", action: "advance", text: "Go to the next candidate after a grade; again: stay" },
  { keys: ["M"], shown: "M", action: "move", text: "Move to a stage, or reject with a reason" },
  { keys: ["N"], shown: "N", action: "writeNote", text: "Write a note" },
  { keys: ["T"], shown: "T", action: "writeTag", text: "Add a tag" }
] };
function recall(name, fallback) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? fallback;
  } catch {
    return fallback;
  }
}
function store(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
  }
}
var FOLDED = new Set(recall(FOLD_STORE, []));
var SidePanel = class {
  // `host`: what the panels need of the view: start, catalogs, frame (the node of the large picture), viewer, and
  // functions ask(message, then, failed), notify(sentence), ensemble(), view(), details(), changed(row), graded(id), step(way), open(id), isPast();
  // and the outbox of grades, null while nobody is signed in.
  constructor(host) {
    this.host = host;
    this.row = void 0;
    this.choices = { tab: "scores", overlay: false, opacity: 0.6, member: "", method: "", field: false, ...recall(PANEL_STORE, {}) };
    this.answers = { score_context: /* @__PURE__ */ new Map(), context: /* @__PURE__ */ new Map(), history: /* @__PURE__ */ new Map() };
    this.asked = { score_context: null, context: null, history: null };
    this.scores = new ScorePanel();
    this.scoreContext = new ScoreContextPanel();
    this.metadata = new MetadataTable(() => this.host.details());
    this.attention = new AttentionPanel(host.frame, this.choices, () => this.keep());
    this.lens = new LensPanel(
      {
        viewer: host.viewer,
        ask: (row, asked) => post("lens-test", { candidate: row.id, ...asked }),
        below: new LensModelSection((row, asked) => post("lens-model", { candidate: row.id, ...asked }))
      },
      this.choices,
      () => this.keep()
    );
    this.context = new ContextPanel(host, this.choices, () => this.keep());
    this.history = new HistoryPanel(host);
    this.fetch = debounce(() => this.ask(), PANEL_PAUSE_MS);
    const panes = {
      scores: [this.scores.node, this.scoreContext.node, this.metadata.node, this.scoreContext.more],
      attention: [this.attention.node],
      lens: [this.lens.node],
      context: [this.context.node],
      history: [this.history.node]
    };
    this.tabs = new Map(TABS.map(({ name, title, key }) => [name, h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${name}`,
        title: `${title} (key ${key})`,
        "aria-controls": `pane-${name}`,
        onclick: () => this.choose(name)
      },
      title
    )]));
    this.panes = new Map(TABS.map(({ name }) => [name, h(
      "div",
      { className: "pane", role: "tabpanel", id: `pane-${name}`, "aria-labelledby": `tab-${name}` },
      panes[name]
    )]));
    this.node = h(
      "aside",
      { className: "side", "aria-label": "Scores, context and history" },
      h("div", { className: "tabs", role: "tablist" }, [...this.tabs.values()]),
      h("div", { className: "panes" }, [...this.panes.values()]),
      this.history.footer
    );
    this.choose(this.panes.has(this.choices.tab) ? this.choices.tab : "scores");
  }
  actions() {
    const tabs = Object.fromEntries(TABS.map(({ name }) => [`tab_${name}`, () => this.choose(name)]));
    const write = (field) => {
      this.choose("history");
      this.history.focus(field);
    };
    return {
      ...tabs,
      lensTest: () => {
        this.choose("lens");
        this.lens.run();
      },
      overlay: () => this.attention.toggle(),
      nextMember: () => {
        this.choose("attention");
        this.attention.next();
      },
      grade: () => this.history.askGrade(),
      gradeNow: (key) => this.history.give(key),
      advance: () => this.history.toggleAdvance(),
      undoGrade: () => this.history.undo(),
      move: () => this.history.askStage(),
      writeNote: () => write("note"),
      writeTag: () => write("tag")
    };
  }
  keep() {
    store(PANEL_STORE, this.choices);
  }
  choose(name) {
    this.choices.tab = name;
    for (const [tab, button] of this.tabs) {
      button.setAttribute("aria-selected", String(tab === name));
      this.panes.get(tab).hidden = tab !== name;
    }
    this.attention.open(name === "attention");
    this.lens.open(name === "lens");
    this.keep();
    this.draw();
    this.fetch();
  }
  // Show what is here of a candidate at once; ask for the rest after a pause.
  show(row, details, truth) {
    const other = row !== this.row;
    this.row = row;
    this.details = details;
    this.truth = truth;
    if (other) {
      this.asked = { score_context: null, context: null, history: null };
      this.attention.candidate(row, this.host.catalogs.get(row.catalog_id));
      this.lens.candidate(row);
      this.history.candidate(row);
    }
    this.draw();
    this.fetch();
  }
  draw() {
    const { row, details } = this;
    if (row === void 0) {
      return;
    }
    const scoreContext = this.answer("score_context");
    this.attention.members(details?.members);
    if (this.choices.tab === "scores") {
      this.scores.show(row, details, scoreContext?.interval);
      this.scoreContext.show(row, scoreContext);
      this.metadata.show(row, details, this.truth);
    } else if (this.choices.tab === "context") {
      this.context.show(row, this.answer("context"));
    }
    this.history.show(row, this.answer("history"));
  }
  ownGrade(id) {
    return this.history.own.of(id);
  }
  // What a page of the list says of the person's grades.
  heardRows(rows) {
    for (const row of rows) {
      this.history.own.heard(row.id, row.own, row.asked ?? 0);
    }
  }
  key(row) {
    return `${row.id}/${this.host.ensemble()}`;
  }
  answer(type) {
    return this.answers[type].get(this.key(this.row));
  }
  ask() {
    if (this.row === void 0) {
      return;
    }
    this.attention.fetch();
    const wanted = ["history"];
    if (this.choices.tab === "scores" && this.row.probability !== void 0) {
      wanted.push("score_context");
    }
    if (this.choices.tab === "context") {
      wanted.push("context");
    }
    for (const type of wanted) {
      const key = this.key(this.row);
      if (this.asked[type] === key || type !== "history" && this.answers[type].has(key)) {
        continue;
      }
      this.asked[type] = key;
      const asked = performance.now();
      this.host.ask({ type, id: this.row.id, ensemble_id: this.host.ensemble() }, (answer) => {
        this.remember(type, key, { ...answer, asked });
      });
    }
  }
  remember(type, key, answer) {
    const kept = this.answers[type];
    if (kept.size > MOST_ANSWERS_KEPT) {
      kept.clear();
    }
    kept.set(key, answer);
    const { row } = this;
    if (type === "history") {
      this.history.remarks.heard(answer.id, answer.asked);
    }
    if (type === "history" && row !== void 0 && row.id === answer.id) {
      row.tags = answer.tags;
      const stage = this.history.remarks.stage(row.id, answer.stage);
      if (row.stage !== stage) {
        row.stage = stage;
        this.host.changed(row);
      }
    }
    if (this.row !== void 0 && key === this.key(this.row)) {
      this.draw();
    }
  }
  // Ask for the history again: it may have changed.
  refresh() {
    this.asked.history = null;
    this.fetch();
  }
  // The server has said what became of a grade or a remark.
  settled(event, told) {
    this.history.settled(event, told);
    if (event.candidate === this.row?.id) {
      this.refresh();
    }
  }
  outboxChanged(outbox) {
    this.history.outboxChanged(outbox);
  }
  // What was asked while the server was away got no answer.
  serverIsBack() {
    this.asked = { score_context: null, context: null, history: null };
    this.fetch();
  }
  clear() {
    this.row = void 0;
    this.attention.clear();
    this.lens.clear();
    this.history.clear();
    this.scoreContext.clear();
    this.context.clear();
    for (const part of [this.scores, this.metadata]) {
      part.node.replaceChildren();
    }
  }
  remove() {
    this.fetch.cancel();
    this.attention.clear();
    this.lens.remove();
    this.history.remove();
  }
};
function fold(title, ...children) {
  const node = h("details", { className: "fold", open: !FOLDED.has(title), ontoggle: () => {
    if (node.open) {
      FOLDED.delete(title);
    } else {
      FOLDED.add(title);
    }
    store(FOLD_STORE, [...FOLDED]);
  } }, h("summary", {}, title), ...children);
  return node;
}
var Prompt = class {
  constructor() {
    this.node = h("div", { className: "prompt", role: "dialog", hidden: true });
    this.onKey = (event) => this.press(event);
  }
  // `options`: [key, text, what to do]; `title` says what is asked.
  ask(title, options) {
    this.options = new Map(options.map(([key, , action]) => [key.toLowerCase(), action]));
    this.node.setAttribute("aria-label", title);
    this.node.replaceChildren(
      h("strong", {}, title),
      ...options.map(([key, text, action]) => h(
        "button",
        { type: "button", onclick: () => this.take(action) },
        h("kbd", {}, key),
        text
      )),
      h("button", { type: "button", className: "faint", onclick: () => this.close() }, h("kbd", {}, "Esc"), "Cancel")
    );
    if (this.node.hidden) {
      document.addEventListener("keydown", this.onKey, true);
    }
    this.node.hidden = false;
  }
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Shift") {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const action = this.options.get(event.key.toLowerCase());
    if (event.key === "Escape") {
      this.close();
    } else if (action !== void 0) {
      this.take(action);
    }
  }
  take(action) {
    this.close();
    action();
  }
  close() {
    this.node.hidden = true;
    document.removeEventListener("keydown", this.onKey, true);
  }
};

// app/review/bulk_bar.js
var BulkBar = class {
  /**
   * @param {any} start what the page began with
   * @param {object} host
   * @param {import("./gallery.js").Gallery} host.gallery
   * @param {import("./panel_history.js").HistoryPanel} host.history gives and takes back under the person's name
   * @param {(message: object, then: (answer: any) => void, failed?: (sentence: string) => void) => void} host.ask
   * @param {() => any} host.query of the list
   * @param {() => any} host.record settings of pictures, for the log
   * @param {(selection: any) => void} host.onChoose list a selection alone
   * @param {() => void} host.onCompare
   */
  constructor(start, host) {
    this.start = start;
    this.host = host;
    this.did = [];
    this.prompt = new Prompt();
    this.count = h("span", { className: "bulk-count", role: "status" });
    this.status = h("span", { className: "bulk-state", role: "status" });
    this.pending = /* @__PURE__ */ new Set();
    this.refused = 0;
    const button = (text, title, action) => h("button", { type: "button", title, onclick: action }, text);
    this.graded = h(
      "span",
      { className: "segments", role: "group", "aria-label": "Grade the selection" },
      start.grades.map((grade) => button(grade.key, `${grade.key}: ${grade.title} (key ${grade.key})`, () => this.grade(grade.key)))
    );
    this.undoButton = button("Undo", "Undo the last action (key u)", () => this.undo());
    this.tagForm = this.makeTagForm();
    this.node = h(
      "div",
      { className: "bulk-bar", hidden: true },
      this.prompt.node,
      this.tagForm,
      this.count,
      this.graded,
      button("Tag", "Tag the selection (key T)", () => this.askTag()),
      button("Stage", "Move the selection to a stage (key M)", () => this.askStage()),
      button("Export", "Export the selection, or list it alone (key E)", () => this.askExport()),
      button("Side by side", "Two to four candidates side by side (key S)", () => host.onCompare()),
      this.undoButton,
      h("span", { className: "spacer" }),
      this.status
    );
    this.show();
  }
  get rows() {
    return this.host.gallery.rows;
  }
  actions() {
    return {
      bulkGrade: (key) => this.grade(key),
      bulkTag: () => this.askTag(),
      bulkMove: () => this.askStage(),
      bulkExport: () => this.askExport(),
      bulkUndo: () => this.undo()
    };
  }
  // What is selected has changed.
  show() {
    const { selection } = this.host.gallery;
    const { size, here } = selection;
    this.count.textContent = size === 0 ? "Nothing selected" : size === here ? `${size} selected` : `${size} selected, ${here} on this page`;
    this.undoButton.disabled = this.did.length === 0;
  }
  // The list is another one: what was selected in it may no longer be in sight.
  forget() {
    this.host.gallery.selection.clear();
    this.close();
    this.show();
  }
  close() {
    this.prompt.close();
    this.tagForm.hidden = true;
  }
  // --- asking, then doing -----------------------------------------------------------------------
  signedIn() {
    if (this.start.reads) {
      return false;
    }
    if (this.start.grader === null) {
      document.dispatchEvent(new CustomEvent("lens-triage-sign-in"));
    }
    return this.start.grader !== null && this.rows.length > 0;
  }
  make(kind, row, fields) {
    return this.host.history.eventOf(kind, row, fields);
  }
  ownGrade(id) {
    return this.host.history.own.of(id);
  }
  tagsOf(row) {
    return this.host.history.remarks.tags(row.id, row.tags ?? []);
  }
  grade(key) {
    if (!this.signedIn()) {
      return;
    }
    const grade = this.start.grades.find((one) => one.key === key);
    const { rows } = this;
    const view = { ...this.host.record(), band: null, mode: "gallery", selected: rows.length };
    this.confirm(gradePlan(rows, grade, (id) => this.ownGrade(id), (...given) => this.make(...given), { view }));
  }
  askStage() {
    if (!this.signedIn()) {
      return;
    }
    const { rows } = this;
    const plan = (stage, reason2 = null) => this.confirm(stagePlan(rows, stage, reason2, (...given) => this.make(...given)));
    const reject = () => this.prompt.ask("Rejected as", this.start.reasons.map((reason2, k) => [String(k + 1), reason2.title, () => plan("rejected", reason2)]));
    this.prompt.ask(`Move ${rows.length === 1 ? "the candidate" : `${rows.length} candidates`} to`, [
      ...STAGE_STEPS.map(([key, stage]) => [key, stage, () => plan(stage)]),
      ["r", "rejected…", reject]
    ]);
  }
  makeTagForm() {
    this.tag = h("input", { type: "text", maxLength: 64, placeholder: "Tag", "aria-label": "Tag for the selection" });
    this.tag.setAttribute("list", "known-tags-of-all");
    this.knownTags = h("datalist", { id: "known-tags-of-all" });
    this.tag.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.close();
      }
    });
    this.tagTitle = h("strong", {});
    return h("form", { className: "prompt bulk-tag", hidden: true, onsubmit: (event) => {
      event.preventDefault();
      if (!this.tag.value.trim()) {
        return;
      }
      this.tagForm.hidden = true;
      this.tag.blur();
      this.confirm(tagPlan(this.rows, this.tag.value, (row) => this.tagsOf(row), (...given) => this.make(...given)));
    } }, this.tagTitle, h("span", { className: "tag-form" }, this.tag, this.knownTags, h("button", { type: "submit" }, "Tag…")));
  }
  askTag() {
    if (!this.signedIn()) {
      return;
    }
    this.prompt.close();
    const n = this.rows.length;
    this.tagTitle.textContent = n === 1 ? "Tag the candidate" : `Tag ${n} candidates`;
    this.tagForm.hidden = false;
    this.tag.value = "";
    this.tag.focus();
    this.host.ask({ type: "facets" }, ({ tags }) => this.knownTags.replaceChildren(...tags.map((value) => h("option", { value }))));
  }
  undo() {
    const last = this.did.at(-1);
    if (last === void 0 || !this.signedIn()) {
      return;
    }
    const rowOf = (id) => last.rows.get(id);
    const plan = undoPlan(last, rowOf, (id) => this.ownGrade(id), (row) => this.tagsOf(row), (...given) => this.make(...given));
    this.confirm(plan, () => {
      this.did.pop();
    }, [...last.rows.values()]);
  }
  // Say what would be written and how much of it; write when that is confirmed.
  confirm(plan, then = null, rows = this.rows) {
    if (!plan.events.length) {
      this.prompt.ask(`${plan.question} There is nothing to write.`, []);
      return;
    }
    const known = new Map(rows.map((row) => [row.id, row]));
    this.prompt.ask(plan.question, [["Enter", plan.doing, () => {
      this.write(plan, known);
      if (then === null) {
        this.did.push({ ...plan, rows: known });
      } else {
        then();
      }
      this.show();
    }]]);
  }
  write(plan, rows) {
    this.done = plan.done;
    this.refused = 0;
    for (const { uuid } of plan.events) {
      this.pending.add(uuid);
    }
    this.status.textContent = "Saving…";
    this.status.className = "bulk-state";
    this.host.history.submitAll(plan.events, rows);
  }
  // The server has said what became of an event.
  settled(event, { refused }) {
    if (!this.pending.delete(event.uuid)) {
      return;
    }
    if (refused !== void 0) {
      this.refused += 1;
    }
    if (this.pending.size) {
      return;
    }
    this.status.textContent = this.refused ? `${this.done}, but ${this.refused} refused` : this.done;
    this.status.className = `bulk-state ${this.refused ? "bad" : "good"}`;
  }
  askExport() {
    const { rows } = this;
    if (!rows.length) {
      return;
    }
    this.host.ask({ type: "keep_selection", ids: rows.map(({ id }) => id) }, ({ selection }) => {
      const query = this.host.query();
      const words = addressWords({
        ...this.start.defaults,
        ...NO_EXTRAS,
        ensemble_id: query.ensemble_id,
        sort: query.sort,
        descending: query.descending,
        selection: selection.id
      }, this.start, /* @__PURE__ */ new Map(), void 0);
      const save2 = (format) => h("a", { href: `export/${format.name}?${words}`, download: "" }).click();
      this.prompt.ask(`Export ${rows.length === 1 ? "1 candidate" : `${rows.length} candidates`} as`, [
        ...this.start.exports.map((format, k) => [exportKey(k), format.title, () => save2(format)]),
        ["l", "List these alone", () => this.host.onChoose(selection)]
      ]);
    }, (sentence) => {
      this.status.textContent = sentence;
      this.status.className = "bulk-state bad";
    });
  }
  remove() {
    this.close();
  }
};
var exportKey = (k) => k < 9 ? String(k + 1) : "abcdefghijk"[k - 9];

// app/review/compare.js
var MOST = 4;
var ZOOM_STEP2 = Math.SQRT2;
var PAN_STEP2 = 0.15;
var OPEN_COMPARE = { keys: ["S"], shown: "S", action: "compare", text: "Side by side: this candidate and the next, or those selected" };
var COMPARE_KEYS = { title: "Side by side", keys: [
  { keys: ["S", "Escape"], shown: "S Esc", action: "close", text: "Back" },
  { keys: ["j", "ArrowDown"], shown: "j ↓", action: "next", text: "One candidate on" },
  { keys: ["k", "ArrowUp"], shown: "k ↑", action: "previous", text: "One candidate back" },
  { keys: ["]"], shown: "]", action: "more", text: "One more beside them, up to four" },
  { keys: ["["], shown: "[", action: "fewer", text: "One less, down to two" },
  { keys: ["e"], shown: "e", action: "ensembles", text: "The first candidate under two ensembles; again: candidates" },
  { keys: ["o"], shown: "o", action: "own", text: "A stretch suited to each; again: the same for all" },
  { keys: ["z"], shown: "z", action: "attention", text: "Show or hide the attention of a member" },
  { keys: [..."123456789"], shown: "1 … 9", action: "band", text: "Show that band; again: color" },
  { keys: ["0"], shown: "0", action: "color", text: "Show the color pictures" },
  { keys: ["+", "="], shown: "+", action: "zoomIn", text: "Zoom in, all together (or the wheel)" },
  { keys: ["-", "_"], shown: "−", action: "zoomOut", text: "Zoom out" },
  {
    keys: ["Shift+ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"],
    shown: "Shift ↑↓←→",
    action: "pan",
    text: "Move the pictures (or drag one)"
  },
  { keys: ["f"], shown: "f", action: "fit", text: "Whole cutouts (or double click)" }
] };
function windowOf(rows, first, n, step2) {
  const last = Math.max(0, rows.length - n);
  const from = Math.min(last, Math.max(0, first + step2));
  return { first: from, rows: rows.slice(from, from + n) };
}
var Compare = class {
  /**
   * @param {any} start what the page began with
   * @param {Map<number, any>} catalogs by id
   * @param {object} host
   * @param {import("../viewer/tiles.js").TilePool} host.pool
   * @param {() => any} host.view
   * @param {() => number | null} host.ensemble
   * @param {(message: object, then: (answer: any) => void) => void} host.ask
   * @param {(id: number) => any} host.ownGrade
   * @param {(id: number) => void} host.onOpen
   */
  constructor(start, catalogs, host) {
    this.start = start;
    this.catalogs = catalogs;
    this.host = host;
    this.rows = [];
    this.first = 0;
    this.n = 2;
    this.own = false;
    this.attention = false;
    this.byEnsemble = false;
    this.left = this.right = null;
    this.band = null;
    this.cells = [];
    this.grid = h("div", { className: "compare-grid" });
    this.camera = new Camera(this.grid, () => {
    });
    const button = (text, title, action) => h("button", { type: "button", title, onclick: action }, text);
    this.title = h("h2", {}, "Side by side");
    this.ownButton = button("Own stretch", "A stretch suited to each picture (key o)", () => this.toggle("own"));
    this.ensemblesButton = button("Two ensembles", "The first candidate under two ensembles (key e)", () => this.toggle("byEnsemble"));
    if (start.ensembles.length < 2) {
      this.ensemblesButton.disabled = true;
      this.ensemblesButton.title = "Only one ensemble has scored candidates";
    }
    this.attentionButton = button("Attention", "Attention of a member, over the picture (key z)", () => this.toggle("attention"));
    this.fewer = button("−", "One candidate less (key [)", () => this.resize(-1));
    this.more = button("+", "One candidate more (key ])", () => this.resize(1));
    this.bands = h("span", { className: "segments", role: "group", "aria-label": "Band" });
    this.node = h(
      "section",
      { className: "compare", "aria-label": "Side by side", hidden: true },
      h(
        "header",
        {},
        this.title,
        h("span", { className: "segments", role: "group", "aria-label": "Number" }, this.fewer, this.more),
        this.bands,
        h("span", { className: "segments" }, this.ownButton, this.ensemblesButton, this.attentionButton),
        h("span", { className: "spacer" }),
        button("Close", "Back (Esc)", () => this.close())
      ),
      this.grid
    );
  }
  get shown() {
    return !this.node.hidden;
  }
  // Show rows of a list from one of them on; those that were selected all together.
  open(rows, first, n) {
    if (!rows.length) {
      return;
    }
    this.rows = rows;
    this.n = Math.max(1, Math.min(MOST, n));
    this.first = windowOf(rows, first, this.n, 0).first;
    this.band = null;
    this.byEnsemble = rows.length === 1 && this.start.ensembles.length > 1;
    this.node.hidden = false;
    this.camera.reset();
    this.build();
  }
  close() {
    this.node.hidden = true;
    this.grid.replaceChildren();
    this.cells = [];
  }
  toggle(name) {
    if (name === "byEnsemble" && this.start.ensembles.length < 2) {
      return;
    }
    this[name] = !this[name];
    this.build();
  }
  resize(step2) {
    this.n = Math.max(2, Math.min(MOST, this.n + step2));
    this.build();
  }
  step(step2) {
    this.first = windowOf(this.rows, this.first, this.byEnsemble ? 1 : this.n, step2).first;
    this.build();
  }
  showBand(number) {
    const band = this.bandNames[number - 1];
    if (band === void 0) {
      return;
    }
    this.band = this.band === band ? null : band;
    this.build();
  }
  actions() {
    const pan = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    return {
      close: () => this.close(),
      next: () => this.step(1),
      previous: () => this.step(-1),
      more: () => this.resize(1),
      fewer: () => this.resize(-1),
      ensembles: () => this.toggle("byEnsemble"),
      own: () => this.toggle("own"),
      attention: () => this.toggle("attention"),
      band: (key) => this.showBand(Number(key)),
      color: () => {
        this.band = null;
        this.build();
      },
      zoomIn: () => this.camera.zoomBy(ZOOM_STEP2),
      zoomOut: () => this.camera.zoomBy(1 / ZOOM_STEP2),
      fit: () => this.camera.reset(),
      pan: (key) => this.camera.panBy(...pan[key.slice(6)].map((part) => part * PAN_STEP2))
    };
  }
  // --- drawing ----------------------------------------------------------------------------------
  get shownRows() {
    return windowOf(this.rows, this.first, this.n, 0).rows;
  }
  get bandNames() {
    return [...new Set(this.shownRows.flatMap((row) => this.catalogs.get(row.catalog_id)?.bands ?? []))];
  }
  build() {
    const one = this.rows[this.first];
    this.cells = this.byEnsemble ? this.ensemblesOf().map((id) => this.cell(one, id)) : this.shownRows.map((row) => this.cell(row, this.host.ensemble()));
    this.grid.style.setProperty("--n", String(this.cells.length));
    this.grid.replaceChildren(...this.cells.map(({ node }) => node));
    for (const [button, on] of [[this.ownButton, this.own], [this.ensemblesButton, this.byEnsemble], [this.attentionButton, this.attention]]) {
      button.setAttribute("aria-pressed", String(on));
    }
    this.fewer.disabled = this.byEnsemble || this.n <= 2;
    this.more.disabled = this.byEnsemble || this.n >= Math.min(MOST, this.rows.length);
    this.bands.replaceChildren(...["", ...this.bandNames].map((name, k) => h("button", {
      type: "button",
      title: name ? `Band ${name} (key ${k})` : "Color (key 0)",
      "aria-pressed": String((this.band ?? "") === name),
      onclick: () => {
        this.band = name || null;
        this.build();
      }
    }, name || "Color")));
    this.draw();
  }
  // The list's own ensemble and one that was chosen before, or the next.
  ensemblesOf() {
    const ids = this.start.ensembles.map(({ id }) => id);
    const left = this.left ?? this.host.ensemble() ?? ids[0];
    const right = this.right ?? ids.find((id) => id !== left) ?? left;
    return [left, right].filter((id) => id !== void 0);
  }
  cell(row, ensemble) {
    const map = h("img", { className: "attention-map", alt: "", hidden: true });
    const frame = new Frame(map);
    map.addEventListener("load", () => {
      map.hidden = !this.attention;
    });
    const facts2 = h("dl", { className: "facts" });
    const heading = this.byEnsemble ? this.choice(ensemble) : h("button", {
      type: "button",
      className: "text",
      title: "Open this candidate",
      onclick: () => {
        this.close();
        this.host.onOpen(row.id);
      }
    }, row.object_id);
    const node = h("figure", {}, frame.node, h("figcaption", {}, h(
      "div",
      { className: "compare-name" },
      heading,
      gradeMarks(row, this.host.ownGrade(row.id)),
      labelChip(row.label)
    ), facts2));
    this.follow(frame.node);
    return { row, ensemble, frame, map, facts: facts2, node };
  }
  choice(ensemble) {
    const side = () => this.cells[0]?.select === select ? "left" : "right";
    const select = h("select", { "aria-label": "Ensemble", onchange: () => {
      this[side()] = Number(select.value);
      this.build();
    } }, this.start.ensembles.map(({ id, name }) => h("option", { value: id, selected: id === ensemble }, name)));
    return select;
  }
  draw() {
    const shared = this.host.view();
    const view = this.own ? { ...shared, preset: "auto" } : shared;
    this.grid.classList.toggle("inverted", view.invert);
    this.grid.classList.toggle("smooth", view.smooth);
    for (const cell of this.cells) {
      cell.select = cell.node.querySelector("select");
      const catalog = this.catalogs.get(cell.row.catalog_id);
      if (catalog === void 0) {
        continue;
      }
      const band = catalog.bands.includes(this.band) ? this.band : null;
      cell.frame.show(this.host.pool, tileUrl(catalog, cell.row, band, view));
      this.ask(cell, catalog);
    }
  }
  // What the cell's ensemble says of its candidate.
  ask(cell, catalog) {
    this.write(cell, void 0);
    if (cell.ensemble === null) {
      return;
    }
    this.host.ask({ type: "details", ids: [cell.row.id], ensemble_id: cell.ensemble }, ({ details: [found] }) => {
      if (this.cells.includes(cell) && found !== void 0) {
        this.write(cell, found);
        this.showAttention(cell, catalog, found.members);
      }
    });
    if (this.byEnsemble) {
      this.host.ask({ type: "score_context", id: cell.row.id, ensemble_id: cell.ensemble }, (context) => {
        if (!this.cells.includes(cell)) {
          return;
        }
        cell.score = context.ensembles.find(({ id }) => id === cell.ensemble) ?? null;
        cell.interval = context.interval;
        this.write(cell, cell.details);
      });
    }
  }
  write(cell, details) {
    cell.details = details;
    const { row, score, interval: interval2 } = cell;
    const probability = this.byEnsemble ? score?.probability : row.probability;
    const fact = (name, text) => text === void 0 ? null : h("div", {}, h("dt", {}, name), h("dd", {}, text));
    cell.facts.replaceChildren(...[
      this.byEnsemble ? fact("Candidate", row.object_id) : null,
      fact("Score", this.byEnsemble && score === null ? "not scored" : formatProbability(probability)),
      interval2 ? fact("68 % interval", `${formatProbability(interval2.low)} – ${formatProbability(interval2.high)}`) : null,
      this.byEnsemble ? null : fact("Epistemic", formatNumber(row.epistemic)),
      this.byEnsemble ? null : fact("Magnitude", formatNumber(row.magnitude, 2)),
      ...(details?.members ?? []).map(({ name, probability: p }) => fact(name, formatProbability(p)))
    ].filter((one) => one !== null));
  }
  showAttention(cell, catalog, members) {
    const member = members.find(({ kind }) => kind === "network") ?? members[0];
    if (!this.attention || member === void 0) {
      return;
    }
    const { row } = cell;
    const base = `attention/${encodeURIComponent(member.name)}/${encodeURIComponent(catalog.name)}/${row.index}`;
    fetch(`${base}/info?v=${row.version}`).then((answer) => answer.ok ? answer.json() : null).then((answer) => {
      if (answer?.kind === "map") {
        cell.map.src = `${base}?v=${row.version}`;
      } else {
        cell.frame.node.title = answer?.sentence ?? "There is no map of this member.";
      }
    }, () => {
    });
  }
  // Zoom and move all pictures with this one.
  follow(node) {
    const place = (event) => {
      const box = node.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    };
    let last = null;
    node.addEventListener("wheel", (event) => {
      if (event.ctrlKey) {
        return;
      }
      event.preventDefault();
      this.camera.zoomBy(2 ** (-Math.sign(event.deltaY) / 3), place(event));
    }, { passive: false });
    node.addEventListener("pointerdown", (event) => {
      last = place(event);
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", (event) => {
      if (last === null) {
        return;
      }
      const at = place(event);
      this.camera.panBy(last.x - at.x, last.y - at.y);
      last = at;
    });
    for (const end of ["pointerup", "pointercancel"]) {
      node.addEventListener(end, () => {
        last = null;
      });
    }
    node.addEventListener("dblclick", () => this.camera.reset());
  }
};

// app/review/selecting.js
var StampSelection = class {
  constructor() {
    this.chosen = /* @__PURE__ */ new Map();
    this.rows = [];
    this.anchor = null;
    this.before = /* @__PURE__ */ new Map();
  }
  get size() {
    return this.chosen.size;
  }
  // Rows that are selected, on this page and on others.
  get all() {
    return [...this.chosen.values()];
  }
  get here() {
    return this.rows.filter(({ id }) => this.chosen.has(id)).length;
  }
  has(id) {
    return this.chosen.has(id);
  }
  // Another page, or the same rows anew; what is selected stays.
  show(rows) {
    this.rows = rows;
    for (const row of rows) {
      if (this.chosen.has(row.id)) {
        this.chosen.set(row.id, row);
      }
    }
    this.begin(null);
  }
  clear() {
    this.chosen = /* @__PURE__ */ new Map();
    this.begin(this.anchor);
  }
  // The cursor went somewhere without selecting: a range begins there.
  begin(index) {
    this.anchor = index;
    this.before = new Map(this.chosen);
  }
  // Select a row of the page, or take it out.
  toggle(index) {
    const row = this.rows[index];
    if (row === void 0) {
      return;
    }
    if (!this.chosen.delete(row.id)) {
      this.chosen.set(row.id, row);
    }
    this.begin(index);
  }
  // Select from where the range began to a row, with what was selected before it began.
  extend(index, from = index) {
    if (this.rows[index] === void 0) {
      return;
    }
    if (this.anchor === null) {
      this.begin(from);
    }
    const [low, high] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
    this.chosen = new Map(this.before);
    for (const row of this.rows.slice(low, high + 1)) {
      this.chosen.set(row.id, row);
    }
  }
  // Select all rows of the page; where they are, take them out.
  togglePage() {
    const whole = this.rows.length > 0 && this.here === this.rows.length;
    for (const row of this.rows) {
      if (whole) {
        this.chosen.delete(row.id);
      } else {
        this.chosen.set(row.id, row);
      }
    }
    this.begin(this.anchor);
  }
};
function stepInGrid(index, direction, columns, n) {
  const to = index + { left: -1, right: 1, up: -columns, down: columns }[direction];
  if (to >= 0 && to < n) {
    return to;
  }
  const lastLine = Math.floor((n - 1) / columns);
  return direction === "down" && Math.floor(index / columns) < lastLine ? n - 1 : null;
}

// app/review/gallery.js
var COLUMNS2 = [6, 8, 10, 12, 16];
var STORE = "lens-triage.review.gallery";
var LARGEST_PX = 192;
var GALLERY_KEYS = { title: "Gallery", keys: [
  { keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], shown: "← → ↑ ↓", action: "step", text: "Go to another stamp" },
  { keys: [" "], shown: "Space", action: "toggle", text: "Select or deselect the stamp" },
  {
    keys: ["Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"],
    shown: "Shift ←→↑↓",
    action: "extend",
    text: "Select a range (or Shift and click)"
  },
  { keys: ["a"], shown: "a", action: "page", text: "Select all stamps that are shown; again: none of them" },
  { keys: ["Escape"], shown: "Esc", action: "clear", text: "Select nothing" },
  { keys: ["Enter"], shown: "Enter", action: "open", text: "Open the candidate large (or double click)" },
  { keys: ["]", "PageDown"], shown: "]", action: "nextPage", text: "Next page" },
  { keys: ["[", "PageUp"], shown: "[", action: "previousPage", text: "Previous page" },
  { keys: ["Home"], shown: "Home", action: "first", text: "First page" },
  { keys: ["/"], shown: "/", action: "search", text: "Search by object id" },
  { keys: ["G"], shown: "G", action: "gallery", text: "Back to the list and the large picture" }
] };
var BULK_KEYS = { title: "With the selection (or the one stamp)", keys: [
  { keys: ["A", "B", "C", "X"], shown: "A B C X", action: "bulkGrade", text: "Grade; asks first" },
  { keys: ["T"], shown: "T", action: "bulkTag", text: "Tag" },
  { keys: ["M"], shown: "M", action: "bulkMove", text: "Move to a stage, or reject with a reason" },
  { keys: ["E"], shown: "E", action: "bulkExport", text: "Export, or list these alone" },
  { keys: ["u"], shown: "u", action: "bulkUndo", text: "Undo the last action" }
] };
var Gallery = class {
  /**
   * @param {Map<number, any>} catalogs by id
   * @param {object} host
   * @param {() => any} host.view settings of pictures
   * @param {import("./walk.js").RankingWalk} host.walk
   * @param {(id: number) => any} host.ownGrade
   * @param {() => void} host.onOpen
   * @param {() => void} host.onSelection
   */
  constructor(catalogs, host) {
    this.catalogs = catalogs;
    this.host = host;
    this.selection = new StampSelection();
    this.stamps = h("div", {
      className: "stamps",
      role: "listbox",
      tabIndex: 0,
      "aria-label": "Candidates",
      "aria-multiselectable": "true"
    });
    this.columns = h("select", { "aria-label": "Stamps in a line", title: "Stamps in a line", onchange: () => {
      this.setColumns(Number(this.columns.value));
      this.columns.blur();
    } }, COLUMNS2.map((n) => h("option", { value: n }, `${n} in a line`)));
    this.node = h("div", { className: "gallery", hidden: true }, this.stamps);
    this.stamps.addEventListener("click", (event) => this.click(event));
    this.stamps.addEventListener("dblclick", (event) => {
      if (this.indexOf(event) >= 0) {
        host.onOpen();
      }
    });
    this.stamps.addEventListener("mousedown", (event) => {
      if (event.shiftKey) {
        event.preventDefault();
      }
    });
    this.setColumns(remembered());
  }
  get shown() {
    return !this.node.hidden;
  }
  get index() {
    return this.host.walk.index;
  }
  setColumns(n) {
    this.columns.value = String(n);
    this.node.style.setProperty("--columns", String(n));
    try {
      localStorage.setItem(STORE, String(n));
    } catch {
    }
  }
  // As many as the window lets stand in a line.
  get perLine() {
    return getComputedStyle(this.stamps).gridTemplateColumns.split(" ").length;
  }
  // Show the rows of a page; its stamps are drawn while the gallery is shown.
  setRows(rows) {
    this.selection.show(rows);
    this.drawn = null;
    if (this.shown) {
      this.draw();
    }
  }
  open(shown) {
    this.node.hidden = !shown;
    if (shown && this.drawn !== this.selection.rows) {
      this.draw();
    }
    if (shown) {
      this.select();
    }
  }
  draw() {
    const { rows } = this.selection;
    this.drawn = rows;
    this.stamps.replaceChildren(...rows.map((row) => this.stamp(row)));
    this.node.scrollTop = 0;
    this.mark();
  }
  stamp(row) {
    const catalog = this.catalogs.get(row.catalog_id);
    const name = `${row.object_id}, score ${formatProbability(row.probability)}`;
    return h(
      "div",
      { className: "stamp", role: "option", id: `stamp-${row.id}`, title: name },
      catalog === void 0 ? null : picture({ src: this.url(row, catalog), alt: "", draggable: false }),
      h("span", { className: "stamp-marks" }, gradeMarks(row, this.host.ownGrade(row.id))),
      h("span", { className: "stamp-name" }, h("span", {}, row.object_id), h("span", {}, formatProbability(row.probability)))
    );
  }
  url(row, catalog) {
    return tileUrl(catalog, row, null, this.host.view(), catalog.size_px > LARGEST_PX ? LARGEST_PX : 0);
  }
  // Another stretch: the same stamps, drawn anew.
  redraw() {
    if (!this.shown) {
      this.drawn = null;
      return;
    }
    this.selection.rows.forEach((row, k) => {
      const catalog = this.catalogs.get(row.catalog_id);
      if (catalog !== void 0) {
        this.stamps.children[k]?.querySelector("img")?.setAttribute("src", this.url(row, catalog));
      }
    });
    this.mark();
  }
  // Addresses of the stamps of rows that come next.
  urls(rows) {
    return rows.flatMap((row) => {
      const catalog = this.catalogs.get(row.catalog_id);
      return catalog === void 0 ? [] : [this.url(row, catalog)];
    });
  }
  drawAgain() {
    loadMissing(this.stamps);
  }
  // A grade of a candidate was given or taken back.
  markGrade(id) {
    const row = this.selection.rows.find((one) => one.id === id);
    const marks = this.stamps.querySelector(`#stamp-${id} .stamp-marks`);
    if (row !== void 0) {
      marks?.replaceChildren(...gradeMarks(row, this.host.ownGrade(id)).filter((node) => node !== null));
    }
  }
  // Show which stamps are selected, and where the cursor is.
  mark() {
    const { invert, smooth } = this.host.view();
    this.stamps.classList.toggle("inverted", invert);
    this.stamps.classList.toggle("smooth", smooth);
    this.selection.rows.forEach(({ id }, k) => {
      const stamp = this.stamps.children[k];
      stamp?.setAttribute("aria-selected", String(this.selection.has(id)));
      stamp?.classList.toggle("focused", k === this.index);
    });
    this.host.onSelection();
  }
  // The cursor stands on another row.
  select() {
    this.mark();
    const stamp = this.stamps.children[this.index];
    if (stamp === void 0) {
      return;
    }
    this.stamps.setAttribute("aria-activedescendant", stamp.id);
    stamp.scrollIntoView({ block: "nearest" });
  }
  indexOf(event) {
    const stamp = event.target.closest(".stamp");
    return stamp === null ? -1 : [...this.stamps.children].indexOf(stamp);
  }
  click(event) {
    const index = this.indexOf(event);
    if (index < 0) {
      return;
    }
    if (event.shiftKey) {
      this.selection.extend(index, this.index);
    } else if (event.detail < 2) {
      this.selection.toggle(index);
    }
    this.host.walk.select(index);
  }
  // Rows that keys treat: those selected, else the one under the cursor.
  get rows() {
    return this.selection.size ? this.selection.all : [this.host.walk.row].filter((row) => row !== void 0);
  }
  step(direction, extending) {
    const { walk } = this.host;
    const to = stepInGrid(this.index, direction, this.perLine, this.selection.rows.length);
    if (extending) {
      if (to === null) {
        return;
      }
      this.selection.extend(to, this.index);
      walk.select(to);
    } else if (to === null) {
      walk.turn(direction === "right" || direction === "down" ? 1 : -1, true);
    } else {
      this.selection.begin(to);
      walk.select(to);
    }
  }
  actions() {
    const direction = (key) => key.replace("Shift+", "").replace("Arrow", "").toLowerCase();
    const then = (change) => () => {
      change();
      this.mark();
    };
    return {
      step: (key) => this.step(direction(key), false),
      extend: (key) => this.step(direction(key), true),
      toggle: then(() => this.selection.toggle(this.index)),
      page: then(() => this.selection.togglePage()),
      clear: then(() => this.selection.clear()),
      open: () => this.host.onOpen()
    };
  }
};
function remembered() {
  try {
    const n = Number(localStorage.getItem(STORE));
    return COLUMNS2.includes(n) ? n : 10;
  } catch {
    return 10;
  }
}

// app/review/modes.js
var REFERENCE_PAUSE_MS = 150;
var STAMP_ACTIONS = ["preset", "look", "triple", "invert", "smooth", "reset"];
var STAMP_KEYS = { title: "Stretch and color", keys: STRETCH_KEYS.keys.filter(({ action }) => STAMP_ACTIONS.includes(action)) };
var MODE_KEYS = { title: "View", keys: [
  { keys: ["G"], shown: "G", action: "gallery", text: "The list as a gallery of stamps; again: as a table" },
  OPEN_COMPARE,
  REFERENCE_KEYS
] };
var Modes = class {
  /**
   * @param {any} start what the page began with
   * @param {any} page the review view: what it holds of list, pictures and panels
   */
  constructor(start, page) {
    this.page = page;
    const ask = (...given) => page.ask(...given);
    const view = () => page.candidate.controls.view;
    const ownGrade = (id) => page.side.ownGrade(id);
    this.gallery = new Gallery(page.catalogs, {
      walk: page.walk,
      view,
      ownGrade,
      onOpen: () => this.show(false),
      onSelection: () => this.bulk?.show()
    });
    this.bulk = new BulkBar(start, {
      gallery: this.gallery,
      history: page.side.history,
      ask,
      record: () => page.record(),
      query: () => page.filters.query,
      onChoose: (selection) => page.filters.choose(selection),
      onCompare: () => this.compareNow()
    });
    this.compare = new Compare(start, page.catalogs, {
      pool: page.candidate.pool,
      view,
      ask,
      ownGrade,
      ensemble: () => page.filters.query.ensemble_id,
      onOpen: (id) => {
        this.show(false);
        page.walk.open(id);
      }
    });
    this.references = new ReferenceDrawer((then, failed) => {
      if (page.row !== void 0) {
        page.ask({ type: "references", id: page.row.id }, (answer) => then(answer.references), failed);
      }
    });
    this.askReferences = debounce(() => this.references.refresh(), REFERENCE_PAUSE_MS);
    this.buttons = h(
      "span",
      { className: "segments modes", role: "group", "aria-label": "View" },
      [["Table", false], ["Gallery", true]].map(([text, shown]) => h("button", {
        type: "button",
        title: `${text} (key G)`,
        onclick: () => this.show(shown)
      }, text))
    );
  }
  // Whether the list stands as a table beside the large picture, and nothing over it.
  get plain() {
    return !this.gallery.shown && !this.compare.shown;
  }
  // `actions`: of the page, each waiting for the row that it was meant for.
  listen(actions, whenShown) {
    this.keyboards = [
      new Keyboard(
        [GALLERY_KEYS, BULK_KEYS, { ...MODE_KEYS, keys: [OPEN_COMPARE, REFERENCE_KEYS] }, STAMP_KEYS, HELP_KEYS],
        { ...actions, ...whenShown({ ...this.gallery.actions(), ...this.bulk.actions(), ...this.actions() }) },
        () => this.gallery.shown && !this.compare.shown
      ),
      new Keyboard([COMPARE_KEYS, STAMP_KEYS, HELP_KEYS], { ...actions, ...this.compare.actions() }, () => this.compare.shown)
    ];
    return this.keyboards.map(({ dialog }) => dialog);
  }
  actions() {
    return {
      gallery: () => this.show(!this.gallery.shown),
      compare: () => this.compareNow(),
      references: () => this.references.toggle()
    };
  }
  // Another candidate is chosen: references that are not the candidate itself.
  chosen() {
    this.askReferences();
  }
  // The list as stamps over the whole page, or as a table beside the large picture.
  show(shown) {
    this.page.panes.node.classList.toggle("as-gallery", shown);
    this.bulk.node.hidden = this.gallery.columns.hidden = !shown;
    [...this.buttons.children].forEach((button, k) => button.setAttribute("aria-pressed", String(k === 1 === shown)));
    this.bulk.close();
    this.gallery.open(shown);
    if (this.page.row !== void 0) {
      this.page.showRow();
    }
  }
  // The selection side by side; without one, the candidate that is shown and the one after it.
  compareNow() {
    const { rows, index } = this.page.walk;
    const chosen = this.gallery.shown ? this.gallery.selection.all : [];
    if (chosen.length > 1) {
      this.compare.open(chosen, 0, chosen.length);
    } else {
      this.compare.open(rows, index, 2);
    }
  }
  // Pictures are to be drawn otherwise; whether the large one is in sight.
  viewChanged() {
    this.gallery.redraw();
    if (this.compare.shown) {
      this.compare.draw();
    }
    return !this.gallery.shown;
  }
  graded(id) {
    this.gallery.markGrade(id);
  }
  remove() {
    for (const keyboard of this.keyboards) {
      keyboard.remove();
    }
    this.bulk.remove();
    this.askReferences.cancel();
  }
};

// app/review/panes.js
var KEY3 = "lens-triage-panes";
var LEAST_PX = { list: 220, side: 220 };
var LEAST_VIEWER_PX = 330;
var STEP_PX = 16;
function fitted({ list = 0, side = 0 }, room) {
  const most = (other) => Math.max(LEAST_PX.list, room - LEAST_VIEWER_PX - other);
  const held = Math.max(LEAST_PX.side, Math.min(side, most(LEAST_PX.list)));
  return { list: Math.max(LEAST_PX.list, Math.min(list, most(held))), side: held };
}
var Panes = class {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} viewer
   * @param {HTMLElement} side
   */
  constructor(list, viewer, side) {
    this.parts = { list, side };
    this.node = h(
      "div",
      { className: "columns" },
      list,
      this.splitter("list", 1, "Width of the list"),
      viewer,
      this.splitter("side", -1, "Width of the panels"),
      side
    );
    this.widths = this.remembered();
    if (this.widths !== null) {
      this.apply(this.widths);
    }
  }
  // `sign`: 1 where a pane grows when its border is moved to the right.
  splitter(name, sign, title) {
    const node = h("div", {
      className: "splitter",
      role: "separator",
      tabIndex: 0,
      "aria-orientation": "vertical",
      "aria-label": title,
      title: `${title}: drag, or use the arrow keys; double click: reset`,
      ondblclick: () => this.reset(),
      onkeydown: (event) => {
        const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (direction === void 0) {
          return;
        }
        event.preventDefault();
        event.stopPropagation();
        this.set(name, this.parts[name].offsetWidth + sign * direction * STEP_PX);
      },
      onpointerdown: (event) => {
        event.preventDefault();
        const from = event.clientX, width = this.parts[name].offsetWidth;
        node.setPointerCapture(event.pointerId);
        node.classList.add("dragged");
        node.onpointermove = (moved) => this.set(name, width + sign * (moved.clientX - from));
        node.onpointerup = node.onpointercancel = () => {
          node.classList.remove("dragged");
          node.onpointermove = null;
        };
      }
    });
    const part = this.parts[name];
    new ResizeObserver(() => {
      for (const [key, value] of [["now", part.offsetWidth], ["min", LEAST_PX[name]], ["max", this.node.clientWidth]]) {
        node.setAttribute(`aria-value${key}`, String(value));
      }
    }).observe(part);
    return node;
  }
  set(name, width) {
    const now = { list: this.parts.list.offsetWidth, side: this.parts.side.offsetWidth };
    this.widths = fitted({ ...now, [name]: width }, this.node.clientWidth);
    this.apply(this.widths);
    try {
      localStorage.setItem(KEY3, JSON.stringify(this.widths));
    } catch {
    }
  }
  // As wide as asked for, or as the window of today lets them be.
  apply({ list, side }) {
    const { style } = this.node;
    style.setProperty("--list", `minmax(${LEAST_PX.list}px, ${list}px)`);
    style.setProperty("--side", `minmax(${LEAST_PX.side}px, ${side}px)`);
    style.setProperty("--viewer", `minmax(${LEAST_VIEWER_PX}px, 1fr)`);
  }
  reset() {
    this.widths = null;
    for (const name of ["--list", "--side", "--viewer"]) {
      this.node.style.removeProperty(name);
    }
    try {
      localStorage.removeItem(KEY3);
    } catch {
    }
  }
  remembered() {
    try {
      const { list, side } = JSON.parse(localStorage.getItem(KEY3)) ?? {};
      return Number.isFinite(list) && Number.isFinite(side) ? { list, side } : null;
    } catch {
      return null;
    }
  }
};

// app/review/walk.js
var ASK_AGAIN_MS = [300, 600, 1200, 2500, 5e3];
var RankingWalk = class {
  /**
   * @param {object} parts
   * @param {(message: object) => Promise<object>} parts.ask a page of rows; rejects with an error whose
   *   `passing` says that the same may be asked again later
   * @param {() => void} parts.onPage the rows are others now
   * @param {(at: number|undefined) => void} parts.onRow another row of the page is chosen
   * @param {() => void} parts.onState what the page waits for has changed
   * @param {(sentence: string) => void} parts.onProblem
   * @param {(action: (value?: any) => void, ms: number) => any} parts.later
   */
  constructor({ ask, onPage, onRow, onState, onProblem, later }) {
    this.ask = ask;
    this.onPage = onPage;
    this.onRow = onRow;
    this.onState = onState;
    this.onProblem = onProblem;
    this.later = later;
    this.query = null;
    this.rows = [];
    this.index = -1;
    this.first = null;
    this.hasBefore = false;
    this.hasAfter = false;
    this.listing = false;
    this.turning = null;
    this.away = false;
    this.past = false;
    this.held = [];
    this.notices = [];
    this.unscored = [];
    this.number = 0;
    this.next = null;
  }
  get row() {
    return this.rows[this.index];
  }
  // Show a page that came with the document.
  begin(query, page) {
    this.query = query;
    this.setPage(page, page.selected);
  }
  // Show the ranking of `query` from its top, or around a candidate that stays chosen if it can.
  list(query, candidate = null) {
    this.query = query;
    this.leaveTurn();
    this.listing = true;
    this.request({ query, candidate }, (page) => this.setPage(page, candidate ?? page.selected));
  }
  // Show a candidate that a chart or another program names: in this list where it passes.
  open(id) {
    const index = this.rows.findIndex((row) => row.id === id);
    if (index >= 0) {
      this.select(index);
    } else {
      this.list(this.query, id);
    }
  }
  // Do what a key asks: now, or when the page on its way is there. So no key reaches a row that the
  // person has left.
  do(action) {
    if (this.turning === null) {
      action();
    } else {
      this.held.push(action);
      this.onState();
    }
  }
  // Forget the keys that wait.
  dropHeld() {
    this.held = [];
    this.onState();
  }
  select(index, at) {
    if (this.rows[index] === void 0) {
      return;
    }
    this.index = index;
    this.past = false;
    this.onRow(at);
  }
  move(step2, at) {
    if (this.past && step2 < 0) {
      this.select(this.index, at);
      return;
    }
    const index = this.index + step2;
    if (index >= 0 && index < this.rows.length) {
      this.select(index, at);
    } else if (index < 0) {
      this.turn(-1, true);
    } else if (this.hasAfter) {
      this.turn(1);
    } else if (this.rows.length) {
      this.past = true;
      this.onState();
    }
  }
  // The page before (-1) or after (1) this one, with its first candidate chosen, or its last.
  turn(direction, fromEnd = false) {
    if (this.turning !== null || this.listing || !(direction > 0 ? this.hasAfter : this.hasBefore)) {
      return;
    }
    this.turning = { direction, fromEnd };
    if (direction < 0) {
      const { first } = this;
      this.request({ query: this.query, before: this.rows[0].cursor }, (page) => {
        page.first_rank = first === null ? null : first - page.rows.length;
        this.setPage(page, void 0, fromEnd);
      });
    } else if (this.next?.page) {
      this.takeNext();
    } else {
      this.onState();
      this.fetchNext();
    }
  }
  // The rows after the present one, at most `n`, over the end of the page.
  upcoming(n) {
    const own = this.rows.slice(this.index + 1, this.index + 1 + n);
    return [...own, ...(this.next?.page?.rows ?? []).slice(0, n - own.length)];
  }
  // The page is closed: nothing that is on its way is shown any more.
  leave() {
    this.number += 1;
    this.next = null;
    this.held = [];
  }
  setFirst(rank) {
    this.first = rank;
  }
  // --- inside -----------------------------------------------------------------------------------
  setPage(page, selected, fromEnd = false) {
    this.rows = page.rows;
    this.hasBefore = page.has_before;
    this.hasAfter = page.has_after;
    this.first = page.first_rank ?? null;
    this.notices = page.notices ?? [];
    this.unscored = page.unscored ?? this.unscored;
    this.turning = null;
    this.listing = false;
    this.past = false;
    this.next = null;
    const wanted = this.rows.findIndex((row) => row.id === selected);
    this.index = wanted >= 0 ? wanted : fromEnd ? this.rows.length - 1 : this.rows.length ? 0 : -1;
    this.onPage();
    this.fetchNext();
    while (this.held.length && this.turning === null) {
      this.held.shift()();
    }
    this.onState();
  }
  leaveTurn() {
    this.turning = null;
    this.held = [];
  }
  // Ask for what is to be shown; a later question of this kind takes the place of an earlier one.
  async request(message, take) {
    const number = ++this.number;
    this.onState();
    const page = await this.insist(message, () => number === this.number);
    if (page !== null && number === this.number) {
      take(page);
    }
  }
  async fetchNext() {
    if (!this.hasAfter || this.next !== null) {
      return;
    }
    const next = { page: null };
    this.next = next;
    const page = await this.insist({ query: this.query, after: this.rows.at(-1).cursor }, () => next === this.next);
    if (next !== this.next) {
      return;
    }
    if (page === null) {
      this.next = null;
      return;
    }
    next.page = page;
    if (this.turning?.direction > 0) {
      this.takeNext();
    } else {
      this.onState();
    }
  }
  takeNext() {
    const { page } = this.next;
    page.first_rank = this.first === null ? null : this.first + this.rows.length;
    this.setPage(page, void 0);
  }
  // The answer to a question, asked again while the server is away and `wanted()`; null: there is none.
  async insist(message, wanted) {
    for (let tries = 0; ; tries++) {
      try {
        const page = await this.ask(message);
        this.setAway(false);
        return page;
      } catch (error) {
        if (!wanted()) {
          return null;
        }
        if (!error.passing) {
          this.listing = false;
          this.leaveTurn();
          this.onState();
          this.onProblem(error.message);
          return null;
        }
        this.setAway(true);
        await new Promise((resolve) => this.later(resolve, ASK_AGAIN_MS[Math.min(tries, ASK_AGAIN_MS.length - 1)]));
        if (!wanted()) {
          return null;
        }
      }
    }
  }
  setAway(away) {
    if (away !== this.away) {
      this.away = away;
      this.onState();
    }
  }
};

// app/review/view.js
var ADDRESS_PAUSE_MS = 150;
var ReviewView = class {
  constructor(model, start) {
    this.model = model;
    this.start = start;
    this.catalogs = new Map(start.catalogs.map((catalog) => [catalog.id, catalog]));
    this.gradeKeys = gradeKeysOf(start);
    this.counted = null;
    this.onMessage = (message) => this.samp.receive(message);
    model.on("msg:custom", this.onMessage);
    this.connection = new Connection({
      probe: () => this.question({ type: "ping" }),
      onChange: () => this.showConnection(),
      onBack: () => this.serverIsBack(),
      later: (action, ms) => setTimeout(action, ms)
    });
    this.walk = new RankingWalk({
      ask: (message) => this.pageOf(message),
      onPage: () => this.showPage(),
      onRow: (at) => this.showRow(at),
      onState: () => this.showWalk(),
      onProblem: (sentence) => this.notify([sentence], "fault"),
      later: (action, ms) => setTimeout(action, ms)
    });
    this.outbox = start.grader === null ? null : new PageOutbox({
      place: `review-${start.workspace}:${start.grader.id}`,
      path: "review/events",
      about: { grader: start.grader.id, workspace: start.workspace },
      onChange: (outbox) => this.showOutbox(outbox),
      onSettled: (event, told) => {
        this.side.settled(event, told);
        this.modes.bulk.settled(event, told);
      },
      isBusy: () => this.walk.held.length > 0
    });
    const copy = linkButton(() => this.address(), (sentence) => this.notify([sentence], "info"));
    this.filters = new FilterBar(
      { ...start },
      (query) => this.list(query),
      (...given) => this.ask(...given)
    );
    this.filters.node.append(copy);
    this.table = new RankingTable(this.catalogs, {
      onSelect: (index) => this.walk.select(index),
      onSort: (sort) => this.filters.order(sort),
      ownGrade: (id) => this.side.ownGrade(id)
    });
    this.candidate = new CandidatePanel(start, this.catalogs, {
      walk: this.walk,
      onHelp: () => this.keyboard.toggleHelp(),
      onView: () => this.modes.viewChanged(),
      onDrawn: (event, row, ms) => {
        this.node.dataset[event] = String(row.id);
        this.node.dataset[event === "shown" ? "latencyMs" : "panelsMs"] = String(ms);
      }
    });
    this.details = new CandidateDetails({
      ask: (...given) => this.ask(...given),
      ensemble: () => this.filters.query.ensemble_id,
      row: () => this.row,
      upcoming: (n) => this.walk.upcoming(n),
      onChange: () => this.showDetails()
    });
    this.side = new SidePanel(this.panelHost());
    this.modes = new Modes(start, this);
    const actions = this.whenShown(this.actions());
    this.keyboard = new Keyboard(
      [LIST_KEYS, MODE_KEYS, IMAGE_KEYS, ZOOM_KEYS, STRETCH_KEYS, PANEL_KEYS, GRADE_KEYS, HELP_KEYS],
      actions,
      () => this.modes.plain,
      (sections) => regraded(sections, start.grades, this.gradeKeys)
    );
    this.dialogs = [this.keyboard.dialog, ...this.modes.listen(actions, (more) => this.whenShown(more))];
    this.onEscape = (event) => {
      if (event.key === "Escape" && this.walk.held.length) {
        this.walk.dropHeld();
      }
    };
    document.addEventListener("keydown", this.onEscape);
    this.writeAddress = debounce(() => this.address(), ADDRESS_PAUSE_MS);
    this.samp = new SampMenu(
      (...given) => this.ask(...given),
      () => ({ query: this.filters.query, id: this.row?.id }),
      {
        open: (id) => this.walk.open(id),
        select: (selection) => this.filters.choose(selection),
        notice: (text) => this.notify([text], "info")
      }
    );
    this.exports = new ExportMenu(start.exports, () => this.words(), this.samp);
    this.charts = new ChartPanel({
      ask: (...given) => this.ask(...given),
      catalogs: this.catalogs,
      onOpen: (id) => this.walk.open(id),
      onRange: (low, high) => this.filters.update({ probability_min: low, probability_max: high }),
      onSelection: (selection) => this.filters.choose(selection)
    });
    this.build();
    this.modes.show(new URLSearchParams(location.search).get("view") === "gallery");
    this.filters.set(start.query);
    this.charts.setQuery(start.query);
    this.walk.begin(this.filters.query, start.page);
    this.askCount();
    this.outbox?.takeOver();
    this.onLost = () => this.connection.detach();
    model.document?.on_event?.("connection_lost", this.onLost);
  }
  build() {
    const step2 = (label, text, action) => h(
      "button",
      { type: "button", className: "icon", title: label, "aria-label": label, onclick: action },
      text
    );
    this.unsaved = new OutboxStatus();
    this.waitingNote = h("span", { className: "waiting", role: "status" });
    this.position = h("span", { className: "position" });
    this.count = h("span", { className: "count", "aria-live": "polite" });
    this.previousPage = step2("Previous page (key [)", "‹", () => this.walk.turn(-1));
    this.nextPage = step2("Next page (key ])", "›", () => this.walk.turn(1));
    this.bar = new ConnectionBar();
    this.sentences = h("div", { className: "sentences", role: "status" });
    this.notices = h("div", { className: "notices" }, this.bar.node, this.unsaved.refused, this.sentences);
    this.emptyList = new EmptyList(this.start, this.filters, this.catalogs);
    this.list_ = h(
      "section",
      { className: "list", "aria-label": "Ranking" },
      h(
        "div",
        { className: "list-head" },
        this.count,
        this.modes.buttons,
        this.modes.gallery.columns,
        h("span", { className: "spacer" }),
        this.position,
        this.previousPage,
        this.nextPage,
        this.charts.button,
        this.exports.node
      ),
      this.table.node,
      this.modes.gallery.node,
      this.emptyList.node,
      h(
        "div",
        { className: "list-foot" },
        this.unsaved.node,
        this.waitingNote,
        this.emptyList.link,
        h("span", { className: "spacer" }),
        this.side.history.advanceChoice
      ),
      this.modes.bulk.node,
      this.charts.node
    );
    this.panes = new Panes(this.list_, this.candidate.node, this.side.node);
    this.node = h(
      "div",
      { className: "work-view" },
      this.filters.node,
      this.notices,
      this.panes.node,
      this.modes.compare.node,
      this.modes.references.node,
      ...this.dialogs
    );
  }
  actions() {
    return {
      ...this.side.actions(),
      ...Object.fromEntries(this.start.grades.map(({ key }) => [`grade:${key}`, () => this.side.history.give(key)])),
      ...imageActions(this.candidate.viewer, this.candidate.controls),
      next: (key, at) => this.walk.move(1, at),
      previous: (key, at) => this.walk.move(-1, at),
      nextPage: () => this.walk.turn(1),
      previousPage: () => this.walk.turn(-1),
      first: () => this.list(this.filters.query),
      search: () => this.filters.object.focus(),
      charts: () => this.charts.toggle(),
      ...this.modes.actions()
    };
  }
  // Keys wait for the page that they turned to; Escape forgets those that wait.
  whenShown(actions) {
    return Object.fromEntries(Object.entries(actions).map(([name, action]) => [name, (...given) => this.walk.do(() => action(...given))]));
  }
  get row() {
    return this.walk.row;
  }
  // --- the server -------------------------------------------------------------------------------
  // The answer to a question; rejects with a ServerError.
  async question(message) {
    try {
      const answer = await post("review/ask", { ...message, grader: this.start.asker });
      if (answer.type === "error") {
        throw new ServerError(answer.message, 400);
      }
      return answer;
    } catch (error) {
      if (error.passing && message.type !== "ping") {
        this.connection.lost();
      }
      throw error;
    }
  }
  // Ask; `failed(sentence)` is called instead of a notice where it is given.
  ask(message, then, failed = null) {
    this.question(message).then(then, (error) => {
      if (failed !== null) {
        failed(error.message);
      } else if (!error.passing) {
        this.notify([error.message], "fault");
      }
    });
  }
  // A page of the list; each row says when it was asked for, since a page may be fetched long before it is shown.
  async pageOf(message) {
    const asked = performance.now();
    const page = await this.question({ type: "page", ...message });
    for (const row of page.rows) {
      row.asked = asked;
    }
    return page;
  }
  serverIsBack() {
    this.outbox?.flush();
    this.askCount();
    this.candidate.redraw();
    this.table.drawAgain();
    this.modes.gallery.drawAgain();
    this.details.fetch();
    this.side.serverIsBack();
  }
  showConnection() {
    this.bar.show(this.connection);
    this.node.dataset.connection = ConnectionBar.stateOf(this.connection);
  }
  showOutbox(outbox) {
    this.unsaved.show(outbox);
    this.node.dataset.unsent = String(outbox.unsent);
    this.node.dataset.refused = String(outbox.refused.size);
    this.side.outboxChanged(outbox);
    if (outbox.unanswered) {
      this.connection.lost();
    }
  }
  // --- the list ---------------------------------------------------------------------------------
  // Show the ranking of `query` from its top, or around a candidate that stays chosen if it can.
  list(query, candidate = null) {
    this.modes.bulk.forget();
    this.details.forget();
    this.charts.setQuery(query);
    this.walk.list(query, candidate);
    this.askCount();
  }
  askCount() {
    this.counted = null;
    this.writeCount();
    const query = this.filters.query;
    this.ask({ type: "count", query }, (counted2) => {
      if (query !== this.filters.query) {
        return;
      }
      this.counted = counted2;
      this.writeCount();
    });
  }
  writeCount() {
    const { n, text } = this.counted ?? {};
    this.count.textContent = n === void 0 ? "…" : n === 0 && this.emptyList.isUnscored ? "Not scored" : `${text} ${n === 1 ? "candidate" : "candidates"}`;
  }
  // What the list waits for.
  showWalk() {
    const { listing, turning, held, past, next } = this.walk;
    this.node.classList.toggle("busy", listing || turning !== null);
    this.node.dataset.waiting = String(held.length);
    if (this.modes.gallery.shown && next?.page) {
      this.candidate.pool.ahead(this.modes.gallery.urls(next.page.rows));
    }
    this.node.dataset.nextPage = next === null ? "" : next.page === null ? "coming" : "here";
    const keys = `${held.length} ${held.length === 1 ? "key waits" : "keys wait"}`;
    this.waitingNote.textContent = held.length ? `${keys} for the next page (Esc discards them)` : past ? "End of the list (k: the last candidate)" : "";
  }
  showPage() {
    const { walk } = this;
    this.side.heardRows(walk.rows);
    this.table.setRows(walk.rows, walk.first, this.filters.query);
    this.modes.gallery.setRows(walk.rows);
    this.notify(walk.notices, "info");
    this.previousPage.disabled = !walk.hasBefore;
    this.nextPage.disabled = !walk.hasAfter;
    if (walk.rows.length && walk.first === null) {
      const { rows } = walk;
      this.ask({ type: "rank", query: this.filters.query, cursor: rows[0].cursor }, ({ rank }) => {
        if (rows === walk.rows) {
          this.setFirst(rank);
        }
      });
    }
    this.writePosition();
    const none = walk.rows.length === 0;
    this.node.classList.toggle("nothing", none);
    this.table.node.hidden = none;
    this.emptyList.show(none, walk.unscored);
    this.writeCount();
    if (walk.rows.length) {
      this.showRow();
    } else {
      this.clear();
    }
  }
  setFirst(rank) {
    this.walk.setFirst(rank);
    this.table.setRanks(rank);
    this.writePosition();
  }
  writePosition() {
    const { rows, first } = this.walk;
    this.position.textContent = rows.length && first !== null ? `${formatCount(first)}–${formatCount(first + rows.length - 1)}` : "";
  }
  // --- the candidate ----------------------------------------------------------------------------
  showRow(at = performance.now()) {
    const { row } = this;
    this.table.select(this.walk.index);
    this.showWalk();
    this.charts.mark(row.id);
    this.modes.chosen();
    this.writeAddress();
    if (this.modes.gallery.shown) {
      this.modes.gallery.select();
      return;
    }
    this.candidate.show(row, at);
    this.showDetails();
    this.details.fetch();
  }
  showDetails() {
    const { row } = this;
    if (row === void 0) {
      return;
    }
    const details = this.details.of(row);
    if (details !== void 0) {
      this.candidate.viewer.locate(row, details.sky);
    }
    this.side.show(row, details, this.details.truthOf(row));
    if (this.side.metadata.truthWanted) {
      this.details.fetchTruth(row);
    }
  }
  // What is on screen, for the log.
  record() {
    const { controls, viewer } = this.candidate;
    return { mode: "review", band: viewer.shown, ...viewRecord(controls.view, controls.catalog) };
  }
  // What the panels beside the picture need.
  panelHost() {
    return {
      start: this.start,
      catalogs: this.catalogs,
      frame: this.candidate.viewer.frame.node,
      viewer: this.candidate.viewer,
      ask: (...given) => this.ask(...given),
      ensemble: () => this.filters.query.ensemble_id,
      view: () => this.candidate.controls.view,
      record: () => this.record(),
      details: () => this.showDetails(),
      notify: (sentence) => this.notify([sentence], "fault"),
      outbox: this.outbox,
      gradeKeys: this.gradeKeys,
      isPast: () => this.walk.past,
      changed: (row) => this.redrawStage(row),
      graded: (id) => {
        this.table.markGrade(id);
        this.modes.graded(id);
      },
      step: (way) => this.walk.move(way),
      open: (id) => this.walk.open(id)
    };
  }
  redrawStage(row) {
    this.table.body.querySelector(`#candidate-${row.id} td.stage`)?.replaceChildren(stageChip(row.stage));
    if (row === this.row) {
      this.candidate.showChips(row);
    }
  }
  clear() {
    this.candidate.clear();
    this.side.clear();
    this.writeAddress();
  }
  // --- words and addresses ----------------------------------------------------------------------
  notify(sentences2, kind) {
    this.sentences.replaceChildren(...sentences2.map((sentence) => {
      const node = h("p", { className: kind, role: kind === "fault" ? "alert" : null }, h("span", {}, sentence), h(
        "button",
        { type: "button", className: "icon", "aria-label": "Dismiss", onclick: () => node.remove() },
        "×"
      ));
      return node;
    }));
  }
  // Write query and candidate into the address, so that a refresh or a link shows the same.
  address() {
    const text = this.words().toString();
    history.replaceState(history.state, "", text ? `?${text}` : location.pathname);
  }
  words() {
    const words = addressWords(this.filters.query, this.start, this.catalogs, this.row);
    if (this.modes.gallery.shown) {
      words.set("view", "gallery");
    }
    return words;
  }
  remove() {
    document.removeEventListener("keydown", this.onEscape);
    this.connection.close();
    this.walk.leave();
    this.outbox?.remove();
    this.exports.remove();
    this.charts.remove();
    this.keyboard.remove();
    this.modes.remove();
    this.side.remove();
    this.filters.remove();
    this.candidate.remove();
    this.details.remove();
    this.writeAddress.cancel();
    this.model.off?.("msg:custom", this.onMessage);
  }
};
function render({ model }) {
  const view = new ReviewView(model, model.start);
  model.on("remove", () => view.remove());
  return view.node;
}
export {
  render
};
