// PostgreSQL on RDS. RDS itself keeps and replaces the owner's password, which only `migrate` uses;
// each function logs in as a user of its own.

import { Duration, RemovalPolicy } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as rds from "aws-cdk-lib/aws-rds";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { acknowledge } from "../acknowledge.ts";
import { createLogGroup } from "../log-group.ts";
import { unchanged } from "../network/security-groups.ts";
import type { NetworkStack } from "../network/stack.ts";

export const DATABASE_NAME = "task_app";
const OWNER = "task_app";
const INSTANCE = "task-app";
const LOGS = ["postgresql", "upgrade"];
const INSIGHTS_DAYS = {
  7: rds.PerformanceInsightRetention.DEFAULT,
  31: rds.PerformanceInsightRetention.MONTHS_1,
  93: rds.PerformanceInsightRetention.MONTHS_3,
  731: rds.PerformanceInsightRetention.LONG_TERM,
};

export function createPostgres(
  scope: Construct,
  { vpc, groups }: NetworkStack,
  key: kms.IKey,
  settings: Settings,
): rds.DatabaseInstance {
  const { database } = settings;
  const engine = rds.DatabaseInstanceEngine.postgres({
    version: rds.PostgresEngineVersion.of(database.version, major(database.version)),
  });
  const exported = LOGS.map((log) =>
    createLogGroup(scope, `log-${log}`, `/aws/rds/instance/${INSTANCE}/${log}`, settings.logs.days),
  );
  const instance = new rds.DatabaseInstance(scope, "postgres", {
    instanceIdentifier: INSTANCE,
    databaseName: DATABASE_NAME,
    engine,
    instanceType: new ec2.InstanceType(database.instance),
    vpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    securityGroups: [unchanged(scope, "database-group", groups.database)],
    publiclyAccessible: false,
    multiAz: database.multiAz,
    storageType: rds.StorageType.GP3,
    allocatedStorage: database.storageGib,
    maxAllocatedStorage: database.storageMaxGib,
    storageEncryptionKey: key,
    backupRetention: Duration.days(database.backupDays),
    copyTagsToSnapshot: true,
    deleteAutomatedBackups: false,
    deletionProtection: database.deletionProtection,
    removalPolicy: RemovalPolicy.SNAPSHOT,
    enablePerformanceInsights: true,
    performanceInsightRetention: INSIGHTS_DAYS[database.insightsDays],
    performanceInsightEncryptionKey: key,
    monitoringInterval: Duration.minutes(1),
    cloudwatchLogsExports: LOGS,
    // A minor version is a setting, so that dev has it before production, and `pg_dump` fits it.
    autoMinorVersionUpgrade: false,
    parameterGroup: parameters(scope, engine),
    credentials: rds.Credentials.fromUsername(OWNER, { encryptionKey: key }),
    manageMasterUserPassword: true,
    caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1,
  });
  instance.node.addDependency(...exported);
  acknowledgeAll(instance, database.multiAz);
  return instance;
}

export function ownerSecretArn(instance: rds.DatabaseInstance): string {
  return (instance.node.defaultChild as rds.CfnDBInstance).attrMasterUserSecretSecretArn;
}

/** TLS is required of every client, and slow statements are logged without their values. */
function parameters(scope: Construct, engine: rds.IInstanceEngine): rds.ParameterGroup {
  return new rds.ParameterGroup(scope, "parameters", {
    engine,
    description: "task-app",
    parameters: {
      "rds.force_ssl": "1",
      shared_preload_libraries: "pg_stat_statements",
      log_min_duration_statement: "1000",
      log_parameter_max_length: "0",
      log_parameter_max_length_on_error: "0",
      log_lock_waits: "1",
      idle_in_transaction_session_timeout: "120000",
    },
  });
}

function major(version: string): string {
  const [number] = version.split(".");
  if (!number) throw new Error(`database.version: expected a version such as 17.9, not ${version}`);
  return number;
}

function acknowledgeAll(instance: rds.DatabaseInstance, multiAz: boolean): void {
  if (!multiAz) {
    acknowledge(instance, {
      nag: ["RDS3"],
      checkov: ["CKV_AWS_157"],
      reason: "A setting: this environment may be lost with a zone, until its backup is restored.",
    });
  }
  acknowledge(instance, {
    nag: ["RDS11"],
    reason: "Only security groups that are named reach the port, in subnets without a route: another number protects nothing.",
  });
  acknowledge(instance, {
    checkov: ["CKV_AWS_161"],
    reason: "Functions log in with passwords that Secrets Manager replaces: the same binary runs on PostgreSQL anywhere.",
  });
  acknowledge(instance, {
    nag: ["IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole]"],
    reason: "RDS names this policy for the role of its monitoring; it may write to one log group.",
  });
}
