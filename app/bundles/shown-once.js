// Made by "make scripts" from app/widgets/shown_once.js; edit that. Sources: sha256 44e2f97189b13640bb18230692a2a04947aabce7fdcc8f0caef50b5fb08a80f3
// app/widgets/shown_once.js
function shownText(text, isLink, here) {
  return isLink ? new URL(text, here).href : text;
}
function render({ model }) {
  const box = document.createElement("div");
  box.className = "once";
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
