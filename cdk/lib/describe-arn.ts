// An ARN as cdk-nag writes it in the names of its findings: references as `<LogicalId.Attribute>`.

import { Stack } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

export function describeArn(scope: IConstruct, arn: string): string {
  return text(Stack.of(scope).resolve(arn));
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) throw new Error(`not an ARN: ${JSON.stringify(value)}`);
  const [[kind, of]] = Object.entries(value) as [[string, unknown]];
  if (kind === "Ref") return `<${text(of)}>`;
  if (kind === "Fn::GetAtt") return `<${(of as string[]).join(".")}>`;
  if (kind === "Fn::Join") return (of as [string, unknown[]])[1].map(text).join((of as [string])[0]);
  if (kind === "Fn::ImportValue") return text(of);
  throw new Error(`not an ARN: ${JSON.stringify(value)}`);
}
