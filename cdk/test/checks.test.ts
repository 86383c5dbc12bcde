// That the checkers run at all, and that what they found is answered.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Stack } from "aws-cdk-lib";
import * as s3 from "aws-cdk-lib/aws-s3";
import { dev } from "../config/dev.ts";
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
