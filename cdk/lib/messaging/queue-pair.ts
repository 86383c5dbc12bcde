// A queue and its dead-letter queue, as `shared/resources/resources.json` describes them.

import { Duration } from "aws-cdk-lib";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { acknowledge } from "../acknowledge.ts";
import { queueArn } from "../names.ts";
import type { Queue } from "../resources.ts";

const SCOPES = { messageGroup: sqs.DeduplicationScope.MESSAGE_GROUP, queue: sqs.DeduplicationScope.QUEUE };
const LIMITS = {
  perMessageGroupId: sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
  perQueue: sqs.FifoThroughputLimit.PER_QUEUE,
};

export class QueuePair extends Construct {
  readonly queue: sqs.Queue;
  readonly deadLetters: sqs.Queue;

  constructor(scope: Construct, id: string, description: Queue) {
    super(scope, id);
    const { deadLetterQueue } = description;
    const source = sqs.Queue.fromQueueArn(this, "source", queueArn(this, description.name));
    this.deadLetters = new sqs.Queue(this, "dead-letters", {
      ...common(description),
      queueName: deadLetterQueue.name,
      retentionPeriod: Duration.seconds(deadLetterQueue.retentionSeconds),
      redriveAllowPolicy: { redrivePermission: sqs.RedrivePermission.BY_QUEUE, sourceQueues: [source] },
    });
    this.queue = new sqs.Queue(this, "queue", {
      ...common(description),
      queueName: description.name,
      retentionPeriod: Duration.seconds(description.retentionSeconds),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: description.maxReceiveCount },
    });
    for (const queue of [this.queue, this.deadLetters]) {
      acknowledge(queue, {
        checkov: ["CKV_AWS_27"],
        reason: "Encrypted by SQS itself (SSE-SQS), which checkov does not know: S3 and producers need no key of ours to send.",
      });
    }
  }
}

function common({ fifo, visibilityTimeoutSeconds, maximumMessageBytes }: Queue): sqs.QueueProps {
  return {
    visibilityTimeout: Duration.seconds(visibilityTimeoutSeconds),
    maxMessageSizeBytes: maximumMessageBytes,
    receiveMessageWaitTime: Duration.seconds(20),
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    ...(fifo && {
      fifo: true,
      contentBasedDeduplication: fifo.contentBasedDeduplication,
      deduplicationScope: SCOPES[fifo.deduplicationScope],
      fifoThroughputLimit: LIMITS[fifo.throughputLimit],
    }),
  };
}
