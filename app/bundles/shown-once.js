// Made by "make scripts" from app/widgets/shown_once.js; edit that. Sources: sha256 0385f859c69879d502d99494dae63d8ff62f7079e15d2e6f9d67e21995827096
// app/widgets/copying.js
async function copyText(text, clipboard = navigator.clipboard) {
  try {
    await clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

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
    const copied = await copyText(value.value);
    if (!copied) value.select();
    copy.textContent = copied ? "Copied" : "Press Ctrl+C";
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
