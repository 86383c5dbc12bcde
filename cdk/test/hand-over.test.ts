import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ENVIRONMENTS } from "../config/index.ts";
import { createApp } from "../lib/app.ts";
import { NAMES, ofType } from "../lib/assembly.ts";
import { FUNCTION_NAMES } from "../lib/functions.ts";
import { HAND_OVER_PATH, keysOf } from "../lib/hand-over.ts";
import { upperSnake } from "../lib/names.ts";

const keys = keysOf(createApp(ENVIRONMENTS));

test("the keys are names of variables, each once", () => {
  for (const key of keys) assert.match(key, /^[A-Z][A-Z0-9_]*$/);
  for (const name of FUNCTION_NAMES) assert.ok(keys.includes(`ROLE_ARN_${upperSnake(name)}`), name);
  for (const key of ["TASK_COMMANDS_QUEUE_URL", "ATTACHMENT_EVENTS_QUEUE_ARN", "TASK_HISTORY_TABLE", "TASK_BACKUPS_BUCKET"]) assert.ok(keys.includes(key), key);
});

for (const name of NAMES) {
  test(`${name}: each key is a parameter, and none is a secret`, () => {
    const own = ofType(name, "AWS::SSM::Parameter").filter(({ stack }) => stack === "task-app-hand-over");
    const parameters = own.map(({ properties }) => [properties.Name as string, JSON.stringify(properties.Value)] as const);
    assert.deepEqual(parameters.map(([path]) => path).sort(), keys.map((key) => `${HAND_OVER_PATH}/${key}`));
    for (const [path, value] of parameters) assert.ok(!value.includes("resolve:secretsmanager"), path);
  });

  test(`${name}: Lambdas connect to the proxy, encrypted, and have no login in a URL`, () => {
    const own = ofType(name, "AWS::SSM::Parameter").filter(({ stack }) => stack === "task-app-hand-over");
    const value = (key: string) => {
      const parameter = own.find(({ properties }) => properties.Name === `${HAND_OVER_PATH}/${key}`);
      return ((parameter?.properties.Value as { "Fn::Join": [string, unknown[]] })["Fn::Join"][1]).map((part) => (typeof part === "string" ? part : "TOKEN")).join("");
    };
    assert.equal(value("DATABASE_PROXY_URL"), "postgres://TOKEN:5432/task_app?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt");
    assert.equal(value("REDIS_URL"), "rediss://TOKEN:TOKEN");
  });

  test(`${name}: the overlay has the very keys`, (context) => {
    const file = new URL(`../../manifests/overlays/${name}/account.env`, import.meta.url);
    if (!existsSync(file)) {
      context.skip("manifests/ has no such overlay yet");
      return;
    }
    const lines = readFileSync(file, "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
    assert.deepEqual(lines.map((line) => line.split("=")[0]), keys);
  });
}
