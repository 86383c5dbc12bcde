import { Stack, type StackProps } from "aws-cdk-lib";
import type * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { ComputeStack } from "../compute/stack.ts";
import type { DataStack } from "../data/stack.ts";
import type { FunctionName } from "../functions.ts";
import type { MessagingStack } from "../messaging/stack.ts";
import { type ControllerName, createControllerRoles } from "./controllers.ts";
import { createBackupRoles, createFunctionRoles } from "./functions.ts";

/** Who in the cluster may do what in AWS. */
export class IdentityStack extends Stack {
  readonly functionRoles: ReadonlyMap<FunctionName, iam.Role>;
  readonly controllerRoles: ReadonlyMap<ControllerName, iam.Role>;

  constructor(
    scope: Construct,
    id: string,
    { compute: { cluster }, data, messaging }: { compute: ComputeStack; data: DataStack; messaging: MessagingStack },
    props: StackProps,
  ) {
    super(scope, id, props);
    this.functionRoles = createFunctionRoles(this, cluster, { data, messaging });
    createBackupRoles(this, cluster, data);
    const functionRoles = [...this.functionRoles.values()];
    this.controllerRoles = createControllerRoles(this, { cluster, data, messaging, functionRoles });
  }
}
