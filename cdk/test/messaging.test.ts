import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Template } from "aws-cdk-lib/assertions";
import { dev } from "../config/dev.ts";
import { ENVIRONMENTS } from "../config/index.ts";
import type { NotifiedBy } from "../config/settings.ts";
import { createApp } from "../lib/app.ts";
import { NAMES, ofType } from "../lib/assembly.ts";
import { MessagingStack } from "../lib/messaging/stack.ts";
import { each, RESOURCES } from "../lib/resources.ts";
import { statements } from "./policies.ts";

for (const name of NAMES) {
  const queues = new Map(ofType(name, "AWS::SQS::Queue").map((queue) => [queue.properties.QueueName as string, queue]));
  const queue = (called: string) => queues.get(called) ?? assert.fail(called);

  test(`${name}: queues are as the one description says`, () => {
    assert.equal(queues.size, 2 * each(RESOURCES.queues).length);
    for (const [, description] of each(RESOURCES.queues)) {
      const { fifo } = description;
      for (const [called, retention] of [
        [description.name, description.retentionSeconds],
        [description.deadLetterQueue.name, description.deadLetterQueue.retentionSeconds],
      ] as const) {
        const { properties } = queue(called);
        assert.equal(properties.MessageRetentionPeriod, retention);
        assert.equal(properties.VisibilityTimeout, description.visibilityTimeoutSeconds);
        assert.equal(properties.MaximumMessageSize, description.maximumMessageBytes);
        assert.equal(properties.SqsManagedSseEnabled, true);
        assert.equal(properties.FifoQueue, fifo && true);
        assert.equal(properties.DeduplicationScope, fifo?.deduplicationScope);
        assert.equal(properties.FifoThroughputLimit, fifo?.throughputLimit);
      }
    }
  });

  test(`${name}: each dead-letter queue takes from its own queue only, and keeps for longest`, () => {
    for (const [, { name: called, maxReceiveCount, deadLetterQueue, retentionSeconds }] of each(RESOURCES.queues)) {
      const { properties } = queue(called);
      assert.equal(properties.RedrivePolicy.maxReceiveCount, maxReceiveCount);
      assert.deepEqual(properties.RedrivePolicy.deadLetterTargetArn, { "Fn::GetAtt": [queue(deadLetterQueue.name).id, "Arn"] });
      const allow = queue(deadLetterQueue.name).properties.RedriveAllowPolicy as { redrivePermission: string; sourceQueueArns: unknown[] };
      assert.equal(allow.redrivePermission, "byQueue");
      assert.equal(allow.sourceQueueArns.length, 1);
      assert.ok(JSON.stringify(allow.sourceQueueArns).includes(`:${called}"`));
      assert.ok(deadLetterQueue.retentionSeconds > retentionSeconds);
    }
  });

  test(`${name}: only named producers and the bucket may send, and only by TLS`, () => {
    const policies = statements(name).filter(({ type }) => type === "AWS::SQS::QueuePolicy");
    const allowed = policies.filter(({ effect }) => effect === "Allow");
    const producers = ENVIRONMENTS[name]?.producers ?? [];
    assert.deepEqual(
      allowed.map(({ condition }) => condition.ArnEquals?.["aws:PrincipalArn"] ?? condition.StringEquals?.["aws:SourceAccount"]),
      [...producers, ENVIRONMENTS[name]?.account],
    );
    for (const { actions } of allowed) assert.ok(!actions.some((action) => action.includes("*")));
    assert.equal(policies.filter(({ condition }) => condition.Bool?.["aws:SecureTransport"] === "false").length, queues.size);
  });
}

/** The messaging stack of an environment that is notified so. */
function messaging(notifiedBy: NotifiedBy): Template {
  const outdir = mkdtempSync(join(tmpdir(), "cdk-"));
  try {
    const { account, region } = dev;
    const settings = { ...dev, files: { ...dev.files, notifiedBy } };
    return Template.fromStack(new MessagingStack(createApp({}, { outdir }), "messaging", settings, { env: { account, region } }));
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** Which service may send to the queue of attachments, and on what condition. */
function senders(template: Template): unknown[] {
  const policies = Object.values(template.findResources("AWS::SQS::QueuePolicy"));
  const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Record<string, unknown>[]);
  return statements
    .filter(({ Sid }) => Sid === "Notifications")
    .map(({ Effect, Action, Principal, Condition }) => [Effect, Action, Principal, Condition]);
}

test("one service notifies of uploads, from one source", () => {
  const topic = `arn:aws:sns:${dev.region}:${dev.account}:uploads` as const;
  const byTopic = messaging(topic);
  byTopic.hasResourceProperties("AWS::SNS::Subscription", { TopicArn: topic, Protocol: "sqs", RawMessageDelivery: true });
  assert.deepEqual(senders(byTopic), [
    ["Allow", "sqs:SendMessage", { Service: "sns.amazonaws.com" }, { ArnEquals: { "aws:SourceArn": topic } }],
  ]);

  const byRule = messaging("eventbridge");
  const [rule, ...others] = Object.entries(byRule.findResources("AWS::Events::Rule"));
  assert.ok(rule && others.length === 0);
  assert.deepEqual(rule[1].Properties.EventPattern, {
    source: ["aws.s3"],
    "detail-type": ["Object Created"],
    account: [dev.account],
    detail: { bucket: { name: [`task-attachments-${dev.account}-${dev.region}`] }, object: { key: [{ prefix: "attachments/" }] } },
  });
  assert.deepEqual(senders(byRule), [
    ["Allow", "sqs:SendMessage", { Service: "events.amazonaws.com" }, { ArnEquals: { "aws:SourceArn": { "Fn::GetAtt": [rule[0], "Arn"] } } }],
  ]);

  const byBucket = messaging("s3");
  byBucket.resourceCountIs("AWS::SNS::Subscription", 0);
  byBucket.resourceCountIs("AWS::Events::Rule", 0);
  const conditions = senders(byBucket).map((sender) => JSON.stringify(sender));
  assert.equal(conditions.length, 1);
  assert.match(conditions[0] ?? "", /s3.amazonaws.com.*:s3:::task-attachments-.*"aws:SourceAccount":"444455556666"/);

  assert.throws(() => messaging(`arn:aws:sns:${dev.region}:111122223333:uploads`), /of this account/);
  assert.throws(() => messaging(`arn:aws:sqs:${dev.region}:${dev.account}:uploads`), /topic/);
});
