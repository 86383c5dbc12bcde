//! The contract as an AsyncAPI 3 document, with the SQS bindings (version 0.2.0: the newest
//! that the public validator knows).
//!
//! See <https://www.asyncapi.com/docs/reference/specification/v3.0.0> and
//! <https://www.asyncapi.com/docs/reference/bindings/sqs>.

use events::{CommandType, FactType, schema};
use resources::{Queue, resources};
use serde_json::{Map, Value, json};

use super::examples;

const COMMANDS: &str = "taskCommands";
const FACTS: &str = "taskFacts";

const HEADER: &str = "# Made by `make generate` from the types in events/src. Do not edit.\n";

const DESCRIPTION: &str = "\
Commands change tasks; facts are published for what changed. Every message body is a CloudEvents 1.0 \
event in structured JSON.\n\nDelivery is at least once. A command takes effect exactly once: a second \
one with the same `tenant`, `source` and `id` is a repeat and changes nothing. See docs/producers.md \
for the mapping to SQS, and for examples.";

const COMMANDS_DESCRIPTION: &str = "\
Send commands here. `MessageGroupId` is the event's `subject`, so that a task's commands stay in order; \
`MessageDeduplicationId` is unique for each event. What can never succeed is copied to the dead-letter \
queue at once, with its reason.";

const FACTS_DESCRIPTION: &str = "\
A fact for each change, and one for each command that was refused; in order per task, at least once: a \
repeat has the same `id`. `MessageGroupId` is the event's `subject`.";

/// The whole document.
pub(crate) fn document() -> anyhow::Result<String> {
    let queues = &resources().queues;
    let commands = CommandType::ALL.map(CommandType::as_str);
    let facts = FactType::ALL.map(FactType::as_str);
    let document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "task-app",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            COMMANDS: channel(&queues.commands, COMMANDS_DESCRIPTION, &commands),
            FACTS: channel(&queues.facts, FACTS_DESCRIPTION, &facts),
        },
        "operations": {
            "applyCommands": operation("receive", COMMANDS, "Applies commands to tasks."),
            "tellFacts": operation("send", FACTS, "Publishes what became of commands."),
        },
        "components": { "messages": messages()? },
    });
    Ok(HEADER.to_owned() + &yaml_serde::to_string(&document)?)
}

fn channel(queue: &Queue, description: &str, kinds: &[&str]) -> Value {
    let reference = |kind: &&str| {
        let message = json!({ "$ref": format!("#/components/messages/{kind}") });
        ((*kind).to_owned(), message)
    };
    json!({
        "address": queue.name,
        "description": description,
        "messages": kinds.iter().map(reference).collect::<Map<_, _>>(),
        "bindings": { "sqs": sqs(queue) },
    })
}

fn sqs(queue: &Queue) -> Value {
    let dead_letters = &queue.dead_letter_queue;
    let scope = queue.fifo.map(|fifo| fifo.deduplication_scope.as_str());
    let limit = queue.fifo.map(|fifo| fifo.throughput_limit.as_str());
    json!({
        "bindingVersion": "0.2.0",
        "queue": {
            "name": queue.name,
            "fifoQueue": queue.fifo.is_some(),
            "deduplicationScope": scope,
            "fifoThroughputLimit": limit,
            "visibilityTimeout": queue.visibility_timeout_seconds,
            "messageRetentionPeriod": queue.retention_seconds,
            "redrivePolicy": {
                "deadLetterQueue": { "name": dead_letters.name },
                "maxReceiveCount": queue.max_receive_count,
            },
        },
        "deadLetterQueue": {
            "name": dead_letters.name,
            "fifoQueue": queue.fifo.is_some(),
            "messageRetentionPeriod": dead_letters.retention_seconds,
        },
    })
}

fn operation(action: &str, channel: &str, summary: &str) -> Value {
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "summary": summary,
    })
}

fn messages() -> anyhow::Result<Map<String, Value>> {
    let mut messages = Map::new();
    for kind in CommandType::ALL {
        let examples = examples::of(kind.as_str(), "valid")?;
        let message =
            message(kind.as_str(), (kind.title(), kind.summary()), kind.description(), &examples);
        messages.insert(kind.to_string(), message);
    }
    for kind in FactType::ALL {
        let description = match kind {
            FactType::Task(_) => "`data` is the task as the command left it.",
            FactType::CommandRejected => "`data` names the command and says why; `code` is stable.",
        };
        let examples = examples::of(kind.as_str(), "facts/valid")?;
        let message =
            message(kind.as_str(), (kind.title(), kind.summary()), description, &examples);
        messages.insert(kind.to_string(), message);
    }
    Ok(messages)
}

fn message(
    kind: &str,
    (title, summary): (&str, &str),
    description: &str,
    examples: &[Value],
) -> Value {
    json!({
        "name": kind,
        "title": title,
        "summary": summary,
        "description": description,
        "payload": { "$ref": format!("./schemas/{}", schema::file_name(kind)) },
        "examples": examples,
    })
}
