// What `manifests/` needs to know of the account. Each value is an SSM parameter below
// `HAND_OVER_PATH`, and `make manifests-config` writes them into the overlay: nothing is typed by
// hand. This is the one list of the keys.

import { type App, Stack, type StackProps } from "aws-cdk-lib";
import * as ssm from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";
import type { Settings } from "../config/settings.ts";
import type { ComputeStack } from "./compute/stack.ts";
import { DATABASE_NAME } from "./data/postgres.ts";
import type { DataStack } from "./data/stack.ts";
import type { DeliveryStack } from "./delivery/stack.ts";
import type { IdentityStack } from "./identity/stack.ts";
import type { MessagingStack } from "./messaging/stack.ts";
import { PODS_LOG_GROUP, upperSnake } from "./names.ts";
import { POSTGRES_PORT } from "./network/security-groups.ts";
import type { NetworkStack } from "./network/stack.ts";
import { each, RESOURCES } from "./resources.ts";
import type { WatchingStack } from "./watching/stack.ts";

export const HAND_OVER_PATH = "/task-app/hand-over";

export interface Stacks {
  readonly network: NetworkStack;
  readonly messaging: MessagingStack;
  readonly data: DataStack;
  readonly compute: ComputeStack;
  readonly identity: IdentityStack;
  readonly delivery: DeliveryStack;
  readonly watching: WatchingStack;
}

export class HandOverStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, stacks: Stacks, props: StackProps) {
    super(scope, id, props);
    for (const [key, stringValue] of Object.entries(handOver(settings, stacks))) {
      new ssm.StringParameter(this, key, { parameterName: `${HAND_OVER_PATH}/${key}`, stringValue });
    }
  }
}

/** The keys that the environments of an app hand over, in order. */
export function keysOf(app: App): string[] {
  const parameters = app.node.findAll().filter((found) => found.node.scope instanceof HandOverStack);
  return [...new Set(parameters.filter((found) => found instanceof ssm.StringParameter).map(({ node }) => node.id))].sort();
}

function handOver(settings: Settings, stacks: Stacks): Record<string, string> {
  const { network, compute, delivery, watching } = stacks;
  return {
    ACCOUNT: settings.account,
    REGION: settings.region,
    CLUSTER_NAME: compute.cluster.clusterName,
    VPC_ID: network.vpc.vpcId,
    // Network policies name the load balancer and the servers by it: their addresses change.
    VPC_CIDR: settings.network.cidr,
    PRIVATE_SUBNET_IDS: network.vpc.privateSubnets.map(({ subnetId }) => subnetId).join(","),
    LAMBDA_SECURITY_GROUP_ID: network.groups.lambdas.securityGroupId,
    LOAD_BALANCER_SECURITY_GROUP_ID: network.groups.loadBalancer.securityGroupId,
    REPOSITORY_URI: delivery.repositories.functions.repositoryUri,
    BACKUP_REPOSITORY_URI: delivery.repositories.backup.repositoryUri,
    DOMAIN_NAME: settings.domain.name,
    CERTIFICATE_ARN: delivery.certificate.certificateArn,
    PODS_LOG_GROUP,
    ALARM_TOPIC_ARN: watching.topic.topicArn,
    ...dataKeys(stacks.data),
    ...messagingKeys(stacks.messaging),
    ...roleKeys(stacks.identity),
  };
}

/** `DATABASE_SECRET_ARN_COMMAND_WORKER`, `TASK_HISTORY_TABLE`, `TASK_BACKUPS_BUCKET`, … */
function dataKeys({ postgres, proxy, redis, secrets, logins, ownerSecretArn, tables, buckets }: DataStack): Record<string, string> {
  return {
    DATABASE_HOST: postgres.dbInstanceEndpointAddress,
    DATABASE_PORT: postgres.dbInstanceEndpointPort,
    DATABASE_NAME,
    DATABASE_PROXY_URL: lambdaDatabaseUrl(postgres, proxy),
    DATABASE_SECRET_ARN_MIGRATE: ownerSecretArn,
    ...Object.fromEntries([...logins].map(([name, secret]) => [`DATABASE_SECRET_ARN_${upperSnake(name)}`, secret.secretArn])),
    REDIS_HOST: redis.group.attrPrimaryEndPointAddress,
    REDIS_PORT: redis.group.attrPrimaryEndPointPort,
    REDIS_SECRET_ARN: redis.secret.secretArn,
    // For Lambdas, which fetch the token.
    REDIS_URL: `rediss://${redis.group.attrPrimaryEndPointAddress}:${redis.group.attrPrimaryEndPointPort}`,
    CURSORS_SECRET_ARN: secrets.cursors.secretArn,
    GRAFANA_SECRET_ARN: secrets.grafana.secretArn,
    ...Object.fromEntries(each(tables).map(([name, table]) => [`${upperSnake(RESOURCES.tables[name].name)}_TABLE`, table.tableName])),
    ...Object.fromEntries(each(buckets).map(([name, bucket]) => [`${upperSnake(RESOURCES.buckets[name].name)}_BUCKET`, bucket.bucketName])),
  };
}

/**
 * Where Lambdas connect, without a login, which they fetch: to the proxy, whose certificate is of a public
 * authority, or to the server itself, whose certificate is of RDS. Both files are in the image.
 */
function lambdaDatabaseUrl(postgres: DataStack["postgres"], proxy: DataStack["proxy"]): string {
  const host = proxy?.endpoint ?? postgres.dbInstanceEndpointAddress;
  const authorities = proxy ? "/etc/ssl/certs/ca-certificates.crt" : "/etc/ssl/rds.pem";
  return `postgres://${host}:${POSTGRES_PORT}/${DATABASE_NAME}?sslmode=verify-full&sslrootcert=${authorities}`;
}

/** `TASK_COMMANDS_QUEUE_URL`, `TASK_COMMANDS_QUEUE_ARN`, … */
function messagingKeys({ queues }: MessagingStack): Record<string, string> {
  const pairs = each(queues).flatMap(([name, { queue }]) => {
    const key = upperSnake(RESOURCES.queues[name].name);
    return [
      [`${key}_QUEUE_URL`, queue.queueUrl],
      [`${key}_QUEUE_ARN`, queue.queueArn],
    ];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** `ROLE_ARN_COMMAND_WORKER`, `ROLE_ARN_EXTERNAL_SECRETS`, … */
function roleKeys({ functionRoles, controllerRoles }: IdentityStack): Record<string, string> {
  return Object.fromEntries(
    [...functionRoles, ...controllerRoles].map(([name, { roleArn }]) => [`ROLE_ARN_${upperSnake(name)}`, roleArn]),
  );
}
