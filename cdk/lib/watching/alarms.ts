// Alarms on what AWS measures itself, so that they work while the cluster does not. What the functions
// measure has its alerts in `manifests/`.

import { Duration } from "aws-cdk-lib";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import * as actions from "aws-cdk-lib/aws-cloudwatch-actions";
import type * as sns from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";
import type { AlarmSettings, Settings } from "../../config/settings.ts";
import { REDIS_NAME } from "../data/redis.ts";
import type { DataStack } from "../data/stack.ts";
import type { MessagingStack } from "../messaging/stack.ts";
import { each } from "../resources.ts";

interface Alarm {
  readonly name: string;
  /** What it means, and what to look at first. */
  readonly description: string;
  readonly metric: cloudwatch.IMetric;
  readonly above?: number;
  readonly below?: number;
  /** Periods of the metric that must all be beyond it. */
  readonly periods: number;
}

const FIVE_MINUTES = Duration.minutes(5);
const GIB = 1024 ** 3;

export function createAlarms(
  scope: Construct,
  topic: sns.ITopic,
  stacks: { data: DataStack; messaging: MessagingStack },
  { alarms, redis }: Settings,
): void {
  const all = [
    ...queueAlarms(stacks.messaging, alarms),
    ...postgresAlarms(stacks.data, alarms),
    ...redisAlarms(redis.replicas + 1, alarms),
  ];
  for (const { name, description, metric, above, below, periods } of all) {
    const alarm = new cloudwatch.Alarm(scope, name, {
      alarmName: `task-app-${name}`,
      alarmDescription: description,
      metric,
      threshold: above ?? below ?? 0,
      comparisonOperator:
        below === undefined
          ? cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
          : cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new actions.SnsAction(topic));
    alarm.addOkAction(new actions.SnsAction(topic));
  }
}

function queueAlarms({ queues }: MessagingStack, { queueAgeSeconds }: AlarmSettings): Alarm[] {
  return each(queues).flatMap(([, { queue, deadLetters }]) => [
    {
      name: `queue-age-${queue.node.scope?.node.id ?? ""}`,
      description: "Messages wait too long: is the consumer there, and is what it depends on?",
      metric: queue.metricApproximateAgeOfOldestMessage({ period: FIVE_MINUTES, statistic: "Maximum" }),
      above: queueAgeSeconds,
      periods: 2,
    },
    {
      name: `dead-letters-${queue.node.scope?.node.id ?? ""}`,
      description: "There are dead letters: `task-app dead-letters groups` says why (docs/dead-letters.md).",
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES, statistic: "Maximum" }),
      above: 0,
      periods: 1,
    },
  ]);
}

function postgresAlarms({ postgres }: DataStack, alarms: AlarmSettings): Alarm[] {
  return [
    {
      name: "postgres-cpu",
      description: "PostgreSQL's CPU is busy: Performance Insights names the statements.",
      metric: postgres.metricCPUUtilization({ period: FIVE_MINUTES }),
      above: alarms.cpuPercent,
      periods: 3,
    },
    {
      name: "postgres-storage",
      description: "PostgreSQL's storage is nearly full, although it grows by itself: raise database.storageMaxGib.",
      metric: postgres.metricFreeStorageSpace({ period: FIVE_MINUTES, statistic: "Minimum" }),
      below: alarms.databaseFreeGib * GIB,
      periods: 1,
    },
    {
      name: "postgres-connections",
      description: "PostgreSQL has many connections: do Lambdas use the proxy?",
      metric: postgres.metricDatabaseConnections({ period: FIVE_MINUTES, statistic: "Maximum" }),
      above: alarms.databaseConnections,
      periods: 2,
    },
  ];
}

function redisAlarms(nodes: number, alarms: AlarmSettings): Alarm[] {
  return Array.from({ length: nodes }, (_, index) => `${REDIS_NAME}-${String(index + 1).padStart(3, "0")}`).flatMap((node) => {
    const metric = (metricName: string) =>
      new cloudwatch.Metric({
        namespace: "AWS/ElastiCache",
        metricName,
        dimensionsMap: { CacheClusterId: node },
        period: FIVE_MINUTES,
        statistic: "Average",
      });
    return [
      {
        name: `redis-cpu-${node}`,
        description: "Redis's CPU is busy; functions do without it when it is slow.",
        metric: metric("EngineCPUUtilization"),
        above: alarms.cpuPercent,
        periods: 3,
      },
      {
        name: `redis-memory-${node}`,
        description: "Redis's memory is nearly full: copies are evicted early, and PostgreSQL is read more.",
        metric: metric("DatabaseMemoryUsagePercentage"),
        above: alarms.redisMemoryPercent,
        periods: 3,
      },
    ];
  });
}
