// All of one message.

import { get, queuePath } from "./api.js";
import { byId, element, table, visible } from "./elements.js";

const MOVED_BY = { handler: "its handler", sqs: "SQS, after its last delivery" };

const MEMBERS = [
  ["Reason", "reason"],
  ["Detail", "detail"],
  ["Moved by", "moved_by"],
  ["Handler", "handler"],
  ["Source queue", "source_queue"],
  ["Attempts", "attempts"],
  ["First received", "first_received_at"],
  ["Failed", "failed_at"],
  ["Sent", "sent_at"],
  ["Message id", "message_id"],
  ["Original message id", "original_message_id"],
  ["Group", "group"],
  ["Deduplication id", "deduplication_id"],
  ["Trace id", "trace_id"],
  ["Event type", "type"],
  ["Event source", "source"],
  ["Event id", "event_id"],
  ["Tenant", "tenant"],
  ["Task", "task"],
  ["Body in S3", "claim_check"],
];

export async function readMessage({ queue, message }, signal) {
  const found = await get(queuePath(queue, "messages", message), { signal });
  const values = { ...found, moved_by: MOVED_BY[found.moved_by], claim_check: inS3(found.claim_check) };
  const known = MEMBERS.filter(([, member]) => (values[member] ?? null) !== null);
  const members = known.flatMap(([name, member]) => [
    element("dt", {}, name),
    element("dd", { class: member === "reason" ? "reason" : undefined }, visible(values[member])),
  ]);
  byId("message").replaceChildren(
    element("dl", {}, ...members),
    ...lineage(found.lineage),
    ...attributes(found.attributes),
    ...body("body", "Body", found.body, found.indented_body),
    ...claimed(found),
  );
}

export function forgetMessage() {
  byId("message").replaceChildren();
}

function inS3(at) {
  return at && `s3://${at.bucket}/${at.key}, ${at.size} bytes`;
}

function lineage(replays) {
  if (replays.length === 0) return [];
  const rows = replays.map(({ at, run, edited, why }) => [at, run, edited ? "yes" : "no", visible(why)]);
  return [element("h3", {}, "Replays"), table("Replays", ["At", "Run", "Edited", "Why"], rows)];
}

function attributes(attributes) {
  const rows = Object.entries(attributes).map(([name, { type, value }]) => [
    visible(name),
    visible(type),
    visible(value),
  ]);
  if (rows.length === 0) return [];
  return [element("h3", {}, "Attributes"), table("Attributes", ["Name", "Type", "Value"], rows)];
}

function claimed({ claimed_body, indented_claimed_body, claimed_body_failure: cause }) {
  if (claimed_body !== null) return body("claimed-body", "Body in S3", claimed_body, indented_claimed_body);
  return cause === null ? [] : [element("p", {}, visible(`The body in S3 could not be fetched: ${cause}`))];
}

function body(id, title, body, indented) {
  const text = element(
    "pre",
    { id, tabindex: 0, role: "region", "aria-labelledby": `${id}-heading` },
    visible(indented ?? body),
  );
  const heading = element("div", { class: "heading" }, element("h3", { id: `${id}-heading` }, title));
  if (indented !== null) heading.append(asItWasSent(text, body, indented));
  // Browsers offer it to pages of this machine, and of others by TLS only.
  if (navigator.clipboard) heading.append(copy(body));
  return [heading, text];
}

function asItWasSent(text, body, indented) {
  const box = element("input", { type: "checkbox" });
  box.addEventListener("change", () => {
    text.textContent = visible(box.checked ? body : indented);
  });
  return element("label", {}, box, " As it was sent");
}

function copy(body) {
  const button = element("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(body);
      byId("status").textContent = "The body is copied.";
    } catch {
      byId("status").textContent = "The browser does not allow to copy.";
    }
  });
  return button;
}
