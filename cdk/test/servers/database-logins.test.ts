// The logins' SQL on a real PostgreSQL, from secrets of the local server.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { LOGINS } from "../../lib/functions.ts";
import { call } from "./aws.ts";

const CDK = new URL("../..", import.meta.url).pathname;
const DEBIAN = "/usr/lib/postgresql";

/** Debian has `psql` beside the server; elsewhere it is found by its name. */
function psql(url: string, sql: string) {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => `${DEBIAN}/${version}/bin/psql`) : [];
  const program = versions.find((path) => existsSync(path)) ?? "psql";
  const words = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", url];
  const { status, stdout, stderr } = spawnSync(program, words, { input: sql, encoding: "utf8", timeout: 60_000 });
  return { status, stdout: stdout.trim(), stderr };
}

test("each function logs in with the password of its secret, and is a member of its group", async () => {
  const owner = process.env.DATABASE_URL ?? assert.fail("run it by local-stack exec");
  const groups = new Set(LOGINS.map(({ login }) => login.group));
  const missing = [...groups].map((group) => `DO $$ BEGIN CREATE ROLE ${group} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;`);
  assert.equal(psql(owner, missing.join("\n")).status, 0);
  for (const { name } of LOGINS) {
    await call("secretsmanager.CreateSecret", { Name: `task-app/database/${name}`, SecretString: JSON.stringify({ password: `secret-of-${name}` }) });
  }
  const words = ["--import", "tsx", "scripts/database-logins.ts", "--environment", "dev"];
  const printed = spawnSync("node", words, { encoding: "utf8", cwd: CDK, timeout: 300_000 });
  assert.equal(printed.status, 0, printed.stderr);
  assert.ok(!printed.stdout.includes("secret-of-"), "no password is printed");
  // Again, as after a change.
  for (const time of ["once", "twice"]) {
    const applied = psql(owner, printed.stdout);
    assert.equal(applied.status, 0, `${time}: ${applied.stderr}`);
  }
  for (const { name, login } of LOGINS) {
    const url = new URL(owner);
    url.username = login.user;
    url.password = `secret-of-${name}`;
    const asked = psql(url.href, `SELECT pg_has_role(current_user, '${login.group}', 'USAGE')`);
    assert.equal(asked.stdout, "t", asked.stderr);
    url.password = "wrong";
    assert.notEqual(psql(url.href, "SELECT 1").status, 0, "a wrong password is refused");
  }
});
