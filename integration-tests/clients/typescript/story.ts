// What every generated client must be able to do, with the types that openapi-typescript makes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./task-app.js";

type Attachment = components["schemas"]["AttachmentDownload"];

const { BASE_URL = "", TOKEN = "" } = process.env;
const FILE = "Not much of a picture";
const api = createClient<paths>({
  baseUrl: BASE_URL,
  headers: { authorization: `Bearer ${TOKEN}` },
});

/** What an answer holds, of one that has it. */
function held<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  assert(data !== undefined, `${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return data;
}

async function eventually<T>(what: string, check: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const found = await check();
    if (found !== undefined) return found;
    await sleep(200);
  }
  throw new Error(`not within a minute: ${what}`);
}

// Whoever mistypes a member finds it when they compile, and a default is no member to be sent.
const mistyped = () =>
  // @ts-expect-error `titel` is no member
  api.POST("/v1/tasks/batch", { body: { tasks: [{ titel: "A" }] } });
assert(mistyped);

const bulk = held(
  await api.POST("/v1/tasks/batch", { body: { tasks: [{ title: "A" }, { title: "B", priority: "high" }] } }),
);
assert.deepEqual(bulk.results.map(({ status }) => status), [201, 201]);
assert.equal(bulk.results[1]?.task?.priority, "high");

const created = await api.POST("/v1/tasks", { body: { title: "Water the plants", tags: ["home"] } });
const task = held(created);
assert("version" in task, "it is the task, and no operation");
assert.equal(created.response.headers.get("location"), `/v1/tasks/${task.id}`);
const path = { id: task.id };

const seen: string[] = [];
let cursor: string | undefined;
do {
  const query = { limit: 1, sort: "created" as const, ...(cursor === undefined ? {} : { cursor }) };
  const page = held(await api.GET("/v1/tasks", { params: { query, header: { "Cache-Control": "no-cache" } } }));
  seen.push(...page.tasks.map(({ title }) => title));
  cursor = page.next ? (new URL(page.next, BASE_URL).searchParams.get("cursor") ?? undefined) : undefined;
} while (cursor !== undefined);
assert.deepEqual(seen, ["A", "B", "Water the plants"]);

const patch = (tag: string) =>
  api.PATCH("/v1/tasks/{id}", {
    params: { path, header: { "If-Match": tag } },
    body: { priority: "urgent", due_date: null },
  });
const patched = await patch('"1"');
assert.equal(patched.response.headers.get("etag"), '"2"');
const conflict = await patch('"1"');
assert.equal(conflict.response.status, 412);
assert.equal(conflict.error?.type, "urn:problem:version-conflict");
assert.equal(conflict.error?.actual, 2);

const complete = () => api.POST("/v1/tasks/{id}/complete", { params: { path } });
const completed = held(await complete());
assert("completed_at" in completed && completed.status === "completed");
assert.equal((await complete()).error?.type, "urn:problem:task-already-completed");

const reopen = await api.POST("/v1/tasks/{id}/reopen", {
  params: { path, header: { Prefer: "respond-async" } },
});
assert.equal(reopen.response.status, 202);
const accepted = held(reopen);
assert("accepted_at" in accepted, "it is an operation, and no task");
const operation = await eventually("the operation", async () => {
  const found = held(await api.GET("/v1/operations/{id}", { params: { path: { id: accepted.id } } }));
  return found.status === "accepted" ? undefined : found;
});
assert.equal(operation.status, "succeeded");

const sha256 = (text: string) => createHash("sha256").update(text).digest("base64");
async function upload(digest: string): Promise<{ sent: number; find: () => Promise<Attachment> }> {
  const announced = held(
    await api.POST("/v1/tasks/{id}/attachments", {
      params: { path },
      body: { name: "plan.txt", content_type: "text/plain", size: FILE.length, sha256: digest },
    }),
  );
  assert.equal(announced.status, "pending");
  assert(announced.upload);
  const { url, method, headers } = announced.upload;
  const sent = await fetch(url, { method, headers: headers ?? {}, body: FILE });
  const one = { path: { ...path, attachment: announced.id } };
  const find = async () => held(await api.GET("/v1/tasks/{id}/attachments/{attachment}", { params: one }));
  return { sent: sent.status, find };
}

const right = await upload(sha256(FILE));
assert.equal(right.sent, 200);
const available = await eventually("the file", async () => {
  const found = await right.find();
  return found.status === "available" ? found : undefined;
});
assert(available.download);
assert.equal(await (await fetch(available.download.url)).text(), FILE);
const wrong = await upload(sha256("Something else"));
// S3 does not take it; what stands in for S3 may, and then it is found out.
const refused = wrong.sent >= 400 ? { status: "pending", reason: undefined } : { status: "rejected", reason: "sha256" };
await eventually("the other file is refused", async () => {
  const { status, reason } = await wrong.find();
  return status === refused.status && reason === refused.reason ? true : undefined;
});
const attachments = held(await api.GET("/v1/tasks/{id}/attachments", { params: { path } }));
assert.equal(attachments.attachments.length, 2);

const history = await eventually("the history", async () => {
  const page = held(await api.GET("/v1/tasks/{id}/history", { params: { path } }));
  return page.history.length === 4 ? page.history : undefined;
});
assert.deepEqual(history.map(({ version }) => version), [4, 3, 2, 1]);
assert.equal(history[0]?.task.status, "open");

const deleted = await api.DELETE("/v1/tasks/{id}", { params: { path } });
assert.equal(deleted.response.status, 204);
const gone = await api.GET("/v1/tasks/{id}", { params: { path, header: { "Cache-Control": "no-cache" } } });
assert.equal(gone.error?.type, "urn:problem:not-found");
console.log("done");
