// The queues, with their depths over time.

import { get } from "./api.js";
import { age, byId, drawing, element, showNotes, table, visible } from "./elements.js";
import { address } from "./place.js";

const WIDTH = 120;
const HEIGHT = 24;
const COLUMNS = ["Queue", "Dead letters", "Over time", "Oldest", "From"];

let rows = [];
let history = { times: [], queues: [] };

export async function readQueues(signal) {
  const listing = await get("queues", { signal });
  rows = listing.queues;
  showNotes("queues-notes", listing.notes);
  await readDepths();
  show();
}

export async function readDepths() {
  history = await get("depths");
  for (const queue of rows) {
    const [depth, chart] = [cell("depth", queue), cell("chart", queue)];
    depth?.replaceChildren(String(depthOf(queue)));
    chart?.replaceChildren(sparkline(queue));
  }
}

export function show() {
  const all = byId("empty-queues").checked;
  const shown = rows.filter((queue) => all || depthOf(queue) > 0);
  const focused = document.activeElement?.getAttribute("href");
  byId("queues").replaceChildren(
    shown.length === 0
      ? element("p", {}, "No queue has dead letters.")
      : table("Queues", COLUMNS, shown.map(cells)),
  );
  // A list that is shown anew must not take the focus away from who uses the keyboard.
  if (focused) byId("queues").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function cells(queue) {
  const atLeast = queue.oldest_sent_at && !queue.oldest_is_exact ? "≥ " : "";
  return [
    element("a", { href: address({ queue: queue.queue }) }, visible(queue.queue)),
    element("span", { id: id("depth", queue) }, String(depthOf(queue))),
    element("span", { id: id("chart", queue) }, sparkline(queue)),
    age(queue.oldest_sent_at, atLeast),
    visible(queue.sources.join(", ")),
  ];
}

function id(kind, queue) {
  return `${kind} ${queue.url}`;
}

function cell(kind, queue) {
  return byId(id(kind, queue));
}

function depthsOf(queue) {
  return history.queues.find(({ url }) => url === queue.url)?.depths ?? [];
}

// As it was sampled last, or else when the queues were read.
function depthOf(queue) {
  return depthsOf(queue).findLast((depth) => depth !== null) ?? queue.depth;
}

function sparkline(queue) {
  const depths = depthsOf(queue);
  const known = depths.filter((depth) => depth !== null);
  if (known.length === 0) return "–";
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const minutes = Math.round((Date.parse(history.times.at(-1)) - Date.parse(history.times[0])) / 60000);
  const label = `From ${least} to ${most} in ${minutes} minutes, now ${known.at(-1)}`;
  const x = (index) => (depths.length > 1 ? (index * WIDTH) / (depths.length - 1) : 0);
  const y = (depth) => HEIGHT - 2 - ((depth / Math.max(most, 1)) * (HEIGHT - 4));
  let path = "";
  depths.forEach((depth, index) => {
    if (depth === null) return;
    const begins = index === 0 || depths[index - 1] === null;
    path += `${begins ? "M" : "L"}${x(index).toFixed(1)} ${y(depth).toFixed(1)}`;
    // One sample alone is a short line.
    if (begins && (depths[index + 1] ?? null) === null) path += "h2";
  });
  return drawing(
    "svg",
    { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    drawing("path", { d: path }),
  );
}
