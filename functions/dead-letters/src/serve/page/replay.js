// A replay: what it would do, and then, with its progress, what it does.

import { queuePath, remove, send, watch } from "./api.js";
import { byId, counted, element, showNotes, visible } from "./elements.js";

let checked = "";

export function offerReplay(isAllowed) {
  byId("replay").hidden = !isAllowed;
}

// What was checked was of another queue or filter.
export function forgetCheck() {
  checked = "";
  byId("begin").disabled = true;
  byId("replay-plan").replaceChildren();
}

function asked(place) {
  const value = (id) => byId(id).value.trim() || undefined;
  const number = (id) => (value(id) ? Number(value(id)) : undefined);
  return {
    filters: place.filters,
    why: value("why"),
    to: value("to"),
    canary: number("canary"),
    ramp: byId("ramp").checked,
    wait: value("wait"),
    rate: number("rate"),
  };
}

export async function checkReplay(place, signal) {
  forgetCheck();
  const wanted = asked(place);
  const plan = await send(queuePath(place.queue, "dry-run"), wanted, signal);
  const list = [
    ...Object.entries(plan.targets).map(([queue, count]) => `${counted(count, "message")} to ${queue}`),
    ...Object.entries(plan.failures).map(([cause, count]) => `${counted(count, "message")} not: ${cause}`),
    ...(plan.took_effect ? [`${plan.took_effect} of them took effect already: nothing happens twice`] : []),
    ...plan.notes,
  ];
  byId("replay-plan").replaceChildren(...list.map((text) => element("li", {}, visible(text))));
  byId("begin").disabled = Object.keys(plan.targets).length === 0;
  checked = JSON.stringify(wanted);
}

export async function beginReplay(place) {
  const wanted = asked(place);
  if (JSON.stringify(wanted) !== checked) {
    forgetCheck();
    throw new Error("The options have changed: check them first.");
  }
  forgetCheck();
  await send(queuePath(place.queue, "replay"), wanted);
  await followReplay();
}

export const stopReplay = () => remove("replay");

// Shows the last replay until it ended.
export async function followReplay() {
  byId("running").hidden = false;
  byId("stop-replay").hidden = false;
  try {
    await watch("replay", show);
  } finally {
    byId("stop-replay").hidden = true;
  }
}

function show({ position, length, notes, end }) {
  byId("progress").max = Math.max(length, position, 1);
  byId("progress").value = position;
  showNotes("replay-notes", notes);
  byId("outcome").textContent = end ? outcome(end) : `${position} of about ${length} are sent`;
}

function outcome({ run, error }) {
  if (error) return `Failed: ${visible(error)}`;
  const { sent, returned, failed, held_back: held } = run.counts;
  const because = run.stopped_because ? `, since ${visible(run.stopped_because)}` : "";
  const counts = `${sent} sent, ${returned} came back, ${failed} failed, ${held} held back`;
  return `Run ${run.run} ${run.state === "done" ? "is done" : `stopped${because}`}: ${counts}.`;
}
