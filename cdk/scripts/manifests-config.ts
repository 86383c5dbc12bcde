// `make manifests-config ENV=dev`: writes what the account hands over into the overlay of its
// environment, `manifests/overlays/ENV/account.env`, and into that of ArgoCD.
//
// The AWS command line reads it, with whatever credentials it finds. Every key that the templates hand
// over must be there, and the account must be the one of the settings, or nothing is written.

import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ENVIRONMENTS } from "../config/index.ts";
import { createApp } from "../lib/app.ts";
import { keysOf } from "../lib/hand-over.ts";

const { values } = parseArgs({
  options: { environment: { type: "string" }, output: { type: "string" } },
});
const environment = values.environment ?? "";
const settings = ENVIRONMENTS[environment];
if (!settings) fail(`ENV: expected ${Object.keys(ENVIRONMENTS).join(" or ")}, not «${environment}»`);
const overlays = ["overlays", "argocd/overlays"].map((name) => new URL(`../../manifests/${name}/${environment}`, import.meta.url).pathname);
const folders = values.output ? [values.output] : overlays;

const found = readParameters(settings.region);
const missing = keysOf(createApp({ [environment]: settings })).filter((key) => !found.has(key));
if (missing.length > 0) fail(`the account hands over no ${missing.join(", ")}: deploy it first (docs/deploy.md)`);
if (found.get("ACCOUNT") !== settings.account) {
  fail(`these credentials are for the account ${found.get("ACCOUNT") ?? ""}, and ${environment} is ${settings.account}`);
}
const lines = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}\n`);
for (const folder of folders) {
  mkdirSync(folder, { recursive: true });
  // At once or not at all.
  writeFileSync(`${folder}/account.env.new`, lines.join(""));
  renameSync(`${folder}/account.env.new`, `${folder}/account.env`);
  console.log(`${folder}/account.env: ${lines.length} values`);
}

function readParameters(region: string): Map<string, string> {
  const query = ["ssm", "get-parameters-by-path", "--path", "/task-app/hand-over", "--query", "Parameters[].[Name,Value]"];
  let text: string;
  try {
    text = execFileSync("aws", [...query, "--region", region, "--output", "json"], { encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "inherit"] });
  } catch (error) {
    fail(`the AWS command line failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const pairs = JSON.parse(text) as [string, string][];
  return new Map(pairs.map(([name, value]) => [name.split("/").at(-1) ?? name, value]));
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
