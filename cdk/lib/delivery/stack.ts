import { Stack, type StackProps } from "aws-cdk-lib";
import * as acm from "aws-cdk-lib/aws-certificatemanager";
import type * as iam from "aws-cdk-lib/aws-iam";
import * as route53 from "aws-cdk-lib/aws-route53";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { createWorkflowRoles, type WorkflowName } from "./github.ts";
import { createRegistry, type Repositories } from "./registry.ts";

/** How images and changes of this app come into the account, and the certificate of the API. */
export class DeliveryStack extends Stack {
  readonly repositories: Repositories;
  readonly workflowRoles: ReadonlyMap<WorkflowName, iam.Role>;
  readonly certificate: acm.Certificate;

  constructor(scope: Construct, id: string, settings: Settings, nodeRole: iam.IRole, props: StackProps) {
    super(scope, id, props);
    this.repositories = createRegistry(this, nodeRole, settings);
    this.workflowRoles = createWorkflowRoles(this, this.repositories, settings);
    const { name, zoneName, zoneId } = settings.domain;
    const zone = route53.HostedZone.fromHostedZoneAttributes(this, "zone", { zoneName, hostedZoneId: zoneId });
    this.certificate = new acm.Certificate(this, "certificate", {
      domainName: name,
      validation: acm.CertificateValidation.fromDns(zone),
    });
  }
}
