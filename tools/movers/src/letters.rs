//! Dead letters by their numbers: commands, as `runtime` dead-letters them.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use serde_json::{Value, json};

use crate::State;

/// The attributes that `runtime` adds, and the code of a reason.
const REASON: &str = "DeadLetterReason";
const DETAILS: &str = "DeadLetter";
const CODE: &str = "database_unavailable";
/// Before the number of an event.
const ID: &str = "bench-";

/// Its task, which is its group in a FIFO queue.
pub(crate) fn group(number: usize) -> String {
    format!("0192f1a0-0000-7000-8000-{number:012x}")
}

pub(crate) fn body(number: usize) -> String {
    json!({
        "specversion": "1.0",
        "id": format!("{ID}{number}"),
        "source": "/bench/replay",
        "type": "dev.task-app.create-task.v1",
        "subject": group(number),
        "time": "2026-01-31T09:30:00Z",
        "datacontenttype": "application/json",
        "tenant": "bench",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": { "title": format!("Water plant {number}"), "tags": ["home"] },
    })
    .to_string()
}

/// Those of its sender, and those of the handler that gave it up in a queue of this name.
pub(crate) fn attributes(
    number: usize,
    source: Option<&str>,
) -> Result<HashMap<String, MessageAttributeValue>> {
    let attribute = |(name, value): (&str, String)| {
        let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
        Ok((name.to_owned(), attribute.build()?))
    };
    let senders = [("sender", format!("plants-{}", number % 7))];
    let handlers = source.into_iter().flat_map(|source| {
        [(REASON, CODE.to_owned()), (DETAILS, details(number, source).to_string())]
    });
    senders.into_iter().chain(handlers).map(attribute).collect()
}

fn details(number: usize, source: &str) -> Value {
    json!({
        "reason": CODE,
        "detail": "the database does not answer",
        "handler": "command-worker",
        "attempts": 10,
        "first_received_at": "2026-01-31T09:30:01.000000Z",
        "failed_at": "2026-01-31T09:58:20.000000Z",
        "message_id": format!("5f2a1c3e-0000-4000-8000-{number:012x}"),
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "queue": format!("arn:aws:sqs:us-east-1:000000000000:{source}"),
    })
}

/// The number of a message that is whole.
pub(crate) fn recognize(message: &Message, state: State) -> Result<usize> {
    let text = message.body().unwrap_or_default();
    let event: Value = serde_json::from_str(text).context("a body is no JSON")?;
    let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
    let number = id.strip_prefix(ID).and_then(|number| number.parse().ok());
    let number = number.with_context(|| format!("nobody sent {text}"))?;
    ensure!(text == body(number), "the body of {number} has changed: {text}");
    let mut has = message.message_attributes().cloned().unwrap_or_default();
    if state == State::Copied {
        let is_whole = has.remove(REASON).is_some() && has.remove(DETAILS).is_some();
        ensure!(is_whole, "{number} has lost what its handler added");
    }
    ensure!(has == attributes(number, None)?, "the attributes of {number} have changed");
    Ok(number)
}
