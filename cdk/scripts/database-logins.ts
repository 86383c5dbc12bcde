// Prints the SQL that gives each function its login of PostgreSQL, from the secrets of the account: to
// be run once as the owner, after the first migration made the groups (docs/deploy.md).
//
// Passwords are printed as SCRAM verifiers, so neither a terminal nor PostgreSQL's log has one.

import { execFileSync } from "node:child_process";
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { ENVIRONMENTS } from "../config/index.ts";
import { LOGINS } from "../lib/functions.ts";

const ITERATIONS = 4096;

const { values } = parseArgs({ options: { environment: { type: "string" } } });
const settings = ENVIRONMENTS[values.environment ?? ""];
if (!settings) {
  console.error(`--environment: expected ${Object.keys(ENVIRONMENTS).join(" or ")}`);
  process.exit(1);
}
console.log("BEGIN;");
for (const { name, login } of LOGINS) console.log(statements(login.user, login.group, password(name, settings.region)));
console.log("COMMIT;");

/** Names are ours, and a verifier has no quotes: nothing to inject. */
function statements(user: string, group: string, text: string): string {
  return [
    `DO $$ BEGIN CREATE ROLE ${user}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;`,
    `ALTER ROLE ${user} LOGIN PASSWORD '${verifier(text)}';`,
    `GRANT ${group} TO ${user};`,
  ].join("\n");
}

function password(name: string, region: string): string {
  const query = ["secretsmanager", "get-secret-value", "--secret-id", `task-app/database/${name}`, "--query", "SecretString"];
  const text = execFileSync("aws", [...query, "--region", region, "--output", "text"], {
    encoding: "utf8",
    timeout: 60_000,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return (JSON.parse(text) as { password: string }).password;
}

/** What PostgreSQL itself would keep of a password (RFC 5803). */
function verifier(text: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(text, salt, ITERATIONS, 32, "sha256");
  const hmac = (what: string) => createHmac("sha256", salted).update(what).digest();
  const stored = createHash("sha256").update(hmac("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${hmac("Server Key").toString("base64")}`;
}
