import { Stack, type StackProps } from "aws-cdk-lib";
import type * as ec2 from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { createEndpoints } from "./endpoints.ts";
import { createSecurityGroups, type SecurityGroups } from "./security-groups.ts";
import { createVpc } from "./vpc.ts";

/** The VPC, who may connect to whom in it, and its ways to AWS services. */
export class NetworkStack extends Stack {
  readonly vpc: ec2.Vpc;
  readonly groups: SecurityGroups;
  private readonly zones: readonly string[];

  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    this.zones = settings.zones;
    this.vpc = createVpc(this, settings);
    this.groups = createSecurityGroups(this, this.vpc, settings);
    createEndpoints(this.vpc, this.groups.endpoints, settings);
  }

  /** Those of the settings: by default a synth asks the account for them. */
  override get availabilityZones(): string[] {
    return [...this.zones];
  }
}
