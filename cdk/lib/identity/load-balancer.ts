// What the load balancer controller needs for an Ingress with a security group that is ours: no
// change of security groups, no WAF, no Shield (its chart has them off).

import { Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { CLUSTER_NAME } from "../names.ts";
import type { ControllerGrant } from "./controllers.ts";

const TAG = "elbv2.k8s.aws/cluster";
const READS = "Reads that AWS does not limit to resources.";

export function loadBalancerGrants(scope: Construct): ControllerGrant[] {
  const stack = Stack.of(scope);
  const balancing = (resource: string, resourceName: string) =>
    stack.formatArn({ service: "elasticloadbalancing", resource, resourceName });
  const balancers = [balancing("loadbalancer", "app/k8s-*"), balancing("targetgroup", "k8s-*/*")];
  const listeners = [balancing("listener", "app/k8s-*"), balancing("listener-rule", "app/k8s-*")];
  const actions = (...names: string[]) => names.map((name) => `elasticloadbalancing:${name}`);
  const why = "The controller names what it creates, and may change what has this cluster's tag.";
  return [
    { actions: [...EC2_READS, ...ACM_READS, ...actions(...BALANCING_READS)], resources: ["*"], why: READS },
    {
      actions: actions("CreateLoadBalancer", "CreateTargetGroup"),
      resources: balancers,
      conditions: { StringEquals: { [`aws:RequestTag/${TAG}`]: CLUSTER_NAME } },
      why,
    },
    {
      actions: actions("CreateListener", "CreateRule", "AddTags"),
      resources: [...balancers, ...listeners],
      conditions: { StringEqualsIfExists: { [`aws:RequestTag/${TAG}`]: CLUSTER_NAME } },
      why,
    },
    {
      actions: actions(...CHANGES),
      resources: [...balancers, ...listeners],
      conditions: { StringEquals: { [`aws:ResourceTag/${TAG}`]: CLUSTER_NAME } },
      why,
    },
    {
      actions: ["iam:CreateServiceLinkedRole"],
      resources: [
        stack.formatArn({
          service: "iam",
          region: "",
          resource: "role",
          resourceName: "aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
        }),
      ],
      conditions: { StringEquals: { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" } },
    },
  ];
}

const EC2_READS = [
  "AccountAttributes",
  "Addresses",
  "AvailabilityZones",
  "Instances",
  "InternetGateways",
  "NetworkInterfaces",
  "SecurityGroups",
  "Subnets",
  "Tags",
  "VpcPeeringConnections",
  "Vpcs",
].map((what) => `ec2:Describe${what}`);

const ACM_READS = ["acm:DescribeCertificate", "acm:ListCertificates"];

const BALANCING_READS = [
  "ListenerAttributes",
  "ListenerCertificates",
  "Listeners",
  "LoadBalancerAttributes",
  "LoadBalancers",
  "Rules",
  "SSLPolicies",
  "Tags",
  "TargetGroupAttributes",
  "TargetGroups",
  "TargetHealth",
  "TrustStores",
].map((what) => `Describe${what}`);

const CHANGES = [
  "AddListenerCertificates",
  "DeleteListener",
  "DeleteLoadBalancer",
  "DeleteRule",
  "DeleteTargetGroup",
  "DeregisterTargets",
  "ModifyListener",
  "ModifyListenerAttributes",
  "ModifyLoadBalancerAttributes",
  "ModifyRule",
  "ModifyTargetGroup",
  "ModifyTargetGroupAttributes",
  "RegisterTargets",
  "RemoveListenerCertificates",
  "RemoveTags",
  "SetIpAddressType",
  "SetRulePriorities",
  "SetSecurityGroups",
  "SetSubnets",
];
