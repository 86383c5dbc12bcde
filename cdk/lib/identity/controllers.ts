// The controllers that ArgoCD installs, each with a role for its service account (IRSA), which every
// release of their charts can use.

import { ArnFormat, Stack } from "aws-cdk-lib";
import type * as eks from "aws-cdk-lib/aws-eks-v2";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { DataStack } from "../data/stack.ts";
import type { MessagingStack } from "../messaging/stack.ts";
import { CLUSTER_NAME, logStreams, PODS_LOG_GROUP, REPOSITORY_NAME } from "../names.ts";
import type { Grant } from "./access.ts";
import { allow } from "./grant.ts";
import { loadBalancerGrants } from "./load-balancer.ts";
import { webIdentity } from "./trust.ts";

/** The service account of each: `manifests/` uses these. */
export const CONTROLLERS = {
  "load-balancer-controller": { namespace: "kube-system", serviceAccount: "aws-load-balancer-controller" },
  "cluster-autoscaler": { namespace: "kube-system", serviceAccount: "cluster-autoscaler" },
  "external-secrets": { namespace: "external-secrets", serviceAccount: "external-secrets" },
  "fluent-bit": { namespace: "logging", serviceAccount: "fluent-bit" },
  keda: { namespace: "keda", serviceAccount: "keda-operator" },
  "ack-elbv2": { namespace: "ack-system", serviceAccount: "ack-elbv2-controller" },
  "ack-lambda": { namespace: "ack-system", serviceAccount: "ack-lambda-controller" },
} as const;

export type ControllerName = keyof typeof CONTROLLERS;

export type ControllerGrant = Grant & { readonly conditions?: iam.Conditions };

interface Context {
  readonly cluster: eks.Cluster;
  readonly data: DataStack;
  readonly messaging: MessagingStack;
  readonly functionRoles: readonly iam.Role[];
}

export function createControllerRoles(scope: Construct, context: Context): Map<ControllerName, iam.Role> {
  const { cluster } = context;
  const roles = (Object.keys(CONTROLLERS) as ControllerName[]).map((name) => {
    const { namespace, serviceAccount } = CONTROLLERS[name];
    const role = new iam.Role(scope, name, {
      roleName: `task-app-${name}`,
      description: `The controller ${namespace}/${serviceAccount}`,
      assumedBy: new iam.WebIdentityPrincipal(cluster.openIdConnectProvider.openIdConnectProviderArn),
    });
    (role.node.defaultChild as iam.CfnRole).assumeRolePolicyDocument = webIdentity(
      scope,
      cluster.openIdConnectProvider.openIdConnectProviderArn,
      cluster.clusterOpenIdConnectIssuerUrl,
      namespace,
      serviceAccount,
    );
    allow(role, grantsOf(scope, name, context));
    return [name, role] as const;
  });
  return new Map(roles);
}

function grantsOf(scope: Construct, name: ControllerName, { data, messaging, functionRoles }: Context): ControllerGrant[] {
  switch (name) {
    case "load-balancer-controller":
      return loadBalancerGrants(scope);
    case "cluster-autoscaler":
      return autoscalerGrants(scope);
    case "external-secrets":
      return [
        {
          actions: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
          resources: [
            ...[...data.logins.values()].map(({ secretArn }) => secretArn),
            data.ownerSecretArn,
            data.redis.secret.secretArn,
            data.secrets.cursors.secretArn,
            data.secrets.grafana.secretArn,
          ],
        },
        { actions: ["kms:Decrypt"], resources: [data.key.keyArn], viaService: "secretsmanager" },
      ];
    case "fluent-bit":
      return [
        {
          actions: ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
          resources: [logStreams(scope, PODS_LOG_GROUP)],
          why: "It names a log stream for each pod, in this one group.",
        },
      ];
    case "keda":
      return [
        {
          actions: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
          resources: Object.values(messaging.queues).map(({ queue }) => queue.queueArn),
        },
      ];
    case "ack-elbv2":
      return targetGroupGrants(scope);
    case "ack-lambda":
      return lambdaGrants(scope, functionRoles);
  }
}

/** ACK creates the functions of `manifests/`, which are named `task-app-…`, and no others. */
function lambdaGrants(scope: Construct, functionRoles: readonly iam.Role[]): ControllerGrant[] {
  const stack = Stack.of(scope);
  const lambda = (resource: string, resourceName: string) =>
    stack.formatArn({ service: "lambda", resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  const functions = lambda("function", "task-app-*");
  const why = "The functions of this system begin with its name.";
  return [
    { actions: FUNCTION_ACTIONS, resources: [functions], why },
    {
      actions: ["lambda:AddPermission", "lambda:RemovePermission"],
      resources: [functions],
      conditions: { StringEquals: { "lambda:Principal": "elasticloadbalancing.amazonaws.com" } },
      why,
    },
    {
      actions: ["lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping", "lambda:DeleteEventSourceMapping"],
      resources: ["*"],
      conditions: { ArnLike: { "lambda:FunctionArn": functions } },
      why: "A mapping has a random identifier; the condition limits it to the functions of this system.",
    },
    {
      actions: [
        "lambda:GetEventSourceMapping",
        "lambda:ListEventSourceMappings",
        "lambda:ListTags",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeVpcs",
      ],
      resources: ["*"],
      why: "Reads that AWS does not limit to resources that are known before.",
    },
    {
      actions: ["iam:PassRole"],
      resources: functionRoles.map(({ roleArn }) => roleArn),
      conditions: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } },
    },
    {
      actions: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy"],
      resources: [stack.formatArn({ service: "ecr", resource: "repository", resourceName: REPOSITORY_NAME })],
    },
  ];
}

const FUNCTION_ACTIONS = [
  ...["Create", "Get", "Update", "Delete"].map((verb) => `lambda:${verb}Alias`),
  ...["Create", "Get", "Delete"].map((verb) => `lambda:${verb}Function`),
  "lambda:UpdateFunctionCode",
  "lambda:UpdateFunctionConfiguration",
  "lambda:GetFunctionConfiguration",
  "lambda:GetFunctionCodeSigningConfig",
  "lambda:GetFunctionConcurrency",
  "lambda:PutFunctionConcurrency",
  "lambda:DeleteFunctionConcurrency",
  "lambda:GetFunctionEventInvokeConfig",
  "lambda:GetProvisionedConcurrencyConfig",
  "lambda:GetPolicy",
  "lambda:TagResource",
  "lambda:UntagResource",
];

/** The target groups in which the load balancer finds Lambdas, and no others: neither those of pods nor balancers. */
function targetGroupGrants(scope: Construct): ControllerGrant[] {
  const stack = Stack.of(scope);
  const actions = (...names: string[]) => names.map((name) => `elasticloadbalancing:${name}`);
  return [
    {
      actions: actions(
        "CreateTargetGroup",
        "DeleteTargetGroup",
        "ModifyTargetGroup",
        "ModifyTargetGroupAttributes",
        "RegisterTargets",
        "DeregisterTargets",
        "AddTags",
        "RemoveTags",
      ),
      resources: [stack.formatArn({ service: "elasticloadbalancing", resource: "targetgroup", resourceName: "task-app-*/*" })],
      why: "Those of this system begin with its name, and end in a random identifier.",
    },
    {
      actions: actions("DescribeTags", "DescribeTargetGroupAttributes", "DescribeTargetGroups", "DescribeTargetHealth"),
      resources: ["*"],
      why: "Reads that AWS does not limit to resources.",
    },
  ];
}

function autoscalerGrants(scope: Construct): ControllerGrant[] {
  return [
    {
      actions: [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeTags",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetInstanceTypesFromInstanceRequirements",
      ],
      resources: ["*"],
      why: "Reads that AWS does not limit to resources.",
    },
    {
      actions: ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
      resources: [
        Stack.of(scope).formatArn({
          service: "autoscaling",
          resource: "autoScalingGroup",
          resourceName: "*:autoScalingGroupName/eks-*",
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      conditions: { StringEquals: { "aws:ResourceTag/eks:cluster-name": CLUSTER_NAME } },
      why: "EKS names the scaling group, and tags it with its cluster.",
    },
    {
      actions: ["eks:DescribeNodegroup"],
      resources: [
        Stack.of(scope).formatArn({ service: "eks", resource: "nodegroup", resourceName: `${CLUSTER_NAME}/*` }),
      ],
      why: "EKS gives node groups of this cluster random identifiers.",
    },
  ];
}
