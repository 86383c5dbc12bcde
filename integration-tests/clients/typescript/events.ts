// Completes a task with the CloudEvents SDK for JavaScript, and consumes its facts with sqs-consumer.

import assert from "node:assert/strict";
import { SendMessageCommand, SQSClient, type Message } from "@aws-sdk/client-sqs";
import { CloudEvent, HTTP } from "cloudevents";
import { Consumer } from "sqs-consumer";

const { TASK = "", QUEUE_URL = "", FACTS_URL = "" } = process.env;
const sqs = new SQSClient({});
const command = new CloudEvent({
  type: "dev.task-app.complete-task.v1",
  source: "/javascript-sdk",
  subject: TASK,
  data: {},
  tenant: "acme",
});
await sqs.send(
  new SendMessageCommand({
    QueueUrl: QUEUE_URL,
    MessageBody: String(HTTP.structured(command).body),
    MessageGroupId: TASK,
    MessageDeduplicationId: command.id,
  }),
);

const seen: string[] = [];
const consumer = Consumer.create({
  queueUrl: FACTS_URL,
  sqs,
  waitTimeSeconds: 1,
  handleMessage: async (message: Message): Promise<Message> => {
    const headers = { "content-type": "application/cloudevents+json" };
    const fact = HTTP.toEvent({ headers, body: message.Body });
    assert(fact instanceof CloudEvent && fact.validate());
    assert.equal(fact.subject, TASK);
    seen.push(fact.type);
    if (seen.length === 2) consumer.stop();
    return message;
  },
});
const late = setTimeout(() => fail(new Error("not within a minute")), 60_000);
consumer.on("error", fail);
consumer.on("processing_error", fail);
consumer.on("stopped", () => {
  assert.deepEqual(seen, ["dev.task-app.task.created.v1", "dev.task-app.task.completed.v1"]);
  clearTimeout(late);
  console.log("done");
});
consumer.start();

function fail(error: Error): never {
  console.error(error, seen);
  process.exit(1);
}
