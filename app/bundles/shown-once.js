// Made by "make scripts" from app/widgets/shown_once.js; edit that. Sources: sha256 d505f6ad823570d14377557f32fc6d3e955c15b3a27f0aeffbdc238ec4320d3f
// app/widgets/shown_once.js
function shownText(text, isLink, here) {
  return isLink ? new URL(text, here).href : text;
}
function render({ model }) {
  const box = document.createElement("div");
  const value = document.createElement("input");
  const copy = document.createElement("button");
  const note = document.createElement("p");
  value.readOnly = true;
  value.addEventListener("focus", () => value.select());
  copy.type = "button";
  function draw() {
    value.value = model.text ? shownText(model.text, model.is_link, location.href) : "";
    value.setAttribute("aria-label", model.label);
    copy.textContent = "Copy";
    note.textContent = model.note;
    box.hidden = !model.text;
  }
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value.value);
      copy.textContent = "Copied";
    } catch {
      value.select();
      copy.textContent = "Press Ctrl+C";
    }
  });
  model.on(["text", "is_link", "note", "label"], draw);
  box.append(value, copy, note);
  draw();
  return box;
}
export {
  render,
  shownText
};
