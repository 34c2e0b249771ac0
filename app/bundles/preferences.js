// Made by "make scripts" from app/settings/preferences.js; edit that. Sources: sha256 b2f03d86e7d46bfd6ef3eb5f7b590e0391be3b025be2b52317af081b2e25f563
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

// app/settings/preferences.js
var capital = (text) => text[0].toUpperCase() + text.slice(1);
var NOT_ALLOWED = "This browser does not allow notifications of this site; its settings say why.";
var NONE_HERE = "This browser has no notifications for pages without TLS.";
var PreferencesForm = class {
  constructor({ stored, presets }) {
    this.stored = stored;
    this.values = preferencesOf(stored);
    this.said = h("p", { role: "status" }, this.place);
    const none = globalThis.Notification === void 0;
    this.notify = h("input", {
      type: "checkbox",
      checked: this.values.notify && !none,
      disabled: none,
      onchange: () => this.switchNotifying()
    });
    this.node = h(
      "form",
      { onsubmit: (event) => event.preventDefault() },
      this.select("theme", "Colors", { "": "As last used, else that of the system", system: "As the system", light: "Light", dark: "Dark" }),
      this.select("stretch", "Initial stretch of pictures", {
        "": "As it was left",
        ...Object.fromEntries(presets.map((name) => [name, capital(name)]))
      }),
      this.select("advance", "After a grade in Review", { "": "As it was left", on: "Go to the next candidate", off: "Stay" }),
      this.select("grade_keys", "Keys that grade in Review", {
        review: "a, then the letter; or Shift and the letter",
        label: "One key, as in Label"
      }),
      h(
        "label",
        { className: "box", title: none ? NONE_HERE : null },
        this.notify,
        h("span", {}, "Notifications of the browser when a run ends")
      ),
      this.said
    );
  }
  get place() {
    return this.stored === null ? "Kept in this browser." : "Kept with your name.";
  }
  select(name, title, texts) {
    const box = h(
      "select",
      { "aria-label": title, onchange: () => this.keep({ [name]: box.value }) },
      Object.entries(texts).map(([value, text]) => h("option", { value }, text))
    );
    box.value = this.values[name];
    return h("label", {}, h("span", {}, title), box);
  }
  async switchNotifying() {
    if (this.notify.checked && await Notification.requestPermission() !== "granted") {
      this.notify.checked = false;
      this.say(NOT_ALLOWED, true);
      return;
    }
    await this.keep({ notify: this.notify.checked });
  }
  async keep(changes) {
    try {
      this.values = await keepPreferences(changes, this.stored);
      if (this.stored !== null) {
        this.stored = this.values;
      }
      this.say(`Saved. ${this.place}`);
    } catch (error) {
      this.say(error.message, true);
    }
  }
  say(text, fault = false) {
    this.said.textContent = text;
    this.said.classList.toggle("fault", fault);
  }
};
function render({ model }) {
  return new PreferencesForm(model.start).node;
}
export {
  render
};
