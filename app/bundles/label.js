// Made by "make scripts" from app/label/view.js; edit that. Sources: sha256 34ba4b7eff3d52cdc3ce5bd75c122ddb999349c2df293a638991bad6398ca518
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
var formatCount = (n) => n.toLocaleString("en-US");

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
async function ask(path) {
  return answerOf(fetch(path));
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

// app/viewer/lens_panel.js
var LENS_KEYS = { title: "Lens", keys: [
  { keys: ["m"], shown: "m", action: "lensTest", text: "Lens test: fit a simple lens" }
] };
var PICTURES = [
  ["data", "Data"],
  ["model", "Model"],
  ["residual", "Residual ±5 σ"],
  ["arcs", "Data − galaxy"],
  ["lensed", "Lensed source"],
  ["source", "Source"]
];
var TICK_MS = 500;
var MOST_KEPT = 100;
var MOST_PICKED = 8;
var LensPanel = class {
  // `viewer`: of the large picture; `choices`: what one browser remembers; `ask(row, asked)`: the answer of the
  // server, as a promise; `below`: a section on the same candidate with a node, show(row, opened) and remove(), or none.
  constructor({ viewer, ask: ask2, below = null }, choices, keep) {
    this.viewer = viewer;
    this.question = ask2;
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
    if (this.kept.size >= MOST_KEPT) {
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
  const { critical_curve, caustic, cut, images, source_side_arcsec, side_arcsec } = answer;
  const middle = name === "source" ? [answer.source_x_arcsec.value, answer.source_y_arcsec.value] : [0, 0];
  const side = name === "source" ? source_side_arcsec : side_arcsec;
  const at = ([x, y]) => [0.5 + (x - middle[0]) / side, 0.5 - (y - middle[1]) / side];
  const line = (points, className) => h("path", {
    class: className,
    d: points.map((point, k) => `${k ? "L" : "M"}${at(point).map((v) => v.toFixed(4)).join(" ")}`).join("")
  });
  const drawn = name === "source" ? [line(caustic, "caustic"), line(cut, "cut")] : name === "lensed" ? [line(critical_curve, "caustic"), ...images.map((image) => {
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

// app/viewer/references.js
var NONE = "No other object of this survey has a class that is known by a spectrum, the consensus of two graders or an imported label.";
var REFERENCE_KEYS = { keys: ["R"], shown: "R", action: "references", text: "Show or hide lenses and other objects to compare with" };
var ReferenceDrawer = class {
  /**
   * @param {(then: (references: any[]) => void, failed: (sentence: string) => void) => void} ask for what is shown now
   */
  constructor(ask2) {
    this.ask = ask2;
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

// app/widgets/keyboard.js
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

// app/label/queue.js
var FEW_LEFT = 60;
var RETRY_QUEUE_MS = 2e3;
var LabelQueue = class {
  // `start` has history, items, n_left and n_done; `onMore` is called when cutouts have come.
  constructor(session, start, onMore) {
    this.session = session;
    this.onMore = onMore;
    this.entries = [...start.history, ...start.items.map(blank)];
    this.at = start.history.length;
    this.byToken = new Map(this.entries.map((entry) => [entry.token, entry]));
    this.total = start.n_left + start.n_done;
    this.nDone = start.n_done;
    this.exhausted = start.items.length >= start.n_left;
    this.asking = false;
    this.failed = false;
    this.offered = false;
    this.channel = new BroadcastChannel(`lens-triage-label-${session}`);
    this.channel.onmessage = ({ data }) => this.hear(data);
  }
  get current() {
    return this.entries[this.at];
  }
  // Skipped cutouts; once the others are done, they come again.
  get skipped() {
    return this.entries.filter(({ response }) => response?.kind === "skip");
  }
  // The entries from the present one on that are to be graded, at most `n`.
  ahead(n) {
    const found = [];
    for (let k = this.at; k < this.entries.length && found.length < n; k++) {
      if (isOpen(this.entries[k])) {
        found.push(this.entries[k]);
      }
    }
    return found;
  }
  // What this tab, or an event still on its way, says of a cutout.
  say(entry, response, tell = true) {
    this.nDone += Number(response !== null) - Number(entry.response !== null);
    entry.response = response;
    entry.again = false;
    if (tell) {
      this.channel.postMessage({ token: entry.token, response });
    }
  }
  hear({ token, response }) {
    const entry = this.byToken.get(token);
    if (entry !== void 0 && entry !== this.current) {
      this.say(entry, response, false);
    }
  }
  // Go to the next cutout to grade: forwards from here, over those that are done.
  advance() {
    this.at += 1;
    while (this.current !== void 0 && !isOpen(this.current)) {
      this.at += 1;
    }
    this.fetchMore();
  }
  move(step) {
    this.at = Math.min(Math.max(0, this.at + step), this.entries.length);
    this.fetchMore();
  }
  goTo(entry) {
    const found = this.entries.indexOf(entry);
    if (found >= 0) {
      this.at = found;
    }
  }
  // To the first cutout that is not done.
  toFront() {
    const found = this.entries.findIndex(isOpen);
    this.at = found < 0 ? this.entries.length : found;
    this.fetchMore();
  }
  // Offer again what was skipped and still needs a grade. Called when all events have arrived.
  async offerSkipped() {
    if (this.asking || this.removed) {
      return;
    }
    this.asking = true;
    try {
      const { items } = await ask(`labeling/${this.session}/skipped`);
      for (const item of items) {
        let entry = this.byToken.get(item.token);
        if (entry === void 0) {
          entry = { ...item };
          this.byToken.set(entry.token, entry);
          this.entries.push(entry);
        }
        entry.again = entry.response?.kind === "skip";
      }
      this.offered = true;
      this.failed = false;
      this.asking = false;
      this.onMore();
    } catch {
      this.failed = true;
      this.onMore();
      this.retry(() => this.offerSkipped());
    }
  }
  async fetchMore(few = FEW_LEFT) {
    if (this.asking || this.exhausted || this.entries.length - this.at > few) {
      return;
    }
    this.asking = true;
    const last = Math.max(-1, ...this.entries.map(({ number }) => number));
    try {
      const answer = await ask(`labeling/${this.session}/queue?after=${last}`);
      const fresh = answer.items.filter(({ token }) => !this.byToken.has(token)).map(blank);
      for (const entry of fresh) {
        this.byToken.set(entry.token, entry);
      }
      this.entries.push(...fresh);
      this.exhausted = answer.items.length === 0;
      this.failed = false;
      this.asking = false;
      this.onMore();
    } catch {
      this.failed = true;
      this.onMore();
      this.retry(() => this.fetchMore(few));
    }
  }
  // Ask again in a while, and not before.
  retry(action) {
    setTimeout(() => {
      this.asking = false;
      action();
    }, RETRY_QUEUE_MS);
  }
  remove() {
    this.exhausted = true;
    this.removed = true;
    this.channel.close();
  }
};
function blank(item) {
  return { ...item, response: null, flagged: false, again: false };
}
function isOpen({ response, again }) {
  return response === null || again === true;
}

// app/label/end.js
var SessionEnd = class {
  /**
   * @param {{id: string, open: boolean}} session
   * @param {import("./queue.js").LabelQueue} queue
   */
  constructor(session, queue) {
    this.session = session;
    this.queue = queue;
    this.node = h("div", { className: "empty", hidden: true });
  }
  // `allSent`: no event is on its way, so that the server knows what was skipped.
  show(ended, allSent) {
    this.node.hidden = !ended;
    if (!ended) {
      return;
    }
    const { queue } = this;
    const { skipped } = queue;
    const mayAsk = this.session.open && queue.exhausted && !queue.offered && !queue.entries.some(isOpen);
    if (mayAsk && allSent) {
      queue.offerSkipped();
    }
    const waiting = !queue.exhausted || mayAsk;
    const n = formatCount(skipped.length);
    this.node.replaceChildren(...[
      h("h3", {}, waiting ? queue.failed ? "The server does not answer" : "Loading …" : "You have seen every cutout of this session"),
      h("p", {}, waiting ? "Your grades are saved here; the next cutouts are loaded as soon as it is back." : `${formatCount(queue.nDone)} cutouts${skipped.length ? `, ${n} of them skipped` : ""}.`),
      !waiting && skipped.length && this.session.open ? h("p", {}, h(
        "button",
        { type: "button", onclick: () => queue.offerSkipped() },
        "Show the skipped ones again"
      )) : null,
      waiting ? null : h("p", {}, h("a", { href: "label" }, "Back to the sessions"))
    ].filter(Boolean));
  }
};

// app/label/keys.js
var HANDS = { own: "Letters of the grades", left: "Left hand", right: "Right hand" };
var VIEW_ACTIONS = {
  undo: "Undo; again: further back",
  back: "Back one cutout, to inspect it again or change the grade",
  forward: "Forward one cutout",
  front: "To the first cutout without a grade",
  skip: "Skip",
  flag: "Flag for discussion; again: remove the flag",
  reason: "No lens, with a reason: a second key gives the reason",
  note: "Write a note",
  mode: "One at a time, or mosaic",
  rest: "Mosaic: set the rest of the page and go on",
  help: "Show or hide these keys"
};
var SECOND_KEYS = {
  ring: "r",
  spiral: "s",
  merger: "m",
  tidal: "t",
  edge_on: "e",
  companion: "c",
  artifact: "a",
  alignment: "l",
  other: "o"
};
function keySections(scheme, keys, viewerSections) {
  const one = (action, text) => ({ keys: keys[action] ? [keys[action]] : [], shown: shownKey(keys[action]), action, text });
  const left = yieldKeys(viewerSections, new Set(Object.values(keys)));
  return [
    { title: "Grades", keys: scheme.grades.map(({ key, title }) => one(`grade:${key}`, `${key}: ${title}`)) },
    { title: "Labeling view", keys: Object.entries(VIEW_ACTIONS).filter(([action]) => keys[action]).map(([action, text]) => one(action, text)) },
    { title: "Reasons, after the key for no lens and why", keys: Object.entries(SECOND_KEYS).map(
      ([reason2, key]) => ({ keys: [], shown: key, action: "none", text: reason2.replace("_", "-") })
    ) },
    ...left
  ];
}
var KeyChooser = class {
  constructor(scheme, onSave) {
    this.scheme = scheme;
    this.onSave = onSave;
    this.dialog = h("dialog", {
      className: "keys chooser",
      tabIndex: -1,
      "aria-label": "Choose keys"
    });
    this.dialog.addEventListener("keydown", (event) => this.press(event));
  }
  open(hand, own) {
    this.hand = hand;
    this.own = { ...own };
    this.waiting = null;
    this.draw();
    this.dialog.showModal();
  }
  draw(problem = "") {
    const keys = labelKeys(this.scheme, this.hand, this.own);
    const row = (action, text) => h("div", {}, h("dt", {}, h(
      "button",
      {
        type: "button",
        className: this.waiting === action ? "waiting" : "",
        "aria-label": `Key for ${text}`,
        onclick: () => {
          this.waiting = action;
          this.draw();
        }
      },
      this.waiting === action ? "press a key" : shownKey(keys[action]) || "–"
    )), h("dd", {}, text));
    this.dialog.replaceChildren(
      h("h2", {}, "Keys"),
      h(
        "div",
        { className: "segments", role: "group", "aria-label": "Preset" },
        Object.entries(HANDS).map(([hand, title]) => h("button", {
          type: "button",
          "aria-pressed": String(hand === this.hand),
          onclick: () => {
            this.hand = hand;
            this.own = {};
            this.waiting = null;
            this.draw();
          }
        }, title))
      ),
      h(
        "dl",
        {},
        this.scheme.grades.map(({ key, title }) => row(`grade:${key}`, `${key}: ${title}`)),
        Object.entries(VIEW_ACTIONS).map(([action, text]) => row(action, text))
      ),
      h("p", { className: "fault", role: "alert" }, problem),
      h(
        "footer",
        {},
        h("button", { type: "button", onclick: () => this.dialog.close() }, "Cancel"),
        h("button", { type: "button", className: "primary", onclick: () => {
          this.dialog.close();
          this.onSave({ hand: this.hand, own: this.own });
        } }, "Save")
      )
    );
    this.dialog.focus();
  }
  press(event) {
    event.stopPropagation();
    if (this.waiting === null || ["Shift", "Control", "Alt", "Meta", "CapsLock"].includes(event.key)) {
      return;
    }
    event.preventDefault();
    const action = this.waiting;
    this.waiting = null;
    if (event.key === "Escape") {
      this.draw();
      return;
    }
    const keys = labelKeys(this.scheme, this.hand, this.own);
    const other = Object.keys(keys).find((name) => name !== action && keys[name] === event.key);
    if (other !== void 0) {
      this.draw(`“${shownKey(event.key)}” is the key for ${VIEW_ACTIONS[other] ?? other.replace(":", " ")}.`);
      return;
    }
    this.own[action] = event.key;
    this.draw();
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
    for (const mark of scene.marks) {
      parts.push(...drawMark(scene, mark, this.isLarge));
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
function drawMark({ camera, measure }, mark, isLarge) {
  const [from, to] = [camera.toFrame(mark.from), camera.toFrame(mark.to)];
  const parts = [];
  if (mark.kind === "ruler") {
    parts.push(overlayLine(from, to, "mark"));
  } else {
    const radius = Math.hypot(to.x - from.x, to.y - from.y);
    parts.push(h("circle", { cx: overlayAt(from.x), cy: overlayAt(from.y), r: overlayAt(radius), class: "mark" }));
  }
  parts.push(h("circle", { cx: overlayAt(from.x), cy: overlayAt(from.y), r: 2, class: "mark-end" }));
  if (isLarge) {
    const right = to.x < 0.7;
    const at = { x: to.x + (right ? 0.015 : -0.015), y: Math.min(0.95, Math.max(0.05, to.y)) };
    parts.push(overlayText(at, measure(mark), right ? "note start" : "note end"));
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
    this.marks = [...this.marks.filter((mark) => mark.kind !== kind), { kind, from, to }];
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
  measure(mark) {
    const { length, angle } = separation(this.plane, this.pixel(mark.from), this.pixel(mark.to));
    const text = `${length.toFixed(2)}″`;
    if (mark.kind === "circle") {
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
      measure: (mark) => this.measure(mark)
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

// app/label/single.js
var STAMPS_AHEAD = 10;
var STAMPS_BEHIND = 3;
var SingleView = class {
  constructor(start, geometries, pool, onChange) {
    this.geometries = geometries;
    this.pool = pool;
    this.controls = new ImageControls(start, () => {
      this.redraw();
      onChange();
    });
    this.viewer = new ImageViewer(pool, readPalettes(start.palettes));
    this.toolbar = new ImageToolbar(this.viewer, this.controls);
    this.entry = null;
    this.shownAt = 0;
    this.node = h("div", { className: "single" }, this.toolbar.node, this.viewer.node, this.controls.node);
  }
  // Draw a cutout; resolves to whether it is still the one shown, once it is drawn.
  show(entry, upcoming, behind) {
    this.entry = entry;
    this.shownAt = performance.now();
    const geometry = this.geometries[entry.kind];
    this.controls.setCatalog(geometry);
    const drawn = this.viewer.show(asRow(entry), geometry, this.controls.view);
    this.toolbar.render();
    this.pool.ahead([...upcoming.slice(0, STAMPS_AHEAD), ...behind.slice(0, STAMPS_BEHIND)].flatMap((near) => this.viewer.urls(asRow(near), this.geometries[near.kind], this.controls.view)));
    return drawn.then((still) => {
      if (still && entry === this.entry) {
        this.shownAt = performance.now();
      }
      return still && entry === this.entry;
    });
  }
  redraw() {
    if (this.entry !== null && !this.node.hidden) {
      this.viewer.show(asRow(this.entry), this.geometries[this.entry.kind], this.controls.view);
      this.toolbar.render();
    }
  }
  get shownMs() {
    return performance.now() - this.shownAt;
  }
  // What was on screen, for the log.
  get record() {
    const geometry = this.entry === null ? null : this.geometries[this.entry.kind];
    return { mode: "single", band: this.viewer.shown, ...viewRecord(this.controls.view, geometry) };
  }
  clear() {
    this.entry = null;
    this.viewer.clear();
  }
};
var ROWS = /* @__PURE__ */ new WeakMap();
function asRow(entry) {
  if (!ROWS.has(entry)) {
    ROWS.set(entry, { id: entry.token, index: entry.token, version: "" });
  }
  return ROWS.get(entry);
}

// app/label/mosaic.js
var LAYOUTS = [[5, 4], [6, 5], [8, 5], [8, 6], [10, 8], [10, 10]];
var MosaicView = class {
  // `onMark` is called with an entry and a grade (null: take the mark away), `onRest` when what has none gets one.
  constructor(geometries, pool, scheme, view, { onMark, onLayout, onRest }) {
    this.geometries = geometries;
    this.pool = pool;
    this.scheme = scheme;
    this.brush = scheme.grades[0].key;
    this.view = view;
    this.onMark = onMark;
    this.entries = [];
    this.cells = [];
    this.cursor = 0;
    this.shownAt = 0;
    this.columns = 5;
    this.rows = 4;
    this.layout = h("select", { "aria-label": "Cutouts per page", onchange: () => {
      onLayout(LAYOUTS[this.layout.selectedIndex]);
      this.layout.blur();
    } }, LAYOUTS.map(([columns, rows]) => h("option", {}, `${columns} × ${rows}`)));
    this.grid = h("div", { className: "mosaic-grid", role: "group", "aria-label": "Cutouts" });
    this.hint = h("p", { className: "faint mosaic-hint" });
    this.rest = h("button", { type: "button", onclick: () => onRest() });
    this.node = h(
      "div",
      { className: "mosaic", hidden: true },
      h("div", { className: "mosaic-head" }, h("label", {}, "Page ", this.layout), this.rest, this.hint),
      this.grid
    );
  }
  setLayout([columns, rows]) {
    this.columns = columns;
    this.rows = rows;
    this.layout.selectedIndex = Math.max(0, LAYOUTS.findIndex(([c, r]) => c === columns && r === rows));
    this.node.style.setProperty("--columns", columns);
    this.node.style.setProperty("--rows", rows);
  }
  get size() {
    return this.columns * this.rows;
  }
  // Draw a page; resolves when all of its pictures are drawn.
  show(entries, upcoming) {
    this.entries = entries;
    this.cursor = 0;
    this.shownAt = performance.now();
    while (this.cells.length > entries.length) {
      this.cells.pop().node.remove();
    }
    while (this.cells.length < entries.length) {
      this.addCell(this.cells.length);
    }
    const drawn = this.draw();
    this.pool.ahead(upcoming.map((entry) => this.url(entry)));
    return drawn.then((all) => {
      if (entries === this.entries) {
        this.shownAt = performance.now();
      }
      return entries === this.entries && all.every(Boolean);
    });
  }
  draw() {
    const { invert, smooth } = this.view();
    this.node.classList.toggle("inverted", invert);
    this.node.classList.toggle("smooth", smooth);
    const drawn = Promise.all(this.cells.map(({ frame }, k) => frame.show(this.pool, this.url(this.entries[k]))));
    this.mark();
    return drawn;
  }
  url(entry) {
    return tileUrl(this.geometries[entry.kind], asRow(entry), null, this.view());
  }
  addCell(k) {
    const frame = new Frame();
    const badge = h("span", { className: "badge" });
    const node = h("button", {
      type: "button",
      className: "cell",
      tabIndex: -1,
      onpointerenter: () => this.moveTo(k),
      onclick: () => {
        this.moveTo(k);
        this.toggle(this.entries[k]);
      }
    }, frame.node, badge);
    this.cells.push({ frame, badge, node });
    this.grid.append(node);
  }
  get focused() {
    return this.entries[this.cursor];
  }
  moveTo(k) {
    this.cursor = Math.max(0, Math.min(this.entries.length - 1, k));
    this.mark();
  }
  move(dx, dy) {
    this.moveTo(this.cursor + dx + dy * this.columns);
  }
  // A click marks with the brush, and takes its mark away again.
  toggle(entry) {
    this.onMark(entry, entry.response?.grade === this.brush ? null : this.brush);
  }
  // Show which cutouts have which grade, and where the cursor is.
  mark() {
    this.cells.forEach(({ badge, node }, k) => {
      const entry = this.entries[k];
      const grade = this.scheme.grades.find(({ key }) => key === entry.response?.grade);
      badge.textContent = entry.response?.kind === "skip" ? "skipped" : entry.response?.grade ?? "";
      node.dataset.verdict = entry.response === null ? "" : verdictOf(grade);
      node.setAttribute("aria-label", `Cutout ${k + 1}${grade ? `, ${grade.title}` : ""}`);
      node.classList.toggle("flagged", entry.flagged);
      node.classList.toggle("focused", k === this.cursor);
    });
  }
  describe(restTitle, restKey) {
    const brush = this.scheme.grades.find(({ key }) => key === this.brush);
    this.hint.replaceChildren(
      `Click: ${brush.title} (${brush.key}). A grade's key marks the cutout under the `,
      "pointer, arrows move."
    );
    this.rest.replaceChildren(`The rest: ${restTitle} `, h("kbd", {}, restKey));
  }
  get shownMs() {
    return performance.now() - this.shownAt;
  }
  get record() {
    const [first] = this.entries;
    const geometry = first === void 0 ? null : this.geometries[first.kind];
    return { mode: "mosaic", columns: this.columns, rows: this.rows, ...viewRecord(this.view(), geometry) };
  }
};
function verdictOf(grade) {
  return grade === void 0 ? "none" : grade.is_lens === 1 ? "lens" : grade.is_lens === 0 ? "not" : "open";
}

// app/label/panel.js
var BREAK_AFTER_MS = 45 * 60 * 1e3;
var PAUSE_MS = 5 * 60 * 1e3;
var LabelPanel = class {
  constructor(start, act) {
    this.scheme = start.scheme;
    this.reasons = start.reasons;
    this.act = act;
    const no = start.scheme.grades.findLast(({ is_lens }) => is_lens === 0);
    this.hasReasons = no !== void 0;
    this.worst = no ?? start.scheme.grades.at(-1);
    this.begunAt = this.lastAt = Date.now();
    this.buttons = new Map(start.scheme.grades.map((grade) => [grade.key, h("button", {
      type: "button",
      className: "grade",
      "data-verdict": verdictOf(grade),
      onclick: () => act.grade(grade.key)
    }, h("kbd", {}), h("b", {}, grade.key), h("span", {}, grade.title))]));
    this.slider = start.scheme.continuous ? this.makeSlider() : null;
    this.reasonBox = h(
      "div",
      { className: "reasons", hidden: true, role: "group", "aria-label": "Reason" },
      h("p", {}, `“${this.worst.title}”, because it is a …`),
      Object.entries(start.reasons).map(([reason2, text]) => h("button", {
        type: "button",
        onclick: () => act.reject(reason2)
      }, h("kbd", {}, SECOND_KEYS[reason2]), text)),
      h("p", { className: "faint" }, h("kbd", {}, "Esc"), " to leave it")
    );
    this.note = h("textarea", {
      rows: 2,
      maxLength: 4e3,
      placeholder: "Note on this cutout",
      "aria-label": "Note on this cutout",
      onkeydown: (event) => {
        if (event.key === "Escape" || event.key === "Enter" && !event.shiftKey) {
          event.preventDefault();
          event.stopPropagation();
          this.note.blur();
        }
      }
    });
    this.response = h("p", { className: "response" });
    this.feedback = h("div", { className: "feedback", role: "status", hidden: true });
    this.facts = h("dl", { className: "facts" });
    this.seen = h("dl", { className: "facts seen", hidden: true });
    this.bar = h("span", { className: "fill" });
    this.progress = h("p", { className: "progress" });
    this.pause = h("p", { className: "pause", role: "status", hidden: true });
    const small = (action, text) => h("button", {
      type: "button",
      "data-action": action,
      onclick: () => act[action]()
    }, h("kbd", {}), text);
    this.tools = h(
      "div",
      { className: "tools" },
      small("undo", "Undo"),
      small("back", "Back"),
      small("skip", "Skip"),
      small("flag", "Flag"),
      this.hasReasons ? small("reason", "No, because …") : null
    );
    this.node = h(
      "aside",
      { className: "side label-side", "aria-label": "Grades" },
      h("div", { className: "progress-box" }, this.progress, h("span", { className: "meter" }, this.bar)),
      this.seen,
      this.response,
      h("div", { className: "grades" }, ...this.buttons.values()),
      this.slider,
      this.reasonBox,
      this.tools,
      this.note,
      this.feedback,
      this.pause,
      this.facts
    );
  }
  // Any probability, for schemes that ask for one.
  makeSlider() {
    const output = h("output", {}, "0.50");
    const range = h("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.01,
      value: 0.5,
      "aria-label": "Probability of a lens",
      oninput: () => {
        output.textContent = Number(range.value).toFixed(2);
      }
    });
    return h("div", { className: "probability" }, range, output, h("button", {
      type: "button",
      onclick: () => {
        range.blur();
        this.act.grade(String(Number(range.value)));
      }
    }, "Set"));
  }
  setKeys(keys) {
    for (const [key, button] of this.buttons) {
      button.querySelector("kbd").textContent = shownKey(keys[`grade:${key}`]);
    }
    for (const button of this.tools.children) {
      button.querySelector("kbd").textContent = shownKey(keys[button.dataset.action]);
    }
  }
  // What is there to say of a cutout; null: there is none.
  show(entry) {
    if (entry !== this.entry) {
      this.note.value = entry?.response?.comment ?? "";
    }
    this.entry = entry;
    const response = entry?.response ?? null;
    for (const [key, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(response?.grade === key));
    }
    const flag = entry?.flagged ? "Flagged for discussion. " : "";
    const reason2 = response?.reject_reason ? `: ${this.reasons[response.reject_reason]}` : "";
    this.response.textContent = flag + (response === null ? "" : response.kind === "skip" ? "You skipped this cutout." : `Your grade: ${response.grade}${reason2}.`);
    this.showSeen(entry);
    this.askReason(false);
  }
  // Scores and votes, in sessions that are not blind.
  showSeen(entry) {
    this.seen.hidden = entry?.object_id === void 0;
    if (this.seen.hidden) {
      return;
    }
    const votes = entry.votes.map(([name, grade]) => `${name} ${grade}`).join(", ");
    this.seen.replaceChildren(...[
      ["Object", entry.object_id],
      ["Score", formatProbability(entry.score)],
      ["Chosen for", entry.why || MISSING],
      ["Votes", votes || MISSING]
    ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }
  askReason(open) {
    this.reasonBox.hidden = !open;
    return open;
  }
  setProgress(done, total) {
    this.progress.replaceChildren(h("b", {}, formatCount(done)), ` of ${formatCount(total)}`);
    this.bar.style.width = total ? `${100 * done / total}%` : "0";
  }
  setFigures(figures) {
    const fraction = (found) => found === null || found === void 0 ? MISSING : `${(100 * found.value).toFixed(0)} % (${(100 * found.low_95).toFixed(0)}–${(100 * found.high_95).toFixed(0)}), ${found.found} of ${found.total}`;
    const pace = figures.seconds === null ? MISSING : `${figures.recent_seconds.toFixed(1)} s lately, ${figures.seconds.toFixed(1)} s in all`;
    this.facts.replaceChildren(...[
      ["Seconds per cutout", pace, "Median; pauses of over two minutes are left out"],
      ["Repeats agree", fraction(figures.repeats), "Cutouts shown twice that got the same grade; 95 % interval"],
      ["Known lenses found", fraction(figures.gold_lenses), "95 % interval"],
      ["Known non-lenses rejected", fraction(figures.gold_non_lenses), "95 % interval"]
    ].map(([name, value, title]) => h("div", { title }, h("dt", {}, name), h("dd", {}, value))));
  }
  // In the tutorial, after a grade: the explanation is to come, and `goOn` leaves it.
  await(goOn) {
    this.feedback.hidden = false;
    delete this.feedback.dataset.right;
    this.explanation = h("div", {}, h("p", {}, "The explanation follows when the grade is saved …"));
    this.feedback.classList.add("paused");
    this.feedback.replaceChildren(this.explanation, h("button", {
      type: "button",
      className: "primary",
      onclick: goOn
    }, h("kbd", {}, "Space"), "Next cutout"));
  }
  explain(told) {
    this.feedback.dataset.right = String(told.right);
    this.explanation.replaceChildren(
      h("b", {}, `${verdictOn(told)}: this is ${told.answer ? "a lens" : "no lens"}.`),
      h("p", {}, told.explanation)
    );
  }
  // After a gold object: whether the grade was right, and what it is.
  setFeedback(told, url) {
    this.feedback.hidden = told === null;
    this.feedback.classList.remove("paused");
    if (told === null) {
      return;
    }
    this.feedback.dataset.right = String(told.right);
    this.feedback.replaceChildren(
      picture({ src: url, alt: "The cutout before" }),
      h(
        "div",
        {},
        h("b", {}, `${verdictOn(told)}: the one before was ${told.answer ? "a lens" : "no lens"}.`),
        h("p", {}, told.explanation)
      )
    );
  }
  // Called at every grade: after a long run, a word about a break.
  beat() {
    const now = Date.now();
    if (now - this.lastAt > PAUSE_MS) {
      this.begunAt = now;
    }
    this.lastAt = now;
    const minutes = Math.floor((now - this.begunAt) / 6e4);
    this.pause.hidden = now - this.begunAt < BREAK_AFTER_MS;
    if (!this.pause.hidden) {
      this.pause.textContent = `You have graded for ${minutes} minutes without a break; a few minutes away from the screen keep grades consistent.`;
    }
  }
};
function verdictOn({ right }) {
  return right === null ? "Undecided" : right ? "Right" : "Not quite";
}

// app/label/pause.js
var Pause = class {
  /** @param {import("./panel.js").LabelPanel} panel where the explanation stands */
  constructor(panel) {
    this.panel = panel;
    this.uuid = null;
  }
  get on() {
    return this.uuid !== null;
  }
  begin(entry, goOn) {
    this.uuid = entry.response.uuid;
    this.panel.show(entry);
    this.panel.await(goOn);
  }
  // Whether a key goes on: Space, Enter, or one that grades.
  endsBy(event, gradeKeys) {
    return this.on && !isTyping(event) && !event.ctrlKey && !event.metaKey && !event.altKey && ([" ", "Enter"].includes(event.key) || gradeKeys.has(event.key));
  }
  end() {
    if (!this.on) {
      return;
    }
    this.uuid = null;
    this.panel.setFeedback(null);
  }
};

// app/label/preferences.js
var Preferences = class {
  /**
   * @param {any} stored
   * @param {object} parts
   * @param {() => void} parts.onAway the server did not answer
   * @param {(sentence: string) => void} parts.onProblem
   */
  constructor(stored, { onAway, onProblem }) {
    this.values = { hand: "own", own: {}, layout: [5, 4], mosaic: false, ...stored };
    this.onAway = onAway;
    this.onProblem = onProblem;
    this.unsaid = false;
  }
  change(changes) {
    Object.assign(this.values, changes);
    this.send();
  }
  async send() {
    this.unsaid = true;
    try {
      await post("labeling/preferences", { label: this.values });
      this.unsaid = false;
    } catch (error) {
      if (error.passing) {
        this.onAway();
      } else {
        this.onProblem(error.message);
      }
    }
  }
  serverIsBack() {
    if (this.unsaid) {
      this.send();
    }
  }
};

// app/label/strokes.js
var Strokes = class {
  constructor() {
    this.all = [];
  }
  // A stroke that gave events to entries.
  add(given) {
    this.all.push(given);
  }
  // The latest stroke, which is no longer one; undefined where there is none.
  takeLast() {
    return this.all.pop();
  }
  // Forget one event, which was taken back by itself.
  forget(uuid) {
    this.all = this.all.map((stroke) => stroke.filter((one) => one.uuid !== uuid)).filter((stroke) => stroke.length);
  }
  // Begin with the responses of a session's earlier visits, and with events that are still on their way,
  // which count as given.
  restore(queue, unsent) {
    for (const { entry, uuid } of queue.entries.map((entry2) => ({ entry: entry2, uuid: entry2.response?.uuid }))) {
      if (uuid) {
        this.add([{ entry, uuid, before: null }]);
      }
    }
    for (const event of unsent) {
      const entry = queue.byToken.get(event.token);
      if (entry === void 0) {
        continue;
      }
      if (event.kind === "grade" || event.kind === "skip") {
        this.add([{ entry, uuid: event.uuid, before: entry.response }]);
        queue.say(entry, event, false);
      } else if (event.kind === "undo" && entry.response?.uuid === event.undoes) {
        queue.say(entry, null, false);
      }
    }
  }
};

// app/label/view.js
var FIGURES_EVERY = 10;
var LabelingView = class {
  constructor(model, start) {
    this.start = start;
    this.session = start.session;
    this.scheme = start.scheme;
    this.geometries = start.geometries;
    this.preferences = new Preferences(start.preferences.label, {
      onAway: () => this.connection.lost(),
      onProblem: (sentence) => this.notify(sentence)
    });
    this.pool = new TilePool();
    this.strokes = new Strokes();
    this.mosaicOn = this.preferences.values.mosaic === true;
    this.queue = new LabelQueue(this.session.id, start, () => this.arrived());
    this.end = new SessionEnd(this.session, this.queue);
    this.connection = new Connection({
      probe: () => this.ping(),
      onChange: () => this.showConnection(),
      onBack: () => this.serverIsBack(),
      later: (action, ms) => setTimeout(action, ms)
    });
    this.panel = new LabelPanel(start, this.actions());
    this.pause = new Pause(this.panel);
    this.single = new SingleView(start, this.geometries, this.pool, () => this.mosaicOn && this.mosaic.draw());
    this.lens = this.session.lens_test ? new LensPanel({ viewer: this.single.viewer, ask: (row, asked) => post(`lens-test/~${this.session.id}`, { token: row.id, ...asked }) }, { curves: true }, () => {
    }) : null;
    this.mosaic = new MosaicView(this.geometries, this.pool, this.scheme, () => this.single.controls.view, {
      onMark: (entry, grade) => this.markOne(entry, grade),
      onLayout: (layout) => {
        this.preferences.change({ layout });
        this.mosaic.setLayout(layout);
        this.draw();
      },
      onRest: () => this.rest()
    });
    this.mosaic.setLayout(this.preferences.values.layout);
    this.chooser = new KeyChooser(this.scheme, (chosen) => {
      this.preferences.change(chosen);
      this.bindKeys();
    });
    this.build();
    if (this.lens !== null) {
      this.panel.node.append(this.lens.node);
    }
    this.outbox = new PageOutbox({
      place: `${this.session.id}:${start.grader.id}`,
      path: `labeling/${this.session.id}/events`,
      about: { grader: start.grader.id },
      onChange: (outbox) => this.showOutbox(outbox),
      onSettled: ({ uuid }, { feedback }) => {
        if (feedback !== void 0) {
          this.told(uuid, feedback);
        }
      }
    });
    this.outbox.takeOver();
    this.strokes.restore(this.queue, [...this.outbox.waiting.values()].map(({ event }) => event));
    this.bindKeys();
    this.panel.setFigures(start.figures);
    this.queue.toFront();
    this.draw();
    model.document?.on_event?.("connection_lost", () => this.connection.detach());
  }
  build() {
    const text = (label, key, action) => h(
      "button",
      { type: "button", className: "text", onclick: action },
      label,
      key ? h("kbd", {}, key) : null
    );
    this.unsaved = new OutboxStatus();
    this.bar = new ConnectionBar();
    this.modes = h(
      "div",
      { className: "segments", role: "group", "aria-label": "Layout" },
      h("button", { type: "button", onclick: () => this.setMode(false) }, "One at a time"),
      h("button", { type: "button", onclick: () => this.setMode(true) }, "Mosaic")
    );
    this.references = new ReferenceDrawer((then, failed) => ask(`labeling/${this.session.id}/references`).then(
      ({ references }) => then(references),
      (error) => failed(error.message)
    ));
    this.notices = h("div", { className: "notices", role: "status" }, this.bar.node, this.unsaved.refused);
    this.stage = h(
      "section",
      { className: "viewer view-stage", "aria-label": "Cutout" },
      this.single.node,
      this.mosaic.node,
      this.end.node
    );
    this.node = h(
      "div",
      { className: "work-view labeling-view" },
      h(
        "header",
        { className: "view-head" },
        h("a", { href: "label" }, "Sessions"),
        h("h2", { title: this.session.name }, this.session.name),
        h("span", { className: "chip" }, this.session.blind ? "blind" : "scores shown"),
        h("span", { className: "spacer" }),
        this.unsaved.node,
        this.modes,
        text("References ", "R", () => this.references.toggle()),
        text("Choose keys", "", () => this.chooser.open(this.preferences.values.hand, this.preferences.values.own)),
        text("Keys ", "?", () => this.keyboard.toggleHelp())
      ),
      this.notices,
      h("div", { className: "label-columns" }, this.stage, this.panel.node),
      this.references.node,
      this.chooser.dialog
    );
    this.keyboard = null;
    this.onKeyFirst = (event) => this.keyFirst(event);
    document.addEventListener("keydown", this.onKeyFirst, true);
    this.node.addEventListener("click", (event) => giveKeysBack(this.node, event));
  }
  // Keys before the keyboard has them. One that is held down gives one grade.
  keyFirst(event) {
    if (event.repeat && (this.graded.has(event.key) || this.pause.on)) {
      event.stopImmediatePropagation();
      return;
    }
    const open = this.keyboard.dialog.open || this.chooser.dialog.open;
    if (!open && this.pause.endsBy(event, this.graded)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.goOn(event.timeStamp);
      return;
    }
    if (!this.panel.reasonBox.hidden && !isTyping(event)) {
      this.pressReason(event);
    }
  }
  bindKeys() {
    this.keyboard?.remove();
    this.keyboard?.dialog.remove();
    this.keys = labelKeys(this.scheme, this.preferences.values.hand, this.preferences.values.own);
    const compare = { title: "Compare", keys: [REFERENCE_KEYS] };
    const viewer = [...this.lens === null ? [] : [LENS_KEYS], IMAGE_KEYS, ZOOM_KEYS, STRETCH_KEYS, compare];
    const grades = Object.fromEntries(this.scheme.grades.map(({ key }) => [`grade:${key}`, (_, at) => this.grade(key, at)]));
    const image = imageActions(this.single.viewer, this.single.controls);
    this.graded = new Set(Object.entries(this.keys).filter(([action]) => action.startsWith("grade:") || ["skip", "rest"].includes(action)).map(([, key]) => key));
    this.keyboard = new Keyboard(keySections(this.scheme, this.keys, viewer), {
      ...image,
      ...grades,
      ...this.actions(),
      none: () => {
      },
      lensTest: () => this.testLens(),
      references: () => this.references.toggle(),
      nextBand: () => this.mosaicOn ? this.mosaic.move(1, 0) : image.nextBand(),
      previousBand: () => this.mosaicOn ? this.mosaic.move(-1, 0) : image.previousBand(),
      back: () => this.mosaicOn ? this.mosaic.move(0, -1) : this.actions().back(),
      forward: () => this.mosaicOn ? this.mosaic.move(0, 1) : this.actions().forward()
    });
    this.node.append(this.keyboard.dialog);
    this.panel.setKeys(this.keys);
    const rest = this.panel.worst;
    this.mosaic.describe(rest.title, shownKey(this.keys.rest));
  }
  actions() {
    return {
      grade: (key) => this.grade(key),
      reject: (reason2) => this.reject(reason2),
      undo: () => this.undo(),
      back: () => this.step(-1),
      forward: () => this.step(1),
      front: () => {
        this.pause.end();
        this.queue.toFront();
        this.draw();
      },
      skip: (_, at) => this.skip(at),
      flag: () => this.flag(),
      reason: () => this.target !== void 0 && this.panel.hasReasons && this.panel.askReason(true),
      note: () => this.panel.note.focus(),
      mode: () => this.setMode(!this.mosaicOn),
      rest: (_, at) => this.rest(at)
    };
  }
  get view() {
    return this.mosaicOn ? this.mosaic : this.single;
  }
  // The cutout that keys are about.
  get target() {
    return this.mosaicOn ? this.mosaic.focused : this.queue.current;
  }
  // --- what the grader does -----------------------------------------------------------------------
  event(kind, entry, more = {}) {
    return {
      uuid: crypto.randomUUID(),
      kind,
      token: entry.token,
      given_at: (/* @__PURE__ */ new Date()).toISOString(),
      shown_ms: Math.round(this.view.shownMs),
      view: this.onScreen,
      ...more
    };
  }
  // What was on screen, for the log.
  get onScreen() {
    return this.lens === null ? this.view.record : { ...this.view.record, lens_test: !this.mosaicOn && this.lens.isShown };
  }
  // Fit a lens to the cutout that is shown; for the next one it is asked for anew.
  testLens() {
    if (this.mosaicOn || this.target === void 0) {
      return;
    }
    this.lens.open(true);
    this.lens.run();
  }
  closeLens() {
    this.lens?.clear();
    this.lens?.open(false);
  }
  // Say something of cutouts in one stroke, that one undo takes back.
  stroke(kind, entries, more = {}) {
    const given = entries.map((entry) => ({ entry, before: entry.response, event: this.event(kind, entry, more) }));
    for (const { entry, event } of given) {
      this.queue.say(entry, event);
    }
    this.strokes.add(given.map(({ entry, before, event }) => ({ entry, before, uuid: event.uuid })));
    this.outbox.add(given.map(({ event }) => event));
    this.panel.beat();
    this.panel.setProgress(this.queue.nDone, this.queue.total);
  }
  grade(key, at = performance.now(), reason2 = null) {
    const { target } = this;
    if (target === void 0 || !this.session.open) {
      return;
    }
    if (this.pause.on) {
      this.goOn(at);
      return;
    }
    const comment = this.mosaicOn ? "" : this.panel.note.value.trim();
    this.stroke("grade", [target], { grade: key, reject_reason: reason2, comment });
    if (this.mosaicOn) {
      this.mosaic.brush = this.scheme.grades.some((grade) => grade.key === key) ? key : this.mosaic.brush;
      this.afterMark();
    } else if (this.session.tutorial) {
      this.pause.begin(target, () => this.goOn(performance.now()));
    } else {
      this.next(at);
    }
  }
  goOn(at) {
    this.pause.end();
    this.next(at);
  }
  reject(reason2) {
    this.grade(this.panel.worst.key, performance.now(), reason2);
  }
  pressReason(event) {
    event.stopImmediatePropagation();
    const reason2 = Object.keys(SECOND_KEYS).find((name) => SECOND_KEYS[name] === event.key);
    if (reason2 === void 0 && event.key !== "Escape") {
      return;
    }
    event.preventDefault();
    this.panel.askReason(false);
    if (reason2 !== void 0) {
      this.reject(reason2);
    }
  }
  skip(at = performance.now()) {
    if (this.pause.on) {
      this.goOn(at);
      return;
    }
    const { target } = this;
    if (target === void 0 || !this.session.open) {
      return;
    }
    this.stroke("skip", [target], { comment: this.mosaicOn ? "" : this.panel.note.value.trim() });
    if (this.mosaicOn) {
      this.afterMark();
    } else {
      this.next(at);
    }
  }
  flag() {
    const { target } = this;
    if (target === void 0 || !this.session.open) {
      return;
    }
    this.outbox.add([this.event(target.flagged ? "unflag" : "flag", target, { comment: this.panel.note.value.trim() })]);
    target.flagged = !target.flagged;
    this.mosaicOn ? this.afterMark() : this.panel.show(target);
  }
  undo() {
    const stroke = this.strokes.takeLast();
    if (stroke === void 0) {
      return;
    }
    this.pause.end();
    this.outbox.add(stroke.map(({ entry, uuid }) => this.event("undo", entry, { undoes: uuid })));
    for (const { entry, before } of stroke) {
      this.queue.say(entry, before);
      entry.again = this.queue.offered && before?.kind === "skip";
    }
    this.panel.setProgress(this.queue.nDone, this.queue.total);
    this.panel.setFeedback(null);
    if (this.mosaicOn && stroke.every(({ entry }) => this.mosaic.entries.includes(entry))) {
      this.afterMark();
    } else {
      this.queue.goTo(stroke[0].entry);
      this.draw();
    }
  }
  markOne(entry, grade) {
    if (!this.session.open) {
      return;
    }
    if (grade !== null) {
      this.stroke("grade", [entry], { grade });
    } else {
      const { uuid } = entry.response;
      this.outbox.add([this.event("undo", entry, { undoes: uuid })]);
      this.strokes.forget(uuid);
      this.queue.say(entry, null);
    }
    this.afterMark();
  }
  afterMark() {
    this.mosaic.mark();
    this.panel.show(this.target);
    this.panel.setProgress(this.queue.nDone, this.queue.total);
  }
  // The rest of the page gets the grade for no lens; on to the next page.
  rest(at = performance.now()) {
    if (!this.mosaicOn || !this.mosaic.entries.length || !this.session.open) {
      return;
    }
    const open = this.mosaic.entries.filter(isOpen);
    if (open.length) {
      this.stroke("grade", open, { grade: this.panel.worst.key });
    }
    this.queue.toFront();
    this.draw(at);
    this.maybeFigures();
  }
  step(direction) {
    this.pause.end();
    this.queue.move(direction);
    this.draw();
  }
  next(at) {
    this.queue.advance();
    this.draw(at);
    this.maybeFigures();
  }
  setMode(mosaic) {
    this.pause.end();
    this.mosaicOn = mosaic;
    this.preferences.change({ mosaic });
    this.queue.toFront();
    this.draw();
  }
  // --- what is shown ------------------------------------------------------------------------------
  draw(at = performance.now()) {
    this.modes.children[0].setAttribute("aria-pressed", String(!this.mosaicOn));
    this.modes.children[1].setAttribute("aria-pressed", String(this.mosaicOn));
    const here = this.queue.current;
    if (this.mosaicOn || here === void 0) {
      this.closeLens();
    }
    this.showEnd(here === void 0);
    this.single.node.hidden = this.mosaicOn || here === void 0;
    this.mosaic.node.hidden = !this.mosaicOn || here === void 0;
    this.panel.setProgress(this.queue.nDone, this.queue.total);
    if (here === void 0) {
      this.panel.show(null);
      delete this.node.dataset.shown;
      return;
    }
    const drawn = this.mosaicOn ? this.drawPage() : this.drawOne(here);
    this.panel.show(this.target);
    const shown = this.target.token;
    drawn.then((still) => still && requestAnimationFrame(() => {
      this.node.dataset.shown = shown;
      this.node.dataset.latencyMs = String(performance.now() - at);
    }));
  }
  drawOne(entry) {
    if (this.lens?.row !== asRow(entry)) {
      this.closeLens();
    }
    const { entries } = this.queue;
    const at = this.queue.at;
    const drawn = this.single.show(
      entry,
      entries.slice(at + 1, at + 1 + STAMPS_AHEAD),
      entries.slice(Math.max(0, at - STAMPS_BEHIND), at).reverse()
    );
    if (this.lens?.row === void 0) {
      this.lens?.candidate(asRow(entry));
    }
    return drawn;
  }
  drawPage() {
    const { size } = this.mosaic;
    const ahead = this.queue.ahead(2 * size);
    this.queue.fetchMore(3 * size);
    return this.mosaic.show(ahead.slice(0, size), ahead.slice(size));
  }
  // More cutouts have come: show the first where there was none.
  arrived() {
    if (this.queue.failed) {
      this.connection.lost();
    }
    if (this.node !== void 0 && (!this.end.node.hidden || this.mosaicOn && this.mosaic.entries.length < this.mosaic.size && this.mosaic.entries.every(isOpen))) {
      this.queue.toFront();
      this.draw();
    }
  }
  showEnd(ended) {
    this.end.show(ended, this.outbox?.unsent === 0);
  }
  showOutbox(outbox) {
    this.unsaved.show(outbox);
    this.node.dataset.unsent = String(outbox.unsent);
    if (outbox.unanswered) {
      this.connection.lost();
    }
    if (outbox.unsent === 0 && !this.end.node.hidden) {
      this.showEnd(true);
    }
  }
  // Rejects while the server is away; that it refuses is an answer.
  async ping() {
    await ask(`labeling/${this.session.id}/metrics`).catch((error) => {
      if (error.passing) {
        throw error;
      }
    });
  }
  showConnection() {
    this.bar.show(this.connection);
    this.node.dataset.connection = ConnectionBar.stateOf(this.connection);
  }
  // Send and ask again what got no answer.
  serverIsBack() {
    this.outbox.flush();
    this.draw();
    this.preferences.serverIsBack();
  }
  told(uuid, told) {
    const entry = this.queue.entries.find(({ response }) => response?.uuid === uuid);
    if (entry === void 0 || !this.pause.on && this.session.tutorial && !this.mosaicOn) {
      return;
    }
    if (this.pause.on) {
      if (this.pause.uuid === uuid) {
        this.panel.explain(told);
      }
      return;
    }
    this.panel.setFeedback(told, tileUrl(this.geometries[entry.kind], asRow(entry), null, this.single.controls.view));
  }
  maybeFigures() {
    this.sinceFigures = (this.sinceFigures ?? 0) + 1;
    if (this.sinceFigures < FIGURES_EVERY && !this.mosaicOn) {
      return;
    }
    this.sinceFigures = 0;
    ask(`labeling/${this.session.id}/metrics`).then((figures) => this.panel.setFigures(figures), () => {
    });
  }
  notify(sentence) {
    const node = h("p", { className: "fault", role: "alert" }, h("span", {}, sentence), h("button", {
      type: "button",
      className: "icon",
      "aria-label": "Dismiss",
      onclick: () => node.remove()
    }, "×"));
    this.notices.append(node);
  }
  remove() {
    document.removeEventListener("keydown", this.onKeyFirst, true);
    this.keyboard.remove();
    this.connection.close();
    this.outbox.remove();
    this.queue.remove();
    this.lens?.remove();
  }
};
function giveKeysBack(node, event) {
  const keeps = event.composedPath().some((one) => one.matches?.("dialog, textarea, select, input"));
  if (event.detail > 0 && !keeps) {
    node.getRootNode().activeElement?.blur?.();
  }
}
function render({ model }) {
  const view = new LabelingView(model, model.start);
  model.on("remove", () => view.remove());
  return view.node;
}
export {
  render
};
