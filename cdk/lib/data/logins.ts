// A secret for each function's login of PostgreSQL. Secrets Manager replaces the passwords, by a
// Lambda of its own for each, in the private subnets.

import { Duration, RemovalPolicy } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import type * as kms from "aws-cdk-lib/aws-kms";
import type * as rds from "aws-cdk-lib/aws-rds";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { type FunctionName, LOGINS } from "../functions.ts";
import type { NetworkStack } from "../network/stack.ts";
import { DATABASE_NAME } from "./postgres.ts";

/** What would need quoting in a URL. */
const NOT_IN_URLS = " %+~`#$&*()|[]{}:;<>?!'/@\"\\,=^";

export function createLogins(
  scope: Construct,
  { vpc, groups }: NetworkStack,
  instance: rds.DatabaseInstance,
  encryptionKey: kms.IKey,
  settings: Settings,
): Map<FunctionName, secretsmanager.ISecret> {
  const logins = LOGINS.map(({ name, login }) => {
    const secret = new secretsmanager.Secret(scope, `login-${name}`, {
      secretName: `task-app/database/${name}`,
      description: `PostgreSQL's user of ${name}`,
      encryptionKey,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({
          engine: "postgres",
          username: login.user,
          host: instance.dbInstanceEndpointAddress,
          port: 5432,
          dbname: DATABASE_NAME,
        }),
        generateStringKey: "password",
        passwordLength: 48,
        excludeCharacters: NOT_IN_URLS,
      },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    secret.addRotationSchedule("rotation", {
      hostedRotation: secretsmanager.HostedRotation.postgreSqlSingleUser({
        functionName: `task-app-password-${name}`,
        vpc,
        vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
        securityGroups: [groups.rotation],
        excludeCharacters: NOT_IN_URLS,
      }),
      automaticallyAfter: Duration.days(settings.database.passwordDays),
      // The users are created after the first deployment (docs/deploy.md).
      rotateImmediatelyOnUpdate: false,
    });
    return [name, secret] as const;
  });
  return new Map(logins);
}
