// A consumer of commands as its users would write it: sqs-consumer and pg, the contract checked by Ajv, and
// for each receive one statement that is a transaction. What cannot be written is not deleted.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { SQSClient } from "@aws-sdk/client-sqs";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import pg from "pg";
import { Consumer } from "sqs-consumer";

const { QUEUE_URL, DATABASE_URL, SCHEMA, STATEMENT } = process.env;
const POLLERS = Number(process.env.POLLERS);

const ajv = addFormats(new Ajv({ strict: false }));
const isCommand = ajv.compile(JSON.parse(readFileSync(SCHEMA, "utf8")));
const statement = readFileSync(STATEMENT, "utf8");
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: POLLERS });
const sqs = new SQSClient({});

function columns({ tenant, source, id, subject, data }, now) {
  const { title, description = null, priority = "normal", assignee = null, due_date = null, tags = [] } = data;
  const fingerprint = createHash("sha256").update(JSON.stringify(data)).digest();
  const task = {
    id: subject, tenant, title, description, status: "open", priority, assignee, due_date, tags, version: 1,
    created_at: now, updated_at: now,
  };
  return [
    tenant, source, id, subject, fingerprint, title, description, priority, assignee, due_date, tags.join(","),
    JSON.stringify(task),
  ];
}

async function write(commands) {
  const now = new Date().toISOString();
  const rows = commands.map((command) => columns(command, now));
  const values = rows[0].map((_, column) => rows.map((row) => row[column]));
  await pool.query({ name: "create", text: statement, values });
}

// Returns the messages to delete.
async function handle(messages) {
  const read = [];
  for (const message of messages) {
    try {
      const command = JSON.parse(message.Body);
      if (isCommand(command)) read.push({ message, command });
      else console.error(message.MessageId, ajv.errorsText(isCommand.errors));
    } catch (error) {
      console.error(message.MessageId, error.message);
    }
  }
  if (read.length === 0) return [];
  try {
    await write(read.map(({ command }) => command));
    return read.map(({ message }) => message);
  } catch (error) {
    console.error(error.message);
    return one_by_one(read);
  }
}

// So that a command that PostgreSQL refuses keeps no other from its effect.
async function one_by_one(read) {
  const written = [];
  for (const { message, command } of read) {
    try {
      await write([command]);
      written.push(message);
    } catch (error) {
      console.error(message.MessageId, error.message);
    }
  }
  return written;
}

const consumers = Array.from({ length: POLLERS }, () =>
  Consumer.create({
    queueUrl: QUEUE_URL, sqs, batchSize: 10, waitTimeSeconds: 20, pollingWaitTimeMs: 0, suppressFifoWarning: true,
    handleMessageBatch: handle,
  }),
);
for (const consumer of consumers) {
  consumer.on("error", (error) => console.error(error.message));
  consumer.on("processing_error", (error) => console.error(error.message));
  consumer.start();
}
