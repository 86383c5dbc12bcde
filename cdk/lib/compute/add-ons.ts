// What EKS itself runs in the cluster, in the versions that it names for the cluster's own.

import * as eks from "aws-cdk-lib/aws-eks-v2";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { acknowledge } from "../acknowledge.ts";
import { podIdentity } from "../identity/trust.ts";

interface AddOn {
  readonly name: string;
  readonly configuration?: object;
  /** The policy of AWS and the service account that has it. */
  readonly access?: { readonly policy: string; readonly serviceAccount: string };
  /** Its pods need nodes, so it waits for them. */
  readonly onNodes?: true;
}

const ADD_ONS: readonly AddOn[] = [
  { name: "eks-pod-identity-agent" },
  {
    name: "vpc-cni",
    // The network policies of `manifests/` are enforced by it.
    configuration: { enableNetworkPolicy: "true" },
    access: { policy: "AmazonEKS_CNI_Policy", serviceAccount: "aws-node" },
  },
  { name: "kube-proxy" },
  { name: "coredns", onNodes: true },
  // The HPA's source.
  { name: "metrics-server", onNodes: true },
  // Volumes of Prometheus and Grafana.
  {
    name: "aws-ebs-csi-driver",
    access: { policy: "service-role/AmazonEBSCSIDriverPolicy", serviceAccount: "ebs-csi-controller-sa" },
    onNodes: true,
  },
];

export function createAddOns(scope: Construct, cluster: eks.Cluster, nodes: eks.Nodegroup): void {
  for (const { name, configuration, access, onNodes } of ADD_ONS) {
    const addOn = new eks.CfnAddon(scope, `add-on-${name}`, {
      addonName: name,
      clusterName: cluster.clusterName,
      resolveConflicts: "OVERWRITE",
      ...(configuration && { configurationValues: JSON.stringify(configuration) }),
      ...(access && { podIdentityAssociations: [associate(scope, cluster, name, access)] }),
    });
    // Nodes become ready only when they have a network.
    if (onNodes) addOn.node.addDependency(nodes);
  }
}

function associate(
  scope: Construct,
  cluster: eks.Cluster,
  name: string,
  { policy, serviceAccount }: NonNullable<AddOn["access"]>,
): eks.CfnAddon.PodIdentityAssociationProperty {
  const role = new iam.Role(scope, `role-${name}`, {
    description: `The add-on ${name}`,
    assumedBy: podIdentity(cluster.clusterArn, "kube-system", serviceAccount),
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName(policy)],
  });
  acknowledge(role, {
    nag: [`IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${policy}]`],
    reason: "AWS keeps it beside the add-on: another version may need another right.",
  });
  return { serviceAccount, roleArn: role.roleArn };
}
