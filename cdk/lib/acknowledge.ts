// Findings of the checkers that are right as they are, each with the reason that a reviewer reads.
//
// One call serves all three: cdk-nag reads it from the construct, cfn-lint and checkov from the
// template. A finding that nobody acknowledged fails the check.

import { CfnResource, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Why something stays as it is, and whose rules that answers. */
export interface Acknowledgement {
  readonly reason: string;
  /** Rules of cdk-nag, without `AwsSolutions-`; one with several findings has each in brackets. */
  readonly nag?: readonly string[];
  /** Rules of CDK's own validation. */
  readonly cloudFormation?: readonly string[];
  readonly checkov?: readonly string[];
  readonly cfnLint?: readonly string[];
}

/** Acknowledges for a construct and everything in it. */
export function acknowledge(scope: IConstruct, { reason, nag, cloudFormation, checkov, cfnLint }: Acknowledgement): void {
  for (const rule of nag ?? []) Validations.of(scope).acknowledge({ id: `AwsSolutions-${rule}`, reason });
  for (const rule of cloudFormation ?? []) {
    Validations.of(scope).acknowledge({ id: `CloudFormation-Validate::${rule}`, reason });
  }
  if (!checkov && !cfnLint) return;
  const own = scope.node.defaultChild ?? scope;
  if (!(own instanceof CfnResource)) throw new Error(`${scope.node.path} is not one resource`);
  if (checkov) append(own, "checkov", "skip", checkov.map((id) => ({ id, comment: reason })));
  if (cfnLint) append(own, "cfn-lint", "config", cfnLint);
}

function append(resource: CfnResource, tool: "checkov" | "cfn-lint", member: string, added: readonly unknown[]): void {
  const before = (resource.getMetadata(tool) as Record<string, unknown> | undefined)?.[member];
  if (tool === "checkov") {
    resource.addMetadata(tool, { [member]: [...((before ?? []) as unknown[]), ...added] });
  } else {
    const ignored = (before as { ignore_checks?: unknown[] } | undefined)?.ignore_checks ?? [];
    resource.addMetadata(tool, { [member]: { ignore_checks: [...ignored, ...added] } });
  }
}
