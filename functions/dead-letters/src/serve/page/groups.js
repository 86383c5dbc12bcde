// What failed for one cause, as bars. A bar leads to its messages.

import { age, byId, counted, drawing, element, orDash, visible } from "./elements.js";
import { address } from "./place.js";

export function showGroups({ groups, matched }, { queue, filters }) {
  const most = Math.max(...groups.map(({ count }) => count), 1);
  byId("groups").replaceChildren(...groups.map((group) => bar(group, most, queue, filters)));
  byId("groups-heading").textContent = `${counted(groups.length, "group")} of ${counted(matched, "message")}`;
}

export function forgetGroups() {
  byId("groups").replaceChildren();
  byId("groups-heading").textContent = "Groups";
}

function bar(group, most, queue, filters) {
  const share = `${(100 * group.count) / most}%`;
  return element(
    "li",
    {},
    element(
      "a",
      { href: address({ queue, filters: narrowed(filters, group) }) },
      element("b", {}, String(group.count)),
      " ",
      element("span", { class: "reason" }, orDash(group.reason)),
      " ",
      element("span", {}, orDash(group.type)),
    ),
    element("span", { class: "when" }, ...ages(group), " old"),
    drawing(
      "svg",
      { class: "bar", "aria-hidden": "true" },
      drawing("rect", { width: share, height: "100%", rx: 2 }),
    ),
    element("p", {}, whatIsCommon(group)),
  );
}

function ages({ first_sent_at: first, last_sent_at: last }) {
  const [oldest, newest] = [age(first), age(last)];
  return newest.textContent === oldest.textContent ? [oldest] : [newest, " to ", oldest];
}

function whatIsCommon({ fingerprint, moved_by: movedBy }) {
  if (fingerprint) return visible(fingerprint);
  return movedBy === "sqs" ? "moved by SQS after its last delivery" : "no detail";
}

// The filters with those that select the group's messages.
function narrowed(filters, { reason, type }) {
  const added = [option("reason", reason), option("type", type)];
  const missing = added.filter((one) => !filters.includes(one));
  return [filters.trim(), ...missing].filter(Boolean).join(" ");
}

function option(name, value) {
  return `--${name}=${quoted(value ?? "-")}`;
}

// As a shell and the server read it.
function quoted(text) {
  return /^[\w.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
