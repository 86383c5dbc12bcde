// A warning before the month costs more than it should.

import * as budgets from "aws-cdk-lib/aws-budgets";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";

export function createBudget(scope: Construct, topicArn: string, settings: Settings): budgets.CfnBudget {
  const notify = (notificationType: string, threshold: number): budgets.CfnBudget.NotificationWithSubscribersProperty => ({
    notification: { notificationType, comparisonOperator: "GREATER_THAN", threshold, thresholdType: "PERCENTAGE" },
    subscribers: [{ subscriptionType: "SNS", address: topicArn }],
  });
  return new budgets.CfnBudget(scope, "budget", {
    budget: {
      budgetName: "task-app",
      budgetType: "COST",
      timeUnit: "MONTHLY",
      budgetLimit: { amount: settings.budget.monthlyUsd, unit: "USD" },
    },
    notificationsWithSubscribers: [notify("ACTUAL", 80), notify("FORECASTED", 100)],
  });
}
