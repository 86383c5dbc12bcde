// S3, as `shared/resources/resources.json` describes it, and one bucket for access logs.

import { Duration, RemovalPolicy } from "aws-cdk-lib";
import * as s3 from "aws-cdk-lib/aws-s3";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { NotifiedBy, Settings } from "../../config/settings.ts";
import { acknowledge } from "../acknowledge.ts";
import { bucketName } from "../names.ts";
import { type Bucket, type BucketName, mapEach, type QueueName, RESOURCES } from "../resources.ts";

const COMMON: s3.BucketProps = {
  encryption: s3.BucketEncryption.S3_MANAGED,
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  removalPolicy: RemovalPolicy.RETAIN,
};

export function createBuckets(
  scope: Construct,
  queues: Readonly<Record<QueueName, sqs.IQueue>>,
  settings: Settings,
): Record<BucketName, s3.Bucket> {
  const accessLogs = new s3.Bucket(scope, "access-logs", {
    ...COMMON,
    bucketName: bucketName(scope, { name: "task-access-logs" }),
    versioned: true,
    lifecycleRules: [
      { expiration: Duration.days(settings.files.accessLogDays), noncurrentVersionExpiration: Duration.days(1) },
      { abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
  });
  acknowledge(accessLogs, {
    nag: ["S1"],
    checkov: ["CKV_AWS_18"],
    reason: "It receives the access logs of the others: its own would log themselves.",
  });
  return mapEach(RESOURCES.buckets, (description, name) => {
    const bucket = createBucket(scope, name, description, accessLogs);
    notify(bucket, description, queues, settings.files.notifiedBy);
    return bucket;
  });
}

function createBucket(scope: Construct, id: string, description: Bucket, accessLogs: s3.Bucket): s3.Bucket {
  const { expireAfterDays, expireNoncurrentAfterDays, abortUploadsAfterDays } = description.lifecycle;
  return new s3.Bucket(scope, id, {
    ...COMMON,
    bucketName: bucketName(scope, description),
    versioned: description.versioned,
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: `${description.name}/`,
    lifecycleRules: [
      {
        expiration: expireAfterDays === undefined ? undefined : Duration.days(expireAfterDays),
        noncurrentVersionExpiration: Duration.days(expireNoncurrentAfterDays),
      },
      { abortIncompleteMultipartUploadAfter: Duration.days(abortUploadsAfterDays) },
    ],
  });
}

/** CloudFormation's own notifications: CDK's would add a Lambda that may change any bucket. */
function notify(
  bucket: s3.Bucket,
  { notifications }: Bucket,
  queues: Readonly<Record<QueueName, sqs.IQueue>>,
  by: NotifiedBy,
): void {
  if (!notifications) return;
  const own = bucket.node.defaultChild as s3.CfnBucket;
  if (by === "eventbridge") {
    own.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    return;
  }
  const wanted = notifications.flatMap(({ queue, events, prefix }) =>
    events.map((event) => ({ event, queue, filter: { s3Key: { rules: [{ name: "prefix", value: prefix }] } } })),
  );
  own.notificationConfiguration =
    by === "s3"
      ? { queueConfigurations: wanted.map(({ queue, ...what }) => ({ ...what, queue: queues[queue].queueArn })) }
      : { topicConfigurations: wanted.map(({ event, filter }) => ({ event, filter, topic: by })) };
}
