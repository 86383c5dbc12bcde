import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { dev } from "../config/dev.ts";
import { ENVIRONMENTS } from "../config/index.ts";
import type { NotifiedBy } from "../config/settings.ts";
import { createApp } from "../lib/app.ts";
import { NAMES, ofType } from "../lib/assembly.ts";
import { createBuckets } from "../lib/data/buckets.ts";
import { LOGINS } from "../lib/functions.ts";
import { MessagingStack } from "../lib/messaging/stack.ts";
import { each, mapEach, RESOURCES } from "../lib/resources.ts";
import { statements } from "./policies.ts";

for (const name of NAMES) {
  const settings = ENVIRONMENTS[name];
  assert.ok(settings);
  const one = (type: string) => {
    const [resource, ...others] = ofType(name, type);
    assert.deepEqual(others, []);
    assert.ok(resource);
    return resource;
  };

  test(`${name}: PostgreSQL keeps its backups, and is not lost by a removal`, () => {
    const { properties, deletionPolicy } = one("AWS::RDS::DBInstance");
    assert.equal(properties.BackupRetentionPeriod, settings.database.backupDays);
    assert.ok(settings.database.backupDays >= 7);
    assert.equal(properties.DeleteAutomatedBackups, false);
    assert.equal(properties.DeletionProtection, true);
    assert.equal(deletionPolicy, "Snapshot");
  });

  test(`${name}: PostgreSQL is encrypted, private, and requires TLS`, () => {
    const { properties } = one("AWS::RDS::DBInstance");
    assert.equal(properties.StorageEncrypted, true);
    assert.ok(properties.KmsKeyId);
    assert.equal(properties.PubliclyAccessible, false);
    assert.equal(properties.EnablePerformanceInsights, true);
    assert.match(properties.EngineVersion as string, /^\d+\.\d+$/);
    assert.equal(one("AWS::RDS::DBParameterGroup").properties.Parameters["rds.force_ssl"], "1");
    assert.equal(one("AWS::RDS::DBProxy").properties.RequireTLS, true);
  });

  test(`${name}: PostgreSQL, its proxy and Redis are in isolated subnets`, () => {
    const lists = [
      one("AWS::RDS::DBSubnetGroup").properties.SubnetIds,
      one("AWS::RDS::DBProxy").properties.VpcSubnetIds,
      one("AWS::ElastiCache::SubnetGroup").properties.SubnetIds,
    ] as { "Fn::ImportValue": string }[][];
    for (const list of lists) {
      assert.equal(list.length, settings.zones.length);
      for (const subnet of list) assert.match(subnet["Fn::ImportValue"], /isolatedSubnet/);
    }
  });

  test(`${name}: nobody types a password`, () => {
    const { properties } = one("AWS::RDS::DBInstance");
    assert.equal(properties.ManageMasterUserPassword, true);
    assert.equal(properties.MasterUserPassword, undefined);
    for (const secret of ofType(name, "AWS::SecretsManager::Secret")) {
      assert.ok(secret.properties.GenerateSecretString, secret.id);
      assert.equal(secret.properties.SecretString, undefined);
    }
  });

  test(`${name}: the password of each login is replaced in time`, () => {
    const schedules = ofType(name, "AWS::SecretsManager::RotationSchedule");
    assert.equal(schedules.length, LOGINS.length);
    for (const { properties } of schedules) {
      assert.equal(properties.RotationRules.ScheduleExpression, `rate(${settings.database.passwordDays} days)`);
      assert.equal(properties.HostedRotationLambda.RotationType, "PostgreSQLSingleUser");
      // The first deployment has no users yet, and would fail.
      assert.equal(properties.RotateImmediatelyOnUpdate, false);
    }
  });

  test(`${name}: Redis is encrypted and asks for its token`, () => {
    const { properties } = one("AWS::ElastiCache::ReplicationGroup");
    assert.equal(properties.TransitEncryptionEnabled, true);
    assert.equal(properties.TransitEncryptionMode, "required");
    assert.equal(properties.AtRestEncryptionEnabled, true);
    assert.match(JSON.stringify(properties.AuthToken), /resolve:secretsmanager/);
  });

  test(`${name}: tables are as the one description says`, () => {
    const tables = new Map(ofType(name, "AWS::DynamoDB::Table").map((table) => [table.properties.TableName as string, table]));
    assert.equal(tables.size, each(RESOURCES.tables).length);
    for (const [, description] of each(RESOURCES.tables)) {
      const { properties, deletionPolicy } = tables.get(description.name) ?? assert.fail(description.name);
      const keys = [description.partitionKey, description.sortKey].flatMap((key) => (key ? [key.name] : []));
      assert.deepEqual((properties.KeySchema as { AttributeName: string }[]).map((key) => key.AttributeName), keys);
      const ttl = description.timeToLiveAttribute;
      assert.deepEqual(properties.TimeToLiveSpecification, ttl && { AttributeName: ttl, Enabled: true });
      assert.equal(properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled, description.pointInTimeRecovery);
      const indexes = ((properties.GlobalSecondaryIndexes ?? []) as { IndexName: string }[]).map((index) => index.IndexName);
      assert.deepEqual(indexes, (description.indexes ?? []).map((index) => index.name));
      assert.equal(properties.SSESpecification.SSEEnabled, true);
      assert.equal(properties.DeletionProtectionEnabled, true);
      assert.equal(deletionPolicy, "Retain");
    }
  });

  test(`${name}: buckets are private, encrypted and logged`, () => {
    const buckets = ofType(name, "AWS::S3::Bucket");
    assert.equal(buckets.length, each(RESOURCES.buckets).length + 1);
    for (const { id, properties, deletionPolicy } of buckets) {
      assert.deepEqual(new Set(Object.values(properties.PublicAccessBlockConfiguration as object)), new Set([true]), id);
      assert.ok(properties.BucketEncryption, id);
      assert.equal(properties.VersioningConfiguration.Status, "Enabled", id);
      assert.ok(properties.LifecycleConfiguration, id);
      assert.equal(deletionPolicy, "Retain", id);
      assert.ok(id.startsWith("accesslogs") || properties.LoggingConfiguration, id);
    }
    const insecure = statements(name).filter(({ type, effect, condition }) => type === "AWS::S3::BucketPolicy" && effect === "Deny" && condition.Bool?.["aws:SecureTransport"] === "false");
    assert.equal(insecure.length, buckets.length);
  });

  test(`${name}: buckets expire and notify as the one description says`, () => {
    for (const [, description] of each(RESOURCES.buckets)) {
      const bucket = ofType(name, "AWS::S3::Bucket").find(({ properties }) => (properties.BucketName as string).startsWith(description.name));
      const rules = bucket?.properties.LifecycleConfiguration.Rules as Record<string, unknown>[];
      const { expireAfterDays, expireNoncurrentAfterDays, abortUploadsAfterDays } = description.lifecycle;
      assert.equal(rules[0]?.ExpirationInDays, expireAfterDays);
      assert.deepEqual(rules[0]?.NoncurrentVersionExpiration, { NoncurrentDays: expireNoncurrentAfterDays });
      assert.deepEqual(rules[1]?.AbortIncompleteMultipartUpload, { DaysAfterInitiation: abortUploadsAfterDays });
      const expected = (description.notifications ?? []).flatMap(({ events, prefix }) => events.map((event) => [event, prefix]));
      const configured = (bucket?.properties.NotificationConfiguration?.QueueConfigurations ?? []) as { Event: string; Filter: { S3Key: { Rules: { Value: string }[] } } }[];
      assert.deepEqual(configured.map(({ Event, Filter }) => [Event, Filter.S3Key.Rules[0]?.Value]), expected);
    }
  });
}

/** How the bucket of attachments notifies in an environment that wants it so. */
function notifications(notifiedBy: NotifiedBy): Record<string, unknown>[] {
  const outdir = mkdtempSync(join(tmpdir(), "cdk-"));
  try {
    const app = createApp({}, { outdir });
    const env = { account: dev.account, region: dev.region };
    const settings = { ...dev, files: { ...dev.files, notifiedBy } };
    const { queues } = new MessagingStack(app, "messaging", settings, { env });
    const stack = new Stack(app, "data", { env });
    createBuckets(stack, mapEach(queues, ({ queue }) => queue), settings);
    const found = Object.values(Template.fromStack(stack).findResources("AWS::S3::Bucket"));
    const configurations = found.map(({ Properties }) => Properties.NotificationConfiguration as Record<string, unknown> | undefined);
    return configurations.filter((configuration) => configuration !== undefined);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

test("the bucket of attachments notifies whom the setting names, and nobody else", () => {
  const topic = `arn:aws:sns:${dev.region}:${dev.account}:uploads` as const;
  const Filter = { S3Key: { Rules: [{ Name: "prefix", Value: "attachments/" }] } };
  assert.deepEqual(notifications(topic), [{ TopicConfigurations: [{ Event: "s3:ObjectCreated:*", Filter, Topic: topic }] }]);
  assert.deepEqual(notifications("eventbridge"), [{ EventBridgeConfiguration: { EventBridgeEnabled: true } }]);
  const own = notifications("s3");
  assert.deepEqual(own.map((configuration) => Object.keys(configuration)), [["QueueConfigurations"]]);
});

test("age alone deletes no backup: `backup prune` keeps the newest good ones, and a rule of S3 cannot", () => {
  assert.equal(RESOURCES.buckets.backups.lifecycle.expireAfterDays, undefined);
});

test("production survives the loss of a zone", () => {
  const [postgres] = ofType("production", "AWS::RDS::DBInstance");
  assert.equal(postgres?.properties.MultiAZ, true);
  const [redis] = ofType("production", "AWS::ElastiCache::ReplicationGroup");
  assert.equal(redis?.properties.MultiAZEnabled, true);
  assert.equal(redis.properties.AutomaticFailoverEnabled, true);
  assert.ok(Number(redis.properties.ReplicasPerNodeGroup) >= 1);
});
