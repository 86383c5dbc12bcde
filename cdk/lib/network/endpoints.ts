// The AWS services that functions and nodes use all the time, without NAT.

import * as ec2 from "aws-cdk-lib/aws-ec2";
import type { Settings } from "../../config/settings.ts";

const SERVICES = {
  sqs: ec2.InterfaceVpcEndpointAwsService.SQS,
  "ecr-api": ec2.InterfaceVpcEndpointAwsService.ECR,
  "ecr-docker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
  "secrets-manager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  sts: ec2.InterfaceVpcEndpointAwsService.STS,
  logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
};

export function createEndpoints(vpc: ec2.Vpc, group: ec2.SecurityGroup, settings: Settings): void {
  const zones = settings.network.endpointZones === "all" ? settings.zones : settings.zones.slice(0, 1);
  for (const [name, service] of Object.entries(SERVICES)) {
    vpc.addInterfaceEndpoint(name, {
      service,
      securityGroups: [group],
      // Only who the group names, and not the whole VPC.
      open: false,
      subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, availabilityZones: [...zones] },
    });
  }
}
