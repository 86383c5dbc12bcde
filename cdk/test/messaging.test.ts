import assert from "node:assert/strict";
import { test } from "node:test";
import { ENVIRONMENTS } from "../config/index.ts";
import { NAMES, ofType } from "../lib/assembly.ts";
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
