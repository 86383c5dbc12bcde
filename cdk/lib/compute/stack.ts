import { Stack, type StackProps } from "aws-cdk-lib";
import type * as eks from "aws-cdk-lib/aws-eks-v2";
import type * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import type { NetworkStack } from "../network/stack.ts";
import { createAddOns } from "./add-ons.ts";
import { createCluster } from "./cluster.ts";
import { createNodes } from "./nodes.ts";

/** The cluster, its nodes, and what EKS runs on them. */
export class ComputeStack extends Stack {
  readonly cluster: eks.Cluster;
  readonly nodeRole: iam.Role;

  constructor(scope: Construct, id: string, settings: Settings, network: NetworkStack, props: StackProps) {
    super(scope, id, props);
    this.cluster = createCluster(this, network.vpc, settings);
    const { role, nodes } = createNodes(this, this.cluster, network.groups.nodes, settings);
    this.nodeRole = role;
    createAddOns(this, this.cluster, nodes);
  }
}
