// Reads what the address names, and shows it.

import { get } from "./api.js";
import { byId, visible } from "./elements.js";
import { forgetMessage, readMessage } from "./message.js";
import { messageLink } from "./messages.js";
import { address, go, place, takeToken } from "./place.js";
import { forgetQueue, readQueue } from "./queue.js";
import { beginReplay, checkReplay, followReplay, forgetCheck, offerReplay, stopReplay } from "./replay.js";
import { readDepths, readQueues, show } from "./queues.js";

const BAD_REQUEST = 400;

let shown = { queue: "", filters: "", message: "" };
let reading = new AbortController();

// Runs reads one after the other. The read before is given up: the server releases its messages.
async function read(...steps) {
  reading.abort();
  const mine = new AbortController();
  reading = mine;
  report("");
  byId("stop").hidden = false;
  try {
    for (const [what, step] of steps) {
      byId("status").textContent = `Reading ${what}…`;
      await step(mine.signal);
    }
    byId("status").textContent = "Read.";
  } catch (error) {
    if (reading !== mine) return;
    byId("status").textContent = mine.signal.aborted ? "Stopped." : "";
    if (!mine.signal.aborted) report(error);
  } finally {
    if (reading === mine) byId("stop").hidden = true;
  }
}

function report(error) {
  const isMistake = error?.status === BAD_REQUEST;
  for (const [id, shows] of [["problem", !isMistake], ["filters-mistake", isMistake]]) {
    const text = error && shows ? visible(error.message) : "";
    byId(id).textContent = text;
    byId(id).hidden = text === "";
  }
  byId("filters").setAttribute("aria-invalid", String(isMistake));
  if (isMistake) byId("filters").focus();
}

function open() {
  const [before, now] = [shown, place()];
  shown = now;
  byId("queue-section").hidden = now.queue === "";
  byId("message-section").hidden = now.message === "";
  byId("queue-heading").textContent = visible(now.queue);
  byId("message-heading").textContent = `Message ${visible(now.message)}`;
  byId("close-message").setAttribute("href", address({ ...now, message: "" }));
  byId("filters").value = now.filters;
  document.title = now.queue ? `${visible(now.queue)}: dead letters` : "Dead letters";
  const isOther = now.queue !== before.queue || now.filters !== before.filters;
  const steps = [];
  if (now.message === "") forgetMessage();
  else if (isOther || now.message !== before.message) steps.push(...messageStep(now));
  if (isOther) steps.push(...queueSteps(now));
  moveFocus(before, now);
  if (steps.length > 0) read(...steps);
}

function queueSteps(now) {
  forgetQueue();
  forgetCheck();
  return now.queue === "" ? [] : [[visible(now.queue), (signal) => readQueue(now, signal)]];
}

function messageStep(now) {
  forgetMessage();
  return [[`message ${visible(now.message)}`, (signal) => readMessage(now, signal)]];
}

// To what was opened, or back to where it was opened from.
function moveFocus(before, now) {
  if (now.message !== before.message) {
    const back = now.message === "" && messageLink(before);
    (back || byId(now.message === "" ? "queue-heading" : "message-heading")).focus();
  } else if (now.queue !== "" && now.queue !== before.queue) {
    byId("queue-heading").focus();
  }
}

async function watchDepths(seconds) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    // Nobody sees it, or the server has ended: the next time will show.
    if (!document.hidden) await readDepths().catch(() => {});
  }
}

function listen() {
  addEventListener("hashchange", open);
  byId("stop").addEventListener("click", () => reading.abort());
  byId("empty-queues").addEventListener("change", show);
  byId("read-queues").addEventListener("click", () => read(["the queues", readQueues]));
  byId("read-queue").addEventListener("click", () => read(...queueSteps(shown)));
  byId("no-filters").addEventListener("click", () => go({ ...shown, filters: "" }));
  byId("filter").addEventListener("submit", (event) => {
    event.preventDefault();
    const filters = byId("filters").value.trim();
    if (filters === shown.filters) read(...queueSteps(shown));
    else go({ ...shown, filters, message: "" });
  });
  byId("replay-form").addEventListener("submit", (event) => {
    event.preventDefault();
    read(["what would be replayed", (signal) => checkReplay(shown, signal)]);
  });
  byId("begin").addEventListener("click", () => beginReplay(shown).catch(report));
  byId("stop-replay").addEventListener("click", () => stopReplay().catch(report));
  byId("open-queue").addEventListener("submit", (event) => {
    event.preventDefault();
    go({ queue: byId("queue-name").value.trim() });
  });
}

async function start() {
  takeToken();
  listen();
  let seconds;
  await read(["the queues", async (signal) => {
    const server = await get("server", { signal });
    seconds = server.interval;
    const may = server.replay ? "may replay" : "read-only";
    byId("server").textContent = `${server.region} · ${may} · ${server.version}`;
    offerReplay(server.replay);
    // One that was begun before goes on.
    if (server.replay) followReplay().catch(() => { byId("running").hidden = true; });
    await readQueues(signal);
  }]);
  if (seconds) watchDepths(seconds);
  open();
}

start();
