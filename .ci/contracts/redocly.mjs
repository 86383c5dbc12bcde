// Fails for whatever redocly's report, on the standard input, has: it would pass warnings.

import { text } from "node:stream/consumers";

const { totals, problems } = JSON.parse(await text(process.stdin));
for (const { ruleId, message, location } of problems) {
  console.error(`${ruleId} at ${location.map(({ pointer }) => pointer).join(", ")}: ${message}`);
}
if (totals.errors + totals.warnings + totals.ignored > 0) process.exit(1);
console.log("redocly: nothing found");
