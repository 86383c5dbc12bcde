// What each function does in AWS, and on which resources: exactly what its code calls.
// docs/identity.md is the table that comes of it.

import type { Construct } from "constructs";
import type { DataStack } from "../data/stack.ts";
import { type BackupCommand, describe, type FunctionName } from "../functions.ts";
import type { MessagingStack } from "../messaging/stack.ts";
import type { QueuePair } from "../messaging/queue-pair.ts";
import { bucketArn, logStreams } from "../names.ts";
import { type BucketName, mapEach, RESOURCES } from "../resources.ts";

/** Actions, and the resources that they are allowed on. */
export interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Why a resource ends in a wildcard, for a reviewer. */
  readonly why?: string;
  /** The service that must call KMS for it. */
  readonly viaService?: string;
}

/** The prefix of dumps in the bucket of backups. */
export const BACKUP_PREFIX = "postgresql/";
/** The prefix of files, which the bucket's notifications have, too. */
export const ATTACHMENT_PREFIX = RESOURCES.buckets.attachments.notifications?.[0]?.prefix ?? "";
const KEYS = "Keys of objects are random, and made while the function runs.";

/** The name of a function that runs as a Lambda. */
export function lambdaName(name: FunctionName): string {
  return `task-app-${name}`;
}

export function grantsOf(scope: Construct, name: FunctionName, stacks: { data: DataStack; messaging: MessagingStack }): Grant[] {
  const streams = [logStreams(scope, `/aws/lambda/${lambdaName(name)}`)];
  const logs = {
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    resources: streams,
    why: "Lambda names its log streams, in this function's own group.",
  };
  return [...own(scope, name, stacks), ...secrets(name, stacks.data), logs];
}

function own(scope: Construct, name: FunctionName, { data, messaging: { queues } }: { data: DataStack; messaging: MessagingStack }): Grant[] {
  const { tables } = data;
  // By name: a reference would have another name in a policy than in what cdk-nag reports.
  const buckets = mapEach(RESOURCES.buckets, (bucket) => bucketArn(scope, bucket));
  const files = `${buckets.attachments}/${ATTACHMENT_PREFIX}*`;
  const bodies = `${buckets.claimChecks}/*`;
  switch (name) {
    case "task-reader":
      return [
        { actions: ["dynamodb:GetItem", "dynamodb:Query"], resources: [tables.history.tableArn] },
        { actions: ["dynamodb:GetItem"], resources: [tables.operations.tableArn] },
        { actions: ["s3:GetObject"], resources: [files], why: KEYS },
      ];
    case "task-writer":
      return [
        { actions: ["sqs:SendMessage"], resources: [queues.commands.queue.queueArn] },
        { actions: ["dynamodb:GetItem", "dynamodb:PutItem"], resources: [tables.operations.tableArn] },
        { actions: ["s3:PutObject"], resources: [files], why: KEYS },
      ];
    case "command-worker":
      return [
        ...consume(queues.commands),
        { actions: ["dynamodb:GetItem", "dynamodb:PartiQLUpdate"], resources: [tables.operations.tableArn] },
        { actions: ["s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion"], resources: [bodies], why: KEYS },
        { actions: ["s3:ListBucketVersions"], resources: [buckets.claimChecks] },
      ];
    case "outbox-relay":
      return [{ actions: ["sqs:SendMessage"], resources: [queues.facts.queue.queueArn] }];
    case "history-projector":
      return [
        ...consume(queues.facts),
        { actions: ["dynamodb:GetItem", "dynamodb:PartiQLInsert"], resources: [tables.history.tableArn] },
      ];
    case "attachment-worker":
      return [
        ...consume(queues.attachmentEvents),
        { actions: ["s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion"], resources: [files], why: KEYS },
        { actions: ["s3:ListBucket", "s3:ListBucketVersions"], resources: [buckets.attachments] },
      ];
    case "dead-letters":
      return operate(data, buckets, Object.values(queues));
    case "backup":
      return [
        {
          actions: ["s3:PutObject", "s3:AbortMultipartUpload"],
          resources: [`${buckets.backups}/${BACKUP_PREFIX}*`],
          why: "Dumps are named by their time. What was written cannot be read or deleted by this role.",
        },
      ];
    case "migrate":
      return [];
  }
}

/** What looks after backups, each below the prefix of dumps. No one of them can write what is restored. */
export function grantsOfBackups(scope: Construct, command: BackupCommand, { tables }: DataStack): Grant[] {
  const bucket = bucketArn(scope, RESOURCES.buckets.backups);
  const below = (name: string) => `${bucket}/${BACKUP_PREFIX}${name}`;
  const why = "Dumps are named by their time.";
  const list: Grant = { actions: ["s3:ListBucket"], resources: [bucket] };
  const look: Grant = { actions: ["s3:GetObject"], resources: [below("*/manifest.json"), below("*/verification.json")], why };
  switch (command) {
    case "verify":
      return [
        list,
        { actions: ["s3:GetObject"], resources: [below("*")], why },
        { actions: ["s3:PutObject"], resources: [below("*/verification.json")], why },
        { actions: ["dynamodb:Query"], resources: [tables.history.tableArn] },
      ];
    case "prune":
      return [
        { ...list, actions: ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"] },
        look,
        { actions: ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"], resources: [below("*")], why },
      ];
    case "monitor":
      return [list, look];
  }
}

function consume({ queue, deadLetters }: QueuePair): Grant[] {
  return [
    {
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      resources: [queue.queueArn],
    },
    { actions: ["sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"], resources: [deadLetters.queueArn] },
  ];
}

/** An operator's tool: it reads dead letters, puts them back, keeps them as files, and deletes them. */
function operate({ tables }: DataStack, buckets: Record<BucketName, string>, pairs: readonly QueuePair[]): Grant[] {
  const queues = pairs.map(({ queue }) => queue.queueArn);
  const deadLetters = pairs.map((pair) => pair.deadLetters.queueArn);
  const objects = [`${buckets.deadLetters}/*`];
  return [
    { actions: ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SendMessage"], resources: [...queues, ...deadLetters] },
    {
      actions: [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:ListDeadLetterSourceQueues",
      ],
      resources: deadLetters,
    },
    { actions: ["sqs:ListQueues"], resources: ["*"], why: "SQS has no narrower resource for it." },
    {
      actions: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"],
      resources: [tables.replays.tableArn],
    },
    {
      actions: ["dynamodb:Query"],
      resources: (RESOURCES.tables.replays.indexes ?? []).map(({ name }) => `${tables.replays.tableArn}/index/${name}`),
    },
    { actions: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], resources: objects, why: "Operators name the files." },
    { actions: ["s3:ListBucket"], resources: [buckets.deadLetters] },
    { actions: ["s3:GetObject", "s3:PutObject"], resources: [`${buckets.claimChecks}/*`], why: KEYS },
  ];
}

/** For a Lambda, which resolves its secrets itself; a pod gets them from External Secrets. */
function secrets(name: FunctionName, data: DataStack): Grant[] {
  const { redis, cursors } = describe(name);
  const arns = [
    data.logins.get(name)?.secretArn,
    name === "migrate" ? data.ownerSecretArn : undefined,
    redis && data.redis.secret.secretArn,
    cursors && data.secrets.cursors.secretArn,
  ].filter((arn) => arn !== undefined);
  if (arns.length === 0) return [];
  return [
    { actions: ["secretsmanager:GetSecretValue"], resources: arns },
    { actions: ["kms:Decrypt"], resources: [data.key.keyArn], viaService: "secretsmanager" },
  ];
}
