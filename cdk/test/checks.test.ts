// That the checkers run at all, and that what they found is answered.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Stack, Validations } from "aws-cdk-lib";
import * as s3 from "aws-cdk-lib/aws-s3";
import { AwsSolutionsChecks } from "cdk-nag";
import { dev } from "../config/dev.ts";
import { ENVIRONMENTS } from "../config/index.ts";
import { createApp } from "../lib/app.ts";
import { NAMES, resources, validationReport } from "../lib/assembly.ts";

test("the last synth has no finding of cdk-nag or of CDK, and no warning", () => {
  const findings = validationReport().pluginReports.flatMap(({ violations }) => violations);
  assert.deepEqual(findings, []);
});

test("cdk-nag finds what is wrong", () => {
  const outdir = mkdtempSync(join(tmpdir(), "cdk-"));
  try {
    const app = createApp({}, { outdir });
    new s3.Bucket(new Stack(app, "wrong"), "bucket");
    const errors: string[] = [];
    const { error } = console;
    console.error = (...words) => errors.push(words.join(" "));
    try {
      assert.throws(() => app.synth(), /Validation failed/);
    } finally {
      console.error = error;
    }
  } finally {
    rmSync(outdir, { recursive: true });
  }
});

test("each acknowledgement of cdk-nag answers a finding", () => {
  const app = createApp(ENVIRONMENTS);
  const acknowledged = app.node.findAll().flatMap(({ node }) => {
    const [own, others] = [true, false].map((is) => node.metadata.filter(({ type }) => (type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY) === is));
    // cdk-nag reads them here: it shall find everything.
    Object.defineProperty(node, "metadata", { value: others });
    const ids = JSON.stringify(own?.map(({ data }): unknown => data)).matchAll(/(AwsSolutions-[^"\\]+)/g);
    return [...ids].map(([, id = ""]) => ({ path: node.path, id }));
  });
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  const found = violations.flatMap(({ ruleName, violatingResources }) => violatingResources.map(({ constructPath }) => `${constructPath ?? ""}/ ${ruleName}`));
  assert.ok(found.length > 50, `${found.length} findings`);
  const stale = acknowledged.filter(({ path, id }) => !found.some((finding) => finding.startsWith(`${path}/`) && finding.endsWith(` ${id}`)));
  assert.deepEqual(stale, []);
});

test("settings that cannot be are errors that name them", () => {
  const wrong = (change: Partial<typeof dev>) => () => createApp({ dev: { ...dev, ...change } });
  assert.throws(wrong({ logs: { days: 15 } }), /cannot keep logs for 15 days/);
  assert.throws(wrong({ cluster: { ...dev.cluster, nodeTypes: ["m7g.large", "m7i.large"] } }), /one architecture/);
  assert.throws(wrong({ producers: ["task-producer"] }), /task-producer/);
});

for (const name of NAMES) {
  test(`${name}: what checkov may skip has its reason`, () => {
    for (const { id, metadata } of resources(name)) {
      const { skip } = (metadata.checkov ?? { skip: [] }) as { skip: { id: string; comment: string }[] };
      for (const { id: rule, comment } of skip) assert.ok(comment.length > 40, `${id}: ${rule}`);
    }
  });
}
