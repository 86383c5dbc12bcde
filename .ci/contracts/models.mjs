// Makes types of every message of an AsyncAPI document, as a subscriber does with Modelina, and looks at
// their names: what has no title gets a number.

import { readFile } from "node:fs/promises";
import { TypeScriptGenerator } from "@asyncapi/modelina";
import { Parser } from "@asyncapi/parser";

const file = process.argv[2];
const { document } = await new Parser().parse(await readFile(file, "utf8"), { source: file });
const models = await new TypeScriptGenerator({ modelType: "interface" }).generate(document);
const names = new Set(models.map(({ modelName }) => modelName));
const missing = document
  .messages()
  .all()
  .map((message) => message.title())
  .filter((title) => !names.has(title));
const nameless = [...names].filter((name) => name.startsWith("Anonymous"));
if (missing.length + nameless.length > 0 || names.size === 0) {
  throw new Error(`${file}: no model ${missing.join(", ")}; without a name: ${nameless.join(", ")}`);
}
console.log(`${file}: ${names.size} models`);
