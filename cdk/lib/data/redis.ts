// Redis on ElastiCache: one shard, since everything in it may be lost and is small. With a replica,
// another zone takes over.

import { RemovalPolicy } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as elasticache from "aws-cdk-lib/aws-elasticache";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { acknowledge } from "../acknowledge.ts";
import type { NetworkStack } from "../network/stack.ts";

export interface Redis {
  readonly group: elasticache.CfnReplicationGroup;
  /** `{"token": …}`: the password of the user `default`. */
  readonly secret: secretsmanager.Secret;
}

export const REDIS_NAME = "task-app";

export function createRedis(scope: Construct, { vpc, groups }: NetworkStack, key: kms.IKey, settings: Settings): Redis {
  const { redis } = settings;
  const secret = new secretsmanager.Secret(scope, "redis-token", {
    secretName: "task-app/redis",
    description: "The token that Redis asks of its clients",
    encryptionKey: key,
    generateSecretString: {
      secretStringTemplate: "{}",
      generateStringKey: "token",
      passwordLength: 64,
      excludePunctuation: true,
    },
    removalPolicy: RemovalPolicy.DESTROY,
  });
  acknowledge(secret, {
    nag: ["SMG4"],
    reason: "ElastiCache takes a new token beside the old one, then without it: two steps of docs/deploy.md, not a schedule.",
  });
  const subnets = new elasticache.CfnSubnetGroup(scope, "redis-subnets", {
    cacheSubnetGroupName: REDIS_NAME,
    description: "Isolated subnets",
    subnetIds: vpc.selectSubnets({ subnetType: ec2.SubnetType.PRIVATE_ISOLATED }).subnetIds,
  });
  const group = new elasticache.CfnReplicationGroup(scope, "redis", {
    replicationGroupId: REDIS_NAME,
    replicationGroupDescription: "Copies of tasks, and rate limits",
    engine: "redis",
    engineVersion: redis.version,
    cacheNodeType: redis.node,
    numNodeGroups: 1,
    replicasPerNodeGroup: redis.replicas,
    automaticFailoverEnabled: redis.replicas > 0,
    multiAzEnabled: redis.replicas > 0,
    cacheSubnetGroupName: subnets.ref,
    securityGroupIds: [groups.redis.securityGroupId],
    transitEncryptionEnabled: true,
    transitEncryptionMode: "required",
    authToken: secret.secretValueFromJson("token").unsafeUnwrap(),
    atRestEncryptionEnabled: true,
    kmsKeyId: key.keyArn,
    snapshotRetentionLimit: redis.snapshotDays,
    autoMinorVersionUpgrade: true,
  });
  acknowledge(group, {
    nag: ["AEC5"],
    reason: "Only security groups that are named reach the port, in subnets without a route: another number protects nothing.",
  });
  if (redis.replicas === 0) {
    acknowledge(group, {
      nag: ["AEC4"],
      reason: "A setting: what is lost with this environment's one node is read from PostgreSQL again.",
    });
  }
  return { group, secret };
}
