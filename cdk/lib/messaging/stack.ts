import { Arn, ArnFormat, Stack, type StackProps } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { each, mapEach, type QueueName, RESOURCES } from "../resources.ts";
import { receiveNotifications } from "./notifications.ts";
import { QueuePair } from "./queue-pair.ts";

/** The queues, and who outside of this system may send to them. */
export class MessagingStack extends Stack {
  readonly queues: Readonly<Record<QueueName, QueuePair>>;

  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    this.queues = mapEach(RESOURCES.queues, (description, name) => new QueuePair(this, name, description));
    for (const producer of settings.producers) allowProducer(this.queues.commands.queue, producer);
    for (const [, bucket] of each(RESOURCES.buckets)) {
      for (const notification of bucket.notifications ?? []) {
        receiveNotifications(this.queues[notification.queue].queue, bucket, notification, settings.files.notifiedBy);
      }
    }
  }
}

/** By condition: a policy whose principal does not exist yet is refused. */
function allowProducer(queue: sqs.Queue, role: string): void {
  const account = Arn.split(role, ArnFormat.SLASH_RESOURCE_NAME).account;
  if (!account) throw new Error(`producers: expected the ARN of a role, not ${role}`);
  queue.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.AccountPrincipal(account)],
      actions: ["sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"],
      resources: [queue.queueArn],
      conditions: { ArnEquals: { "aws:PrincipalArn": role } },
    }),
  );
}
