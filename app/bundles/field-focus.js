// Made by "make scripts" from app/widgets/field_focus.js; edit that. Sources: sha256 2a64425e7f5f0931ac82b66695b5dd35645b760d0f94ea82884357671a54b2b0
// app/widgets/field_focus.js
var PATIENCE_MS = 5e3;
var AGAIN_MS = 150;
var TRIES = 4;
var INPUTS = "input:not([type=hidden]):not([aria-hidden=true]), textarea:not([aria-hidden=true]), [role=combobox]";
function* deepAll(root, selector) {
  if (root instanceof Element && root.shadowRoot) {
    yield* deepAll(root.shadowRoot, selector);
  }
  for (const element of root.querySelectorAll("*")) {
    if (element.matches(selector)) {
      yield (
        /** @type {HTMLElement} */
        element
      );
    }
    if (element.shadowRoot) {
      yield* deepAll(element.shadowRoot, selector);
    }
  }
}
function inputOf(name) {
  for (const field of deepAll(document, `.field-${name}`)) {
    for (const input of deepAll(field, INPUTS)) {
      if (input.getClientRects().length && getComputedStyle(input).visibility === "visible") {
        return input;
      }
    }
  }
  return null;
}
function whenDrawn(name, use) {
  const until = performance.now() + PATIENCE_MS;
  const look = () => {
    const input = inputOf(name);
    if (input) {
      use(input);
    } else if (performance.now() < until) {
      requestAnimationFrame(look);
    }
  };
  look();
}
function hold(input, tries) {
  input.focus();
  if (tries > 0) {
    setTimeout(() => {
      if (input.isConnected && !input.matches(":focus")) {
        hold(input, tries - 1);
      }
    }, AGAIN_MS);
  }
}
function keepEndInSight(input) {
  const show = () => {
    if (!input.matches(":focus")) {
      input.scrollLeft = input.scrollWidth;
    }
  };
  show();
  if (input.dataset.keepsEnd) {
    return;
  }
  input.dataset.keepsEnd = "true";
  input.addEventListener("blur", () => requestAnimationFrame(show));
  new MutationObserver(show).observe(input, { attributes: true, attributeFilter: ["value"] });
}
function render({ model }) {
  const place = document.createElement("span");
  place.hidden = true;
  const focus = () => {
    const [name] = model.wanted;
    if (name) {
      whenDrawn(name, (input) => {
        input.scrollIntoView({ block: "center" });
        hold(input, TRIES);
      });
    }
  };
  model.on("wanted", focus);
  focus();
  const followEnds = () => {
    for (const name of model.ends) {
      whenDrawn(name, keepEndInSight);
    }
  };
  model.on(["ends", "drawn"], followEnds);
  followEnds();
  return place;
}
export {
  deepAll,
  render
};
