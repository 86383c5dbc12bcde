// The one description of queues, tables and buckets, `shared/resources/resources.json`: the local
// stack, the functions and this app read the same file. None of its values is repeated here.

import { readFileSync } from "node:fs";

export interface Queue {
  readonly name: string;
  readonly purpose: string;
  readonly consumer: string;
  readonly fifo?: {
    readonly deduplicationScope: "messageGroup" | "queue";
    readonly throughputLimit: "perMessageGroupId" | "perQueue";
    readonly contentBasedDeduplication: boolean;
  };
  readonly visibilityTimeoutSeconds: number;
  readonly retentionSeconds: number;
  readonly maximumMessageBytes: number;
  readonly encryption: "SSE-SQS";
  readonly maxReceiveCount: number;
  readonly deadLetterQueue: {
    readonly name: string;
    readonly retentionSeconds: number;
    readonly redriveAllow: "byQueue";
  };
}

export interface Key {
  readonly name: string;
  readonly type: "S" | "N" | "B";
}

export interface Table {
  readonly name: string;
  readonly purpose: string;
  readonly partitionKey: Key;
  readonly sortKey?: Key;
  readonly indexes?: readonly { readonly name: string; readonly partitionKey: Key }[];
  readonly timeToLiveAttribute?: string;
  readonly pointInTimeRecovery: boolean;
  readonly encryption: "AWS-managed-KMS";
}

export interface Bucket {
  readonly name: string;
  readonly purpose: string;
  readonly versioned: boolean;
  readonly encryption: "SSE-S3";
  readonly lifecycle: {
    readonly expireAfterDays?: number;
    readonly expireNoncurrentAfterDays: number;
    readonly abortUploadsAfterDays: number;
  };
  readonly notifications?: readonly Notification[];
}

export interface Notification {
  readonly queue: QueueName;
  readonly events: readonly string[];
  readonly prefix: string;
}

export type QueueName = "commands" | "facts" | "attachmentEvents";
export type TableName = "history" | "operations" | "replays";
export type BucketName = "attachments" | "claimChecks" | "deadLetters" | "backups";

export interface Resources {
  readonly queues: Readonly<Record<QueueName, Queue>>;
  readonly tables: Readonly<Record<TableName, Table>>;
  readonly buckets: Readonly<Record<BucketName, Bucket>>;
}

const FILE = new URL("../../shared/resources/resources.json", import.meta.url);

export const RESOURCES = JSON.parse(readFileSync(FILE, "utf8")) as Resources;

/** The members of an object, each with its name, in order. */
export function each<Name extends string, Value>(members: Readonly<Record<Name, Value>>): [Name, Value][] {
  return Object.entries(members) as [Name, Value][];
}

/** The same for every member of an object. */
export function mapEach<Name extends string, From, To>(
  members: Readonly<Record<Name, From>>,
  map: (value: From, name: Name) => To,
): Record<Name, To> {
  return Object.fromEntries(each(members).map(([name, value]) => [name, map(value, name)])) as Record<Name, To>;
}
