// DynamoDB, as `shared/resources/resources.json` describes it.

import { RemovalPolicy } from "aws-cdk-lib";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import { acknowledge } from "../acknowledge.ts";
import { type Key, mapEach, RESOURCES, type Table, type TableName } from "../resources.ts";

export function createTables(scope: Construct): Record<TableName, dynamodb.Table> {
  return mapEach(RESOURCES.tables, (description, name) => createTable(scope, name, description));
}

function createTable(scope: Construct, id: string, description: Table): dynamodb.Table {
  const table = new dynamodb.Table(scope, id, {
    tableName: description.name,
    partitionKey: attribute(description.partitionKey),
    sortKey: description.sortKey && attribute(description.sortKey),
    timeToLiveAttribute: description.timeToLiveAttribute,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: description.pointInTimeRecovery },
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    encryption: dynamodb.TableEncryption.AWS_MANAGED,
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  for (const { name, partitionKey } of description.indexes ?? []) {
    table.addGlobalSecondaryIndex({ indexName: name, partitionKey: attribute(partitionKey) });
  }
  acknowledge(table, {
    checkov: ["CKV_AWS_119"],
    reason: "Encrypted by KMS with the account's aws/dynamodb key: no other account reads these tables.",
  });
  return table;
}

function attribute({ name, type }: Key): dynamodb.Attribute {
  return { name, type: { S: dynamodb.AttributeType.STRING, N: dynamodb.AttributeType.NUMBER, B: dynamodb.AttributeType.BINARY }[type] };
}
