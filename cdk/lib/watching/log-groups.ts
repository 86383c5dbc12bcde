// The log groups of what runs in the cluster and as Lambdas. Those of servers stand beside them.

import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { FUNCTION_NAMES } from "../functions.ts";
import { lambdaName } from "../identity/access.ts";
import { createLogGroup } from "../log-group.ts";
import { PODS_LOG_GROUP } from "../names.ts";

export function createLogGroups(scope: Construct, { logs: { days } }: Settings): void {
  createLogGroup(scope, "pods", PODS_LOG_GROUP, days);
  for (const name of FUNCTION_NAMES) createLogGroup(scope, `lambda-${name}`, `/aws/lambda/${lambdaName(name)}`, days);
}
