import { RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import type * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import type * as rds from "aws-cdk-lib/aws-rds";
import type * as s3 from "aws-cdk-lib/aws-s3";
import type * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import type { FunctionName } from "../functions.ts";
import type { MessagingStack } from "../messaging/stack.ts";
import type { NetworkStack } from "../network/stack.ts";
import { type BucketName, mapEach, type TableName } from "../resources.ts";
import { createBuckets } from "./buckets.ts";
import { createLogins } from "./logins.ts";
import { createProxy } from "./pooler.ts";
import { createPostgres, ownerSecretArn } from "./postgres.ts";
import { createRedis, type Redis } from "./redis.ts";
import { createSecrets, type OwnSecrets } from "./secrets.ts";
import { createTables } from "./tables.ts";

/** Where state lives, and who may read it with which secret. */
export class DataStack extends Stack {
  readonly key: kms.Key;
  readonly postgres: rds.DatabaseInstance;
  /** The secret that RDS keeps for the owner of the schema: `migrate` uses it. */
  readonly ownerSecretArn: string;
  readonly logins: ReadonlyMap<FunctionName, secretsmanager.ISecret>;
  readonly proxy: rds.DatabaseProxy | undefined;
  readonly redis: Redis;
  readonly secrets: OwnSecrets;
  readonly tables: Readonly<Record<TableName, dynamodb.Table>>;
  readonly buckets: Readonly<Record<BucketName, s3.Bucket>>;

  constructor(
    scope: Construct,
    id: string,
    settings: Settings,
    { network, messaging }: { network: NetworkStack; messaging: MessagingStack },
    props: StackProps,
  ) {
    super(scope, id, props);
    this.key = new kms.Key(this, "key", {
      alias: "task-app-data",
      description: "PostgreSQL, Redis, secrets and alarms of task-app",
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    allowAlarms(this.key);
    this.postgres = createPostgres(this, network, this.key, settings);
    this.ownerSecretArn = ownerSecretArn(this.postgres);
    this.logins = createLogins(this, network, this.postgres, this.key, settings);
    this.proxy = settings.database.proxy
      ? createProxy(this, this.postgres, this.logins.values(), network, settings)
      : undefined;
    this.redis = createRedis(this, network, this.key, settings);
    this.secrets = createSecrets(this, this.key);
    this.tables = createTables(this);
    this.buckets = createBuckets(this, mapEach(messaging.queues, ({ queue }) => queue), settings);
  }
}

/** CloudWatch and AWS Budgets publish to a topic that this key encrypts. */
function allowAlarms(key: kms.Key): void {
  for (const service of ["cloudwatch", "budgets"]) {
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: service,
        principals: [new iam.ServicePrincipal(`${service}.amazonaws.com`)],
        actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
        resources: ["*"],
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(key).account } },
      }),
    );
  }
}
