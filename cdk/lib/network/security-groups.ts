// Who may connect to whom. Each rule names a peer group, and no addresses; only the callers of the
// load balancer come from outside, and are a prefix list.

import * as ec2 from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";

export const POSTGRES_PORT = 5432;
export const REDIS_PORT = 6379;
const HTTPS = ec2.Port.tcp(443);
/** Where pods serve HTTP, and their health endpoints. */
const POD_PORTS = [ec2.Port.tcp(8080), ec2.Port.tcp(9090)];

export interface SecurityGroups {
  readonly loadBalancer: ec2.SecurityGroup;
  readonly nodes: ec2.SecurityGroup;
  readonly lambdas: ec2.SecurityGroup;
  readonly databaseProxy: ec2.SecurityGroup;
  readonly database: ec2.SecurityGroup;
  readonly redis: ec2.SecurityGroup;
  readonly endpoints: ec2.SecurityGroup;
  readonly rotation: ec2.SecurityGroup;
}

export function createSecurityGroups(scope: Construct, vpc: ec2.IVpc, settings: Settings): SecurityGroups {
  const group = (name: string, description: string, allowAllOutbound = false): ec2.SecurityGroup =>
    new ec2.SecurityGroup(scope, name, { vpc, securityGroupName: `task-app-${name}`, description, allowAllOutbound });
  const groups: SecurityGroups = {
    loadBalancer: group("load-balancer", "The load balancer of the API"),
    // Nodes pull images and charts, and pods fetch the keys of the token issuer.
    nodes: group("nodes", "Nodes of the cluster, and their pods", true),
    lambdas: group("lambdas", "Functions that run as Lambdas"),
    databaseProxy: group("database-proxy", "RDS Proxy, for Lambdas"),
    database: group("database", "PostgreSQL"),
    redis: group("redis", "Redis"),
    endpoints: group("endpoints", "Interface endpoints of AWS services"),
    rotation: group("rotation", "Lambdas of Secrets Manager that replace passwords"),
  };
  const { loadBalancer, nodes, lambdas, databaseProxy, database, redis, endpoints, rotation } = groups;
  const allow = (from: ec2.SecurityGroup, to: ec2.SecurityGroup, port: ec2.Port, why: string): void => {
    if (!from.allowAllOutbound) from.addEgressRule(to, port, why);
    to.addIngressRule(from, port, why);
  };
  loadBalancer.addIngressRule(callers(scope, settings), HTTPS, "Callers of the API");
  for (const port of POD_PORTS) allow(loadBalancer, nodes, port, "The load balancer calls pods");
  for (const client of [nodes, databaseProxy, rotation]) {
    allow(client, database, ec2.Port.tcp(POSTGRES_PORT), "PostgreSQL");
  }
  // Through the proxy, where there is one.
  const forLambdas = settings.database.proxy ? databaseProxy : database;
  allow(lambdas, forLambdas, ec2.Port.tcp(POSTGRES_PORT), "PostgreSQL, for Lambdas");
  for (const client of [nodes, lambdas]) allow(client, redis, ec2.Port.tcp(REDIS_PORT), "Redis");
  for (const client of [nodes, lambdas, rotation]) allow(client, endpoints, HTTPS, "AWS services");
  // S3 and DynamoDB behind their gateway endpoints, and the keys of the token issuer.
  lambdas.addEgressRule(ec2.Peer.anyIpv4(), HTTPS, "S3, DynamoDB and the token issuer");
  return groups;
}

function callers(scope: Construct, settings: Settings): ec2.IPeer {
  const list = new ec2.PrefixList(scope, "callers", {
    prefixListName: "task-app-callers",
    maxEntries: Math.max(10, settings.network.callers.length),
    entries: settings.network.callers.map((cidr) => ({ cidr })),
  });
  return ec2.Peer.prefixList(list.prefixListId);
}

/** A group for another stack to use as it is: constructs add rules of their own to groups that they may change. */
export function unchanged(scope: Construct, id: string, group: ec2.ISecurityGroup): ec2.ISecurityGroup {
  return ec2.SecurityGroup.fromSecurityGroupId(scope, id, group.securityGroupId, { mutable: false });
}
