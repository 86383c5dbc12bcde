import assert from "node:assert/strict";
import { test } from "node:test";
import { ENVIRONMENTS } from "../config/index.ts";
import { NAMES, ofType } from "../lib/assembly.ts";
import { FUNCTION_NAMES } from "../lib/functions.ts";
import { each, RESOURCES } from "../lib/resources.ts";

for (const name of NAMES) {
  const alarms = ofType(name, "AWS::CloudWatch::Alarm").map(({ properties }) => properties as Record<string, unknown>);

  test(`${name}: every queue has an alarm on age and one on dead letters`, () => {
    for (const [queue] of each(RESOURCES.queues)) {
      for (const kind of ["queue-age", "dead-letters"]) assert.ok(alarms.some(({ AlarmName }) => AlarmName === `task-app-${kind}-${queue}`), `${kind} ${queue}`);
    }
  });

  test(`${name}: PostgreSQL and every node of Redis have alarms`, () => {
    const names = alarms.map(({ AlarmName }) => AlarmName as string);
    for (const what of ["cpu", "storage", "connections"]) assert.ok(names.includes(`task-app-postgres-${what}`));
    const nodes = 1 + (ENVIRONMENTS[name]?.redis.replicas ?? 0);
    assert.equal(names.filter((it) => it.includes("redis-memory")).length, nodes);
  });

  test(`${name}: every alarm says what it means and reaches somebody`, () => {
    for (const { AlarmName, AlarmDescription, AlarmActions } of alarms) {
      assert.ok(String(AlarmDescription).length > 30, String(AlarmName));
      assert.equal((AlarmActions as unknown[]).length, 1);
    }
    const [subscription] = ofType(name, "AWS::SNS::Subscription");
    assert.equal(subscription?.properties.Endpoint, ENVIRONMENTS[name]?.alarms.email);
    assert.ok(ofType(name, "AWS::SNS::Topic")[0]?.properties.KmsMasterKeyId);
  });

  test(`${name}: every log group ends`, () => {
    const groups = ofType(name, "AWS::Logs::LogGroup");
    for (const { id, properties } of groups) assert.ok(Number(properties.RetentionInDays) > 0, id);
    const names = groups.map(({ properties }) => properties.LogGroupName as string);
    for (const called of FUNCTION_NAMES) assert.ok(names.includes(`/aws/lambda/task-app-${called}`), called);
  });

  test(`${name}: the budget warns before it is spent`, () => {
    const [budget] = ofType(name, "AWS::Budgets::Budget");
    assert.equal(budget?.properties.Budget.BudgetLimit.Amount, ENVIRONMENTS[name]?.budget.monthlyUsd);
    assert.equal((budget?.properties.NotificationsWithSubscribers as unknown[]).length, 2);
  });
}
