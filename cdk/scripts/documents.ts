// Writes the documents that come of the settings and of the templates. With `--check`, compares instead.

import { readFileSync, writeFileSync } from "node:fs";
import { cost } from "./documents/cost.ts";
import { identity } from "./documents/identity.ts";
import { picture } from "./documents/picture.ts";
import { settings } from "./documents/settings.ts";

const DOCS = new URL("../../docs/", import.meta.url);

const documents: Readonly<Record<string, () => string>> = {
  "cost.md": cost,
  "settings.md": settings,
  "identity.md": identity,
  "images/account.svg": picture,
};

const check = process.argv.includes("--check");
const different = Object.entries(documents).filter(([name, write]) => {
  const file = new URL(name, DOCS);
  const text = write();
  if (!check) writeFileSync(file, text);
  return check && read(file) !== text;
});
if (different.length > 0) {
  console.error(`${different.map(([name]) => `docs/${name}`).join(", ")}: out of date. In cdk/: npm run synth && npm run documents`);
  process.exitCode = 1;
}

function read(file: URL): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
