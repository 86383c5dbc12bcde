// One role for each function, for both hosts: a pod gets it by Pod Identity, a Lambda by its name.

import { ArnFormat, Stack } from "aws-cdk-lib";
import type * as eks from "aws-cdk-lib/aws-eks-v2";
import { CfnPodIdentityAssociation } from "aws-cdk-lib/aws-eks-v2";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { acknowledge } from "../acknowledge.ts";
import type { DataStack } from "../data/stack.ts";
import { BACKUP_COMMANDS, FUNCTION_NAMES, type FunctionName } from "../functions.ts";
import type { MessagingStack } from "../messaging/stack.ts";
import { grantsOf, grantsOfBackups, lambdaName } from "./access.ts";
import { allow } from "./grant.ts";
import { podIdentity } from "./trust.ts";

/** The namespace of the functions in the cluster. */
export const NAMESPACE = "task-app";

/** What Lambda does with a function's role to attach it to the VPC. */
const INTERFACES = [
  "ec2:CreateNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:DeleteNetworkInterface",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
];

const TRACES = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];

export function createFunctionRoles(
  scope: Construct,
  cluster: eks.ICluster,
  stacks: { data: DataStack; messaging: MessagingStack },
): Map<FunctionName, iam.Role> {
  const network = lambdaNetwork(scope);
  const roles = FUNCTION_NAMES.map((name) => {
    const role = new iam.Role(scope, name, {
      roleName: lambdaName(name),
      description: `The function ${name}, as a pod and as a Lambda`,
      assumedBy: new iam.CompositePrincipal(
        podIdentity(cluster.clusterArn, NAMESPACE, name),
        new iam.ServicePrincipal("lambda.amazonaws.com"),
      ),
      managedPolicies: [network],
    });
    allow(role, grantsOf(scope, name, stacks));
    associate(scope, cluster, name, role);
    return [name, role] as const;
  });
  return new Map(roles);
}

/** A role for each command that looks after backups: pods only, and nothing passes it to a Lambda. */
export function createBackupRoles(scope: Construct, cluster: eks.ICluster, data: DataStack): void {
  for (const command of BACKUP_COMMANDS) {
    const name = `backup-${command}`;
    const role = new iam.Role(scope, name, {
      roleName: `task-app-${name}`,
      description: `The command backup ${command}, as a pod`,
      assumedBy: podIdentity(cluster.clusterArn, NAMESPACE, name),
    });
    allow(role, grantsOfBackups(scope, command, data));
    associate(scope, cluster, name, role);
  }
}

function associate(scope: Construct, cluster: eks.ICluster, serviceAccount: string, role: iam.Role): void {
  new CfnPodIdentityAssociation(scope, `${serviceAccount}-pod`, {
    clusterName: cluster.clusterName,
    namespace: NAMESPACE,
    serviceAccount,
    roleArn: role.roleArn,
  });
}

/** For Lambda itself only: neither the function's code nor a pod with this role can use it. */
function lambdaNetwork(scope: Construct): iam.ManagedPolicy {
  const functions = Stack.of(scope).formatArn({
    service: "lambda",
    resource: "function",
    resourceName: "task-app-*",
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const deny = (sid: string, conditions: iam.Conditions) =>
    new iam.PolicyStatement({ sid, effect: iam.Effect.DENY, actions: INTERFACES, resources: ["*"], conditions });
  const policy = new iam.ManagedPolicy(scope, "lambda-network", {
    description: "Lets Lambda attach a function to the VPC, and trace it",
    statements: [
      new iam.PolicyStatement({ sid: "Lambda", actions: INTERFACES, resources: ["*"] }),
      deny("NotItsCode", { ArnLike: { "lambda:SourceFunctionArn": functions } }),
      deny("NotPods", { Null: { "aws:PrincipalTag/kubernetes-namespace": "false" } }),
      // Lambda refuses a function that it shall trace and whose role may not. X-Ray has no narrower resource.
      new iam.PolicyStatement({ sid: "Traces", actions: TRACES, resources: ["*"] }),
    ],
  });
  acknowledge(policy, {
    nag: ["IAM5[Resource::*]"],
    checkov: ["CKV_AWS_111"],
    reason: "Lambda checks for exactly these rights before it creates a function; two denials keep code and pods from those of the network.",
  });
  return policy;
}
