//! Sends batches.

use anyhow::Context as _;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::Queue;
use super::limits::SENDS;

/// What became of one entry: its message's id, or why SQS does not take it.
pub(crate) type Sent = Result<String, String>;

/// Sends entries, ten at most, whose ids are their positions; one answer each, in order.
///
/// # Errors
/// When SQS does not answer. Some may have been sent.
pub(crate) async fn send(
    queue: &Queue,
    entries: Vec<SendMessageBatchRequestEntry>,
) -> anyhow::Result<Vec<Sent>> {
    let mut answers: Vec<Sent> =
        vec![Err("SQS did not say what became of it".to_owned()); entries.len()];
    let mut left = entries;
    for _ in 0..SENDS {
        let request = queue.client.send_message_batch().queue_url(&queue.url);
        let answer = request.set_entries(Some(left.clone())).send().await;
        let answer = answer.with_context(|| format!("sending to {}", queue.name))?;
        let mut set = |id: &str, answer: Sent| {
            if let Some(slot) = id.parse::<usize>().ok().and_then(|place| answers.get_mut(place)) {
                *slot = answer;
            }
        };
        for sent in answer.successful() {
            set(sent.id(), Ok(sent.message_id().to_owned()));
        }
        for failed in answer.failed() {
            let message = failed.message().unwrap_or_default();
            set(failed.id(), Err(format!("{}: {message}", failed.code())));
        }
        let may_succeed = |id: &str| {
            answer.failed().iter().any(|failed| failed.id() == id && !failed.sender_fault())
        };
        left.retain(|entry| may_succeed(entry.id()));
        if left.is_empty() {
            break;
        }
    }
    Ok(answers)
}
