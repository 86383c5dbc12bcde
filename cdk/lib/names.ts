// Names and ARNs that are known before the resource is there. Policies use them where a reference
// would make two stacks depend on each other.

import { ArnFormat, Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Bucket } from "./resources.ts";

/** Bucket names are unique in all of AWS. */
export function bucketName(scope: Construct, bucket: Pick<Bucket, "name">): string {
  const { account, region } = Stack.of(scope);
  return `${bucket.name}-${account}-${region}`;
}

export function bucketArn(scope: Construct, bucket: Pick<Bucket, "name">): string {
  return Stack.of(scope).formatArn({
    service: "s3",
    region: "",
    account: "",
    resource: bucketName(scope, bucket),
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
}

export function queueArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({ service: "sqs", resource: name });
}

/** `command-worker` as `COMMAND_WORKER`, `attachmentEvents` as `ATTACHMENT_EVENTS`. */
export function upperSnake(name: string): string {
  return name.replace(/\.fifo$/, "").replaceAll("-", "_").replaceAll(/([a-z])([A-Z])/g, "$1_$2").toUpperCase();
}

/** Everything that is written to a log group. */
export function logStreams(scope: Construct, group: string): string {
  return Stack.of(scope).formatArn({
    service: "logs",
    resource: "log-group",
    resourceName: `${group}:log-stream:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Where Fluent Bit writes what pods log. */
export const PODS_LOG_GROUP = "/task-app/pods";
/** The repository of the one image. */
export const REPOSITORY_NAME = "task-app";
/** The repository of the image with PostgreSQL's programs, in which `backup` dumps and verifies. */
export const BACKUP_REPOSITORY_NAME = "task-app-backup";
export const CLUSTER_NAME = "task-app";
