// `make manifests-config` with the AWS command line, on the local server that `local-stack exec` names.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ENVIRONMENTS } from "../../config/index.ts";
import { createApp } from "../../lib/app.ts";
import { HAND_OVER_PATH, keysOf } from "../../lib/hand-over.ts";

const CDK = new URL("../..", import.meta.url).pathname;
const endpoint = process.env.AWS_ENDPOINT_URL;
const account = ENVIRONMENTS.dev?.account ?? "";
const keys = keysOf(createApp(ENVIRONMENTS));

async function ssm(operation: string, body: object): Promise<void> {
  assert.ok(endpoint, "AWS_ENDPOINT_URL is missing: run it by local-stack exec");
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AmazonSSM.${operation}`,
      authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  assert.ok(response.ok, `${operation}: ${await response.text()}`);
}

const put = (key: string, value: string) => ssm("PutParameter", { Name: `${HAND_OVER_PATH}/${key}`, Value: value, Type: "String", Overwrite: true });

function run(environment: string) {
  const folder = mkdtempSync(join(tmpdir(), "hand-over-"));
  try {
    const words = ["--import", "tsx", "scripts/manifests-config.ts", "--environment", environment, "--output", folder];
    const { status, stderr } = spawnSync("node", words, { encoding: "utf8", cwd: CDK });
    const file = join(folder, "account.env");
    return { status, stderr, written: existsSync(file) ? readFileSync(file, "utf8") : undefined };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("an account's values are written into the overlay, or nothing is", async () => {
  for (const key of [...keys].reverse()) await put(key, key === "ACCOUNT" ? account : `value of ${key}`);
  const { status, stderr, written } = run("dev");
  assert.equal(status, 0, stderr);
  const expected = keys.map((key) => `${key}=${key === "ACCOUNT" ? account : `value of ${key}`}\n`);
  assert.equal(written, expected.join(""));

  const production = run("production");
  assert.match(production.stderr, new RegExp(`credentials are for the account ${account}`));
  const unknown = run("staging");
  assert.match(unknown.stderr, /expected dev or production/);
  await ssm("DeleteParameter", { Name: `${HAND_OVER_PATH}/CLUSTER_NAME` });
  const half = run("dev");
  assert.match(half.stderr, /no CLUSTER_NAME: deploy it first/);
  for (const refused of [production, unknown, half]) {
    assert.equal(refused.status, 1);
    assert.equal(refused.written, undefined);
  }
});
