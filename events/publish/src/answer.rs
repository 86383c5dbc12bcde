//! What the queue answered, entry by entry.

use aws_sdk_sqs::{
    operation::send_message_batch::SendMessageBatchOutput, types::BatchResultErrorEntry,
};

use crate::{
    message::Message,
    outcome::{Refused, Report},
    pending::Pending,
};

/// How often one event is sent that the queue does not take; the SDK tries whole requests again.
const MOST_ATTEMPTS: u32 = 5;

/// Counts what was accepted, gives up what never will be, and keeps the others; returns the attempts of
/// what has had most.
pub(crate) fn settle<'a>(
    answer: &SendMessageBatchOutput,
    batch: Vec<Message<'a>>,
    pending: &mut Pending<'a>,
    report: &mut Report,
) -> u32 {
    let mut again = Vec::new();
    for mut message in batch {
        let id = message.position.to_string();
        if answer.successful().iter().any(|taken| taken.id() == id) {
            report.sent += 1;
            continue;
        }
        let failed = answer.failed().iter().find(|failed| failed.id() == id);
        message.attempts += 1;
        let is_hopeless = failed.is_some_and(BatchResultErrorEntry::sender_fault);
        if is_hopeless || message.attempts >= MOST_ATTEMPTS {
            let code = failed.map_or("not_answered", BatchResultErrorEntry::code);
            let detail = failed.and_then(BatchResultErrorEntry::message).unwrap_or_default();
            let why = Refused::declined(message.position, code, detail);
            pending.refuse(&message, why, report);
        } else {
            again.push(message);
        }
    }
    let attempts = again.iter().map(|message| message.attempts).max();
    pending.put_back(again);
    attempts.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::SendMessageBatchResultEntry;
    use serde_json::json;

    use super::*;

    fn event(task: u8) -> String {
        json!({
            "specversion": "1.0", "id": task.to_string(), "source": "/test", "tenant": "acme",
            "type": "dev.task-app.create-task.v1", "time": "2026-01-31T09:30:00Z",
            "subject": format!("0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e{task:02}"),
            "datacontenttype": "application/json", "data": {"title": "Title"},
        })
        .to_string()
    }

    fn taken(id: &str) -> SendMessageBatchResultEntry {
        let entry = SendMessageBatchResultEntry::builder().id(id).message_id("id");
        entry.md5_of_message_body("digest").build().unwrap()
    }

    fn failed(id: &str, is_ours: bool) -> BatchResultErrorEntry {
        let entry = BatchResultErrorEntry::builder().id(id).code("Code").message("detail");
        entry.sender_fault(is_ours).build().unwrap()
    }

    #[test]
    fn what_was_not_taken_is_sent_again_so_often_and_no_more() {
        let events = [1, 2, 3].map(event);
        let messages = events.iter().enumerate();
        let messages =
            messages.map(|(position, event)| Message::new(position, event, None).unwrap());
        let messages = messages.collect();
        let (mut pending, mut report) = (Pending::new(messages), Report::default());
        for attempt in 1..=MOST_ATTEMPTS {
            let answer = SendMessageBatchOutput::builder().successful(taken("0"));
            let answer = answer.failed(failed("1", true)).failed(failed("2", false));
            let batch = pending.take(10);
            assert!(!batch.is_empty(), "attempt {attempt}");
            settle(&answer.build().unwrap(), batch, &mut pending, &mut report);
        }
        assert!(pending.take(10).is_empty());
        assert_eq!(report.sent, 1);
        let declined = |position| Refused::declined(position, "Code", "detail");
        assert_eq!(report.refused, [declined(1), declined(2)]);
    }
}
