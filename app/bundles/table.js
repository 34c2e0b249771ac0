// Made by "make scripts" from app/widgets/table.js; edit that. Sources: sha256 0f817236e984d3bbf93d8e321c9d6565574f257e7b1ae64b5333af50e53c7e9b
// app/widgets/table.js
var SKELETON_ROWS = 3;
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text != null) made.textContent = text;
  return made;
}
function bar(cell) {
  const made = element("span", "bar");
  const track = element("span", "track");
  const fill = element("span", cell.share == null ? "fill unknown" : "fill");
  if (cell.share != null) fill.style.width = `${100 * cell.share}%`;
  track.setAttribute("role", "progressbar");
  track.setAttribute("aria-label", cell.label || "progress");
  if (cell.share != null) track.setAttribute("aria-valuenow", String(Math.round(100 * cell.share)));
  if (cell.tone) track.classList.add(cell.tone);
  track.append(fill);
  made.append(track, element("span", "figure", cell.text || ""));
  return made;
}
function stamp(cell) {
  const image = element("img");
  image.alt = "";
  image.loading = "lazy";
  image.width = image.height = 40;
  image.src = cell.picture;
  return image;
}
function choice(cell, key, column, model) {
  const select = element("select");
  select.setAttribute("aria-label", cell.label || column);
  for (const option of cell.options) {
    const made = element("option", "", option === "" ? cell.none || "–" : option);
    made.value = option;
    select.append(made);
  }
  select.value = cell.value;
  select.classList.toggle("unset", cell.value === "");
  select.addEventListener("change", () => {
    model.send_msg({ action: "choose", key, column, value: select.value });
  });
  return select;
}
function content(cell, key, column, model) {
  if (cell.share !== void 0) return bar(cell);
  if (cell.options) return choice(cell, key, column, model);
  if (cell.actions) {
    const group = element("span", "actions");
    for (const action of cell.actions) {
      const button = element("button", action.tone || "", action.text);
      button.type = "button";
      if (action.title) button.title = action.title;
      button.disabled = Boolean(action.disabled);
      button.addEventListener("click", (event) => {
        event.stopPropagation();
        if (button.hasAttribute("aria-busy")) return;
        button.setAttribute("aria-busy", "true");
        model.send_msg({ action: action.name, key });
      });
      group.append(button);
    }
    return group;
  }
  if (cell.href) {
    const link = element("a", cell.picture ? "pictured" : "", cell.picture ? null : cell.text);
    link.href = cell.href;
    if (cell.picture) {
      link.append(stamp(cell), element("span", "", cell.text));
    }
    return link;
  }
  if (cell.chip !== void 0) return element("span", `chip ${cell.chip}`, cell.text);
  const text = element("span", cell.tone || "", cell.text);
  if (cell.note) text.append(element("span", "note", cell.note));
  return text;
}
function explained(column) {
  const term = element("lt-term", "", column.title);
  if (column.help) term.setAttribute("meaning", column.help);
  return term;
}
function render({ model, el }) {
  const frame = element("div", "frame");
  const table = element("table");
  table.setAttribute("aria-label", model.label);
  const head = element("thead");
  const body = element("tbody");
  const empty = element("p", "empty");
  const skeleton = element("div", "skeleton");
  skeleton.setAttribute("role", "status");
  skeleton.setAttribute("aria-label", "Loading");
  skeleton.append(...Array.from({ length: SKELETON_ROWS }, () => element("span")));
  table.append(head, body);
  frame.append(table, empty, skeleton);
  function drawHead() {
    const row = element("tr");
    for (const column of model.columns) {
      const cell = element(column.title ? "th" : "td", column.align || "");
      if (column.title) cell.scope = "col";
      if (column.width) cell.style.width = column.width;
      cell.append(column.help === "" ? column.title : explained(column));
      row.append(cell);
    }
    head.replaceChildren(row);
  }
  function mark() {
    for (const row of body.rows) {
      const selected = model.selectable && row.dataset.key === model.selected;
      row.setAttribute("aria-selected", String(selected));
      if (model.selectable) row.tabIndex = selected || !model.selected && row === body.rows[0] ? 0 : -1;
    }
  }
  function draw() {
    const focused = el.getRootNode().activeElement;
    const focusedKey = focused && focused.closest ? focused.closest("tr")?.dataset.key : void 0;
    const focusedButton = focused?.tagName === "BUTTON" ? focused.textContent : void 0;
    const rows = model.rows.map((data) => {
      const row = element("tr");
      row.dataset.key = data.key;
      if (data.heading) {
        const heading = element("th", "heading", data.heading);
        heading.scope = "rowgroup";
        heading.colSpan = model.columns.length;
        heading.title = data.heading;
        row.append(heading);
        return row;
      }
      for (const column of model.columns) {
        const raw = data[column.key];
        const cell = raw != null && typeof raw === "object" ? raw : { text: raw ?? "–" };
        const made = element("td", column.align || "");
        made.append(content(cell, data.key, column.key, model));
        const tip = cell.title ?? (typeof cell.text === "string" ? cell.text : "");
        if (tip) made.title = tip;
        if (cell.color) made.style.color = cell.color;
        row.append(made);
      }
      return row;
    });
    body.replaceChildren(...rows);
    table.hidden = rows.length === 0;
    empty.hidden = rows.length > 0 || model.waiting;
    skeleton.hidden = !model.waiting;
    frame.setAttribute("aria-busy", String(model.waiting));
    empty.textContent = model.empty;
    frame.classList.toggle("selectable", model.selectable);
    frame.classList.toggle("opens", model.opens);
    mark();
    if (focusedKey !== void 0) {
      const row = rows.find((candidate) => candidate.dataset.key === focusedKey);
      if (row && focusedButton) {
        const again = [...row.querySelectorAll("button")].find((b) => b.textContent === focusedButton);
        again?.focus();
      } else if (row || model.opens && rows.length) (row || rows[0]).focus();
    }
  }
  function select(row, focus) {
    if (!model.selectable || !row) return;
    model.selected = row.dataset.key;
    mark();
    if (focus) row.focus();
  }
  body.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, select")) select(event.target.closest("tr"), false);
  });
  const open = (key) => {
    if (model.opens && key) model.send_msg({ action: "open-row", key });
  };
  body.addEventListener("dblclick", (event) => open(event.target.closest("tr")?.dataset.key));
  body.addEventListener("keydown", (event) => {
    if (!model.selectable || event.target.tagName !== "TR") return;
    if (event.key === "Backspace" || event.key === "Enter" && model.opens) {
      event.preventDefault();
      open(event.key === "Enter" ? event.target.dataset.key : model.key_above);
      return;
    }
    const rows = [...body.rows];
    const at = rows.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== void 0) {
      event.preventDefault();
      select(rows[Math.min(Math.max(to, 0), rows.length - 1)], true);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      select(event.target, true);
    }
  });
  model.on("columns", () => {
    drawHead();
    draw();
  });
  model.on(["rows", "empty", "waiting"], draw);
  model.on("answered", () => {
    for (const button of body.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
  });
  model.on("selected", mark);
  new ResizeObserver(() => {
    if (frame.scrollWidth > frame.clientWidth && !model.selectable) frame.tabIndex = 0;
    else frame.removeAttribute("tabindex");
  }).observe(table);
  drawHead();
  draw();
  return frame;
}
export {
  render
};
