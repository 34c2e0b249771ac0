// Made by "make scripts" from app/widgets/action_button.js; edit that. Sources: sha256 43cd2865bda2674916b236b4fd4642f9e806c31c7ce1139893be5189add372a5
// app/widgets/action_button.js
var SVG = "http://www.w3.org/2000/svg";
var ICONS = {
  play_arrow: "M8 5v14l11-7z",
  stop: "M6 6h12v12H6z",
  visibility: "M12 4.5C7 4.5 2.73 7.61 1 12c1.73 4.39 6 7.5 11 7.5s9.27-3.11 11-7.5c-1.73-4.39-6-7.5-11-7.5zM12 17c-2.76 0-5-2.24-5-5s2.24-5 5-5 5 2.24 5 5-2.24 5-5 5zm0-8c-1.66 0-3 1.34-3 3s1.34 3 3 3 3-1.34 3-3-1.34-3-3-3z",
  content_copy: "M16 1H4c-1.1 0-2 .9-2 2v14h2V3h12V1zm3 4H8c-1.1 0-2 .9-2 2v14c0 1.1.9 2 2 2h11c1.1 0 2-.9 2-2V7c0-1.1-.9-2-2-2zm0 16H8V7h11v14z",
  add: "M19 13h-6v6h-2v-6H5v-2h6V5h2v6h6v2z",
  save: "M17 3H5c-1.11 0-2 .9-2 2v14c0 1.1.89 2 2 2h14c1.1 0 2-.9 2-2V7l-4-4zm-5 16c-1.66 0-3-1.34-3-3s1.34-3 3-3 3 1.34 3 3-1.34 3-3 3zm3-10H5V5h10v4z",
  check: "M9 16.17 4.83 12l-1.42 1.41L9 19 21 7l-1.41-1.41z",
  refresh: "M17.65 6.35A7.96 7.96 0 0 0 12 4a8 8 0 1 0 7.73 10h-2.08A6 6 0 1 1 12 6c1.66 0 3.14.69 4.22 1.78L13 11h7V4z",
  upload: "M5 20h14v-2H5zM5 10h4v6h6v-6h4l-7-7z",
  chevron_left: "M15.41 7.41 14 6l-6 6 6 6 1.41-1.41L10.83 12z",
  chevron_right: "M10 6 8.59 7.41 13.17 12l-4.58 4.59L10 18l6-6z",
  folder_open: "M20 6h-8l-2-2H4c-1.1 0-1.99.9-1.99 2L2 18c0 1.1.9 2 2 2h16c1.1 0 2-.9 2-2V8c0-1.1-.9-2-2-2zm0 12H4V8h16v10z",
  home: "M10 20v-6h4v6h5v-8h3L12 3 2 12h3v8z",
  school: "M5 13.18v4L12 21l7-3.82v-4L12 17l-7-3.82zM12 3 1 9l11 6 9-4.91V17h2V9L12 3z"
};
function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}
function render({ model }) {
  const button = document.createElement("button");
  button.type = "button";
  let pressed = model.answered;
  function draw() {
    const parts = ICONS[model.icon] ? [icon(model.icon)] : [];
    button.className = `${model.variant} ${model.size}`;
    button.disabled = model.disabled || Boolean(model.forbidden);
    button.title = model.forbidden || model.description;
    button.replaceChildren(...parts, document.createTextNode(model.label));
  }
  function settle() {
    if (model.busy) button.setAttribute("aria-busy", "true");
    else if (model.answered >= pressed) button.removeAttribute("aria-busy");
  }
  button.addEventListener("click", () => {
    if (button.hasAttribute("aria-busy")) return;
    pressed += 1;
    button.setAttribute("aria-busy", "true");
    model.send_msg({ pressed });
  });
  model.on(["label", "icon", "variant", "size", "disabled", "description", "forbidden"], draw);
  model.on(["answered", "busy"], settle);
  draw();
  settle();
  return button;
}
export {
  render
};
