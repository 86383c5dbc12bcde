// Grants as statements of a policy, each wildcard acknowledged with its reason.

import { Stack } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import { acknowledge } from "../acknowledge.ts";
import { describeArn } from "../describe-arn.ts";
import type { Grant } from "./access.ts";

export function allow(role: iam.Role, grants: readonly (Grant & { readonly conditions?: iam.Conditions })[]): void {
  const { region } = Stack.of(role);
  for (const { actions, resources, viaService, why, conditions } of grants) {
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        conditions: {
          ...conditions,
          ...(viaService && { StringEquals: { "kms:ViaService": `${viaService}.${region}.amazonaws.com` } }),
        },
      }),
    );
    const wild = resources.filter((resource) => resource.includes("*"));
    if (wild.length === 0) continue;
    if (why === undefined) throw new Error(`${role.node.path}: a wildcard without a reason: ${wild.join(", ")}`);
    acknowledge(role, { nag: wild.map((arn) => `IAM5[Resource::${describeArn(role, arn)}]`), reason: why });
  }
}
