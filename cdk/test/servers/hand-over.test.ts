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
import { call } from "./aws.ts";

const CDK = new URL("../..", import.meta.url).pathname;
const account = ENVIRONMENTS.dev?.account ?? "";
const keys = keysOf(createApp(ENVIRONMENTS));

const put = (key: string, value: string) => call("AmazonSSM.PutParameter", { Name: `${HAND_OVER_PATH}/${key}`, Value: value, Type: "String", Overwrite: true });

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
  await call("AmazonSSM.DeleteParameter", { Name: `${HAND_OVER_PATH}/CLUSTER_NAME` });
  const half = run("dev");
  assert.match(half.stderr, /no CLUSTER_NAME: deploy it first/);
  for (const refused of [production, unknown, half]) {
    assert.equal(refused.status, 1);
    assert.equal(refused.written, undefined);
  }
});
