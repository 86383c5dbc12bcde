// Validates an AsyncAPI document with the project's public parser, which follows its references to
// the schemas beside it.

import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const file = process.argv[2];
const text = await readFile(file, "utf8");
const { document, diagnostics } = await new Parser().parse(text, { source: file });
// Levels: 0 error, 1 warning, 2 information, 3 hint.
for (const { severity, code, message, path } of diagnostics.filter((found) => found.severity < 2)) {
  console.error(`${file}: ${severity === 0 ? "error" : "warning"} ${code} at /${path.join("/")}: ${message}`);
}
if (!document || diagnostics.some((found) => found.severity < 2)) process.exit(1);
const messages = document.messages().all();
if (messages.length === 0) throw new Error(`${file} has no messages`);
console.log(`${file}: valid, ${messages.length} messages`);
