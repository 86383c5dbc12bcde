// Secrets that are ours alone: generated once, read by External Secrets and by Lambdas.

import { RemovalPolicy } from "aws-cdk-lib";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import { acknowledge } from "../acknowledge.ts";

export interface OwnSecrets {
  /** `{"key": …}`: `CURSOR_KEY` of task-reader. */
  readonly cursors: secretsmanager.Secret;
  /** `{"username": …, "password": …}`: the administrator of Grafana. */
  readonly grafana: secretsmanager.Secret;
}

export function createSecrets(scope: Construct, encryptionKey: kms.IKey): OwnSecrets {
  const secret = (id: string, description: string, template: object, generateStringKey: string, keeps: string) => {
    const created = new secretsmanager.Secret(scope, id, {
      secretName: `task-app/${id}`,
      description,
      encryptionKey,
      generateSecretString: {
        secretStringTemplate: JSON.stringify(template),
        generateStringKey,
        passwordLength: 64,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(created, { nag: ["SMG4"], reason: keeps });
    return created;
  };
  return {
    cursors: secret("cursors", "Signs the cursors of lists", {}, "key", "A new key makes every list begin anew: an operator decides when."),
    grafana: secret("grafana", "Administrator of Grafana", { username: "admin" }, "password", "Grafana reads it at its first start only."),
  };
}
