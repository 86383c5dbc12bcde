import { Stack, type StackProps } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import * as sns from "aws-cdk-lib/aws-sns";
import * as subscriptions from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import type { DataStack } from "../data/stack.ts";
import type { MessagingStack } from "../messaging/stack.ts";
import { createAlarms } from "./alarms.ts";
import { createBudget } from "./budget.ts";
import { createLogGroups } from "./log-groups.ts";

/** Logs, alarms and the budget. */
export class WatchingStack extends Stack {
  readonly topic: sns.Topic;

  constructor(
    scope: Construct,
    id: string,
    settings: Settings,
    stacks: { data: DataStack; messaging: MessagingStack },
    props: StackProps,
  ) {
    super(scope, id, props);
    createLogGroups(this, settings);
    this.topic = new sns.Topic(this, "alarms", {
      topicName: "task-app-alarms",
      masterKey: stacks.data.key,
      enforceSSL: true,
    });
    this.topic.addSubscription(new subscriptions.EmailSubscription(settings.alarms.email));
    for (const service of ["cloudwatch", "budgets"]) {
      this.topic.addToResourcePolicy(
        new iam.PolicyStatement({
          sid: service,
          principals: [new iam.ServicePrincipal(`${service}.amazonaws.com`)],
          actions: ["sns:Publish"],
          resources: [this.topic.topicArn],
          conditions: { StringEquals: { "aws:SourceAccount": this.account } },
        }),
      );
    }
    createAlarms(this, this.topic, stacks, settings);
    // A topic whose policy is not there yet refuses the budget.
    createBudget(this, this.topic.topicArn, settings).node.addDependency(this.topic.node.findChild("Policy"));
  }
}
