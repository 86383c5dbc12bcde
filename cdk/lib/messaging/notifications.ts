// How S3's notifications reach a queue, and who may send them: one sender, and no other.

import { Arn, ArnFormat, Stack } from "aws-cdk-lib";
import * as events from "aws-cdk-lib/aws-events";
import * as iam from "aws-cdk-lib/aws-iam";
import * as sns from "aws-cdk-lib/aws-sns";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { NotifiedBy } from "../../config/settings.ts";
import { bucketArn, bucketName } from "../names.ts";
import type { Bucket, Notification } from "../resources.ts";

export function receiveNotifications(queue: sqs.Queue, bucket: Bucket, notification: Notification, by: NotifiedBy): void {
  if (by === "s3") {
    // The bucket's name alone would be another one's, were ours deleted.
    const ours = { StringEquals: { "aws:SourceAccount": Stack.of(queue).account } };
    allow(queue, "s3.amazonaws.com", bucketArn(queue, bucket), ours);
  } else if (by === "eventbridge") {
    allow(queue, "events.amazonaws.com", ruleOf(queue, bucket, notification).attrArn);
  } else {
    subscribe(queue, by);
    allow(queue, "sns.amazonaws.com", by);
  }
}

/** Rules and topics have their account in the ARN, which the condition therefore names, too. */
function allow(queue: sqs.Queue, service: string, source: string, conditions: iam.Conditions = {}): void {
  queue.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: "Notifications",
      principals: [new iam.ServicePrincipal(service)],
      actions: ["sqs:SendMessage"],
      resources: [queue.queueArn],
      conditions: { ArnEquals: { "aws:SourceArn": source }, ...conditions },
    }),
  );
}

function ruleOf(queue: sqs.Queue, bucket: Bucket, { events: named, prefix }: Notification): events.CfnRule {
  if (named.some((event) => event !== "s3:ObjectCreated:*")) throw new Error(`EventBridge has no name here for ${named.join(", ")}`);
  return new events.CfnRule(queue, "notifications", {
    description: `What comes into ${bucket.name}`,
    eventPattern: {
      source: ["aws.s3"],
      "detail-type": ["Object Created"],
      account: [Stack.of(queue).account],
      detail: { bucket: { name: [bucketName(queue, bucket)] }, object: { key: [{ prefix }] } },
    },
    targets: [{ id: "queue", arn: queue.queueArn }],
  });
}

/** To a topic that is there. Its owner lets the bucket publish to it. */
function subscribe(queue: sqs.Queue, topicArn: string): void {
  const { service, account, region } = Arn.split(topicArn, ArnFormat.NO_RESOURCE_NAME);
  const stack = Stack.of(queue);
  if (service !== "sns" || account !== stack.account || region !== stack.region) {
    throw new Error(`files.notifiedBy: expected a topic of this account and region, not ${topicArn}`);
  }
  new sns.CfnSubscription(queue, "notifications", {
    topicArn,
    protocol: "sqs",
    endpoint: queue.queueArn,
    rawMessageDelivery: true,
  });
}
