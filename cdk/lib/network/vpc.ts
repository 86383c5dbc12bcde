// Public subnets for the load balancer and NAT, private ones with egress for nodes and Lambdas,
// isolated ones for PostgreSQL and Redis, which have no way out of the VPC.

import { Tags } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { acknowledge } from "../acknowledge.ts";
import { createLogGroup } from "../log-group.ts";

export function createVpc(scope: Construct, settings: Settings): ec2.Vpc {
  const vpc = new ec2.Vpc(scope, "vpc", {
    vpcName: "task-app",
    ipAddresses: ec2.IpAddresses.cidr(settings.network.cidr),
    availabilityZones: [...settings.zones],
    natGateways: settings.network.natGateways,
    subnetConfiguration: [
      { name: "public", subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
      { name: "private", subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      { name: "isolated", subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
    ],
    // Nothing uses the default group. Emptying it would take a Lambda in the account.
    restrictDefaultSecurityGroup: false,
    gatewayEndpoints: {
      s3: { service: ec2.GatewayVpcEndpointAwsService.S3 },
      dynamodb: { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB },
    },
  });
  // The load balancer controller finds its subnets by these.
  for (const subnet of vpc.publicSubnets) Tags.of(subnet).add("kubernetes.io/role/elb", "1");
  for (const subnet of vpc.privateSubnets) Tags.of(subnet).add("kubernetes.io/role/internal-elb", "1");

  acknowledge(vpc, {
    cloudFormation: ["W3010"],
    reason: "Zones are a setting: not every zone has EKS and every instance type, and none is moved by a new one of AWS.",
  });
  const group = createLogGroup(scope, "flow-logs", "/task-app/flow-logs", settings.network.flowLogDays);
  vpc.addFlowLog("flow-log", {
    destination: ec2.FlowLogDestination.toCloudWatchLogs(group),
    trafficType: ec2.FlowLogTrafficType.ALL,
  });
  return vpc;
}
