// A queue: its groups and messages, from one read.

import { get, queuePath } from "./api.js";
import { showNotes } from "./elements.js";
import { forgetGroups, showGroups } from "./groups.js";
import { forgetMessages, showMessages } from "./messages.js";

export async function readQueue(place, signal) {
  const parameters = { filters: place.filters };
  const found = await get(queuePath(place.queue), { parameters, signal });
  showNotes("queue-notes", found.notes);
  showGroups(found, place);
  showMessages(found, place);
}

export function forgetQueue() {
  showNotes("queue-notes", []);
  forgetGroups();
  forgetMessages();
}
