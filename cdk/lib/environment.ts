// One environment: the stacks in the order in which each uses what is before it.

import { Stage, Tags } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Settings } from "../config/settings.ts";
import { ComputeStack } from "./compute/stack.ts";
import { DataStack } from "./data/stack.ts";
import { DeliveryStack } from "./delivery/stack.ts";
import { HandOverStack } from "./hand-over.ts";
import { IdentityStack } from "./identity/stack.ts";
import { MessagingStack } from "./messaging/stack.ts";
import { NetworkStack } from "./network/stack.ts";
import { WatchingStack } from "./watching/stack.ts";

export class Environment extends Stage {
  constructor(scope: Construct, id: string, settings: Settings) {
    const { account, region } = settings;
    super(scope, id, { env: { account, region } });
    const named = (part: string, what: string) => ({
      stackName: `task-app-${part}`,
      description: `task-app: ${what}`,
      terminationProtection: settings.database.deletionProtection,
    });
    const network = new NetworkStack(this, "network", settings, named("network", "VPC, and who may connect to whom"));
    const messaging = new MessagingStack(this, "messaging", settings, named("messaging", "queues"));
    const data = new DataStack(this, "data", settings, { network, messaging }, named("data", "where state lives"));
    const compute = new ComputeStack(this, "compute", settings, network, named("compute", "the cluster"));
    const identity = new IdentityStack(this, "identity", { compute, data, messaging }, named("identity", "roles"));
    const delivery = new DeliveryStack(this, "delivery", settings, compute.nodeRole, named("delivery", "images and deployments"));
    const watching = new WatchingStack(this, "watching", settings, { data, messaging }, named("watching", "logs, alarms, budget"));
    const stacks = { network, messaging, data, compute, identity, delivery, watching };
    new HandOverStack(this, "hand-over", settings, stacks, named("hand-over", "what the manifests need to know"));
    Tags.of(this).add("app", "task-app");
    Tags.of(this).add("environment", id);
  }
}
