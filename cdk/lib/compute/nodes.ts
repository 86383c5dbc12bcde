// The managed node group. EKS tags its scaling group for the cluster autoscaler, which finds it by
// the cluster's name.

import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as eks from "aws-cdk-lib/aws-eks-v2";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { acknowledge } from "../acknowledge.ts";

export function createNodes(
  scope: Construct,
  cluster: eks.Cluster,
  group: ec2.ISecurityGroup,
  settings: Settings,
): { role: iam.Role; nodes: eks.Nodegroup } {
  const policies = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"];
  const role = new iam.Role(scope, "node", {
    description: "Nodes of the cluster; pods have roles of their own",
    assumedBy: new iam.ServicePrincipal("ec2.amazonaws.com"),
    managedPolicies: policies.map((name) => iam.ManagedPolicy.fromAwsManagedPolicyName(name)),
  });
  acknowledge(role, {
    nag: policies.map((name) => `IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${name}]`),
    reason: "What EKS requires of nodes, and no more: they join the cluster and pull images.",
  });
  const template = new ec2.CfnLaunchTemplate(scope, "node-template", {
    launchTemplateData: {
      // That of the cluster lets nodes and control plane talk, ours lets pods reach the data.
      securityGroupIds: [cluster.clusterSecurityGroupId, group.securityGroupId],
      // One hop: pods cannot reach the credentials of their node.
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [
        {
          deviceName: "/dev/xvda",
          ebs: { volumeSize: settings.cluster.nodeDiskGib, volumeType: "gp3", encrypted: true },
        },
      ],
      tagSpecifications: ["instance", "volume"].map((resourceType) => ({
        resourceType,
        tags: [{ key: "Name", value: "task-app-node" }],
      })),
    },
  });
  const nodes = cluster.addNodegroupCapacity("nodes", {
    nodegroupName: "task-app",
    amiType: arm(settings) ? eks.NodegroupAmiType.AL2023_ARM_64_STANDARD : eks.NodegroupAmiType.AL2023_X86_64_STANDARD,
    instanceTypes: settings.cluster.nodeTypes.map((type) => new ec2.InstanceType(type)),
    minSize: settings.cluster.nodesMin,
    maxSize: settings.cluster.nodesMax,
    nodeRole: role,
    subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
    launchTemplateSpec: { id: template.ref, version: template.attrLatestVersionNumber },
    maxUnavailable: 1,
  });
  return { role, nodes };
}

function arm({ cluster }: Settings): boolean {
  const types = cluster.nodeTypes.map((type) => new ec2.InstanceType(type).architecture);
  if (new Set(types).size !== 1) throw new Error("cluster.nodeTypes: expected types of one architecture");
  return types[0] === ec2.InstanceArchitecture.ARM_64;
}
