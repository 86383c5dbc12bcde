// EKS. CDK owns the cluster up to its door; ArgoCD owns what is inside, so nothing here talks to
// Kubernetes.

import { RemovalPolicy } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as eks from "aws-cdk-lib/aws-eks-v2";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { acknowledge } from "../acknowledge.ts";
import { createLogGroup } from "../log-group.ts";
import { CLUSTER_NAME } from "../names.ts";

export function createCluster(scope: Construct, vpc: ec2.IVpc, settings: Settings): eks.Cluster {
  const logs = createLogGroup(scope, "control-plane-logs", `/aws/eks/${CLUSTER_NAME}/cluster`, settings.logs.days);
  const role = new iam.Role(scope, "control-plane", {
    description: "The control plane of EKS",
    assumedBy: new iam.ServicePrincipal("eks.amazonaws.com"),
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName("AmazonEKSClusterPolicy")],
  });
  acknowledge(role, {
    nag: ["IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonEKSClusterPolicy]"],
    reason: "EKS requires it of every cluster, and changes it with the versions of Kubernetes.",
  });
  const cluster = new eks.Cluster(scope, "cluster", {
    clusterName: CLUSTER_NAME,
    version: eks.KubernetesVersion.of(settings.cluster.version),
    vpc,
    vpcSubnets: [{ subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }],
    role,
    endpointAccess: eks.EndpointAccess.PUBLIC_AND_PRIVATE.onlyFrom(...settings.cluster.endpointCallers),
    secretsEncryptionKey: new kms.Key(scope, "secrets-key", {
      alias: "task-app-cluster",
      description: "Secrets of Kubernetes, in etcd",
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    }),
    clusterLogging: [
      eks.ClusterLoggingTypes.API,
      eks.ClusterLoggingTypes.AUDIT,
      eks.ClusterLoggingTypes.AUTHENTICATOR,
      eks.ClusterLoggingTypes.CONTROLLER_MANAGER,
      eks.ClusterLoggingTypes.SCHEDULER,
    ],
    // A node group of our own, and access by the entries below only.
    defaultCapacityType: eks.DefaultCapacityType.NODEGROUP,
    defaultCapacity: 0,
    bootstrapClusterCreatorAdminPermissions: false,
    bootstrapSelfManagedAddons: false,
    outputConfigCommand: false,
  });
  cluster.node.addDependency(logs);
  for (const name of settings.cluster.administrators) {
    cluster.grantAccess(`administrator-${name}`, iam.Role.fromRoleName(scope, name, name).roleArn, [
      eks.AccessPolicy.fromAccessPolicyName("AmazonEKSClusterAdminPolicy", {
        accessScopeType: eks.AccessScopeType.CLUSTER,
      }),
    ]);
  }
  acknowledge(cluster, {
    nag: ["EKS1"],
    reason: "The public endpoint is open to the addresses of the settings only; the nodes use the private one.",
  });
  acknowledge(cluster, {
    cloudFormation: ["W9009"],
    reason: "CDK writes `EncryptionConfig.Resources`, which EKS takes and will do without.",
  });
  return cluster;
}
