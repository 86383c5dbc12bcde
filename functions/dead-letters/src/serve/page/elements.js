// Elements, built without HTML: what a message says is only ever text.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function drawing(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

export function byId(id) {
  return document.getElementById(id);
}

// A text with what would change the order of what is read, or show nothing, made visible.
export function visible(text) {
  const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
  return String(text).replace(harmful, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);
}

export function orDash(value) {
  return value === null || value === undefined || value === "" ? "–" : visible(value);
}

export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

// A time as its age, with the time itself for programs.
export function age(time, prefix = "") {
  if (!time) return element("span", {}, "–");
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "m"]].find(([size]) => seconds >= size) ?? [1, "s"];
  return element("time", { datetime: time }, `${prefix}${Math.floor(seconds / size)}${unit}`);
}

export function showNotes(id, notes) {
  const list = byId(id);
  list.replaceChildren(...notes.map((note) => element("li", {}, visible(note))));
  list.hidden = notes.length === 0;
}

// A table whose rows a small screen shows below each other. The roles stay when the layout changes.
export function table(label, columns, rows) {
  const cell = (role, name) => (content, index) =>
    element(name, { role, "data-column": columns[index] }, content);
  const row = (cells) => element("tr", { role: "row" }, ...cells);
  return element(
    "table",
    { role: "table", "aria-label": label },
    element("thead", { role: "rowgroup" }, row(columns.map(cell("columnheader", "th")))),
    element("tbody", { role: "rowgroup" }, ...rows.map((cells) => row(cells.map(cell("cell", "td"))))),
  );
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
