// Compiles every schema of the events with ajv in strict mode, and holds the examples against them.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const folder = process.argv[2];
const ajv = new Ajv2020({ strict: true, allErrors: true });
addFormats(ajv);

const schemas = new Map();
for (const file of await readdir(join(folder, "schemas"))) {
  const schema = JSON.parse(await readFile(join(folder, "schemas", file), "utf8"));
  schemas.set(file.replace(/\.schema\.json$/, ""), ajv.compile(schema));
}

let seen = 0;
for (const [examples, valid] of [
  ["examples/valid", true],
  ["examples/invalid", false],
  ["examples/facts/valid", true],
  ["examples/facts/invalid", false],
]) {
  for (const file of await readdir(join(folder, examples))) {
    const text = await readFile(join(folder, examples, file), "utf8");
    const [, kind] = /^(.+\.v[0-9]+)\./.exec(file);
    const fits = parse(text).every((event) => schemas.get(kind)(event));
    if (fits !== valid) throw new Error(`${examples}/${file}: ${JSON.stringify(schemas.get(kind).errors)}`);
    seen += 1;
  }
}
if (seen < 2 * schemas.size) throw new Error(`${seen} examples`);
console.log(`${folder}/schemas: ${schemas.size} schemas, ${seen} examples`);

/** The event of a text; none that fits anything, of one that is no JSON. */
function parse(text) {
  try {
    return [JSON.parse(text)];
  } catch {
    return [undefined];
  }
}
