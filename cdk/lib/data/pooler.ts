// RDS Proxy: however many Lambdas run at a time, PostgreSQL has a bounded number of connections.
// Pods have pools of their own and connect directly. docs/architecture/postgresql.md, Poolers.

import { Duration } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as rds from "aws-cdk-lib/aws-rds";
import type * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { unchanged } from "../network/security-groups.ts";
import type { NetworkStack } from "../network/stack.ts";

export function createProxy(
  scope: Construct,
  instance: rds.DatabaseInstance,
  logins: Iterable<secretsmanager.ISecret>,
  { vpc, groups }: NetworkStack,
  settings: Settings,
): rds.DatabaseProxy {
  return new rds.DatabaseProxy(scope, "proxy", {
    proxyTarget: rds.ProxyTarget.fromInstance(instance),
    dbProxyName: "task-app",
    secrets: [...logins],
    vpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    securityGroups: [unchanged(scope, "proxy-group", groups.databaseProxy)],
    requireTLS: true,
    maxConnectionsPercent: settings.database.proxyConnectionPercent,
    // Above a statement's own limit, below an invocation's.
    borrowTimeout: Duration.seconds(10),
    idleClientTimeout: Duration.minutes(15),
  });
}
