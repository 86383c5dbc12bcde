// The messages of a queue that the filters select.

import { age, byId, counted, element, orDash, table, visible } from "./elements.js";
import { address } from "./place.js";

const COLUMNS = ["Sent", "Reason", "Type", "Attempts", "Group", "Tenant", "Message"];

export function showMessages({ messages }, { queue, filters }) {
  const rows = messages.map((message) => [
    age(message.sent_at),
    element("span", { class: "reason" }, orDash(message.reason)),
    orDash(message.type),
    orDash(message.attempts),
    orDash(message.group),
    orDash(message.tenant),
    link(message, queue, filters),
  ]);
  byId("messages").replaceChildren(
    rows.length === 0 ? element("p", {}, "No message fits.") : table("Messages", COLUMNS, rows),
  );
  byId("messages-heading").textContent = counted(rows.length, "message");
}

export function forgetMessages() {
  byId("messages").replaceChildren();
  byId("messages-heading").textContent = "Messages";
}

// The link to a message, if the list has it.
export function messageLink(place) {
  return byId("messages").querySelector(`a[href="${CSS.escape(address(place))}"]`);
}

function link({ message_id: message }, queue, filters) {
  return element("a", { href: address({ queue, filters, message }) }, visible(message));
}
