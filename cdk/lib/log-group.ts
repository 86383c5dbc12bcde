// Log groups exist before whoever writes to them, so that their retention is ours and not «for ever».

import { RemovalPolicy } from "aws-cdk-lib";
import * as logs from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";

export function createLogGroup(scope: Construct, id: string, name: string, days: number): logs.LogGroup {
  const retention = Object.values(logs.RetentionDays).find((allowed) => Number(allowed) === days);
  if (retention === undefined) throw new Error(`${name}: CloudWatch Logs cannot keep logs for ${days} days`);
  const group = new logs.LogGroup(scope, id, {
    logGroupName: name,
    retention: retention as logs.RetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  acknowledge(group, {
    checkov: ["CKV_AWS_158"],
    reason: "CloudWatch Logs encrypts at rest with its own key; log lines have no secrets and no personal data, by rule.",
  });
  return group;
}
