//! A queue of SQS.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sqs::{
    Client,
    config::{Config as ClientConfig, timeout::TimeoutConfig},
    error::ProvideErrorMetadata as _,
    types::{
        BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
        DeleteMessageBatchRequestEntry, MessageSystemAttributeName, SendMessageBatchRequestEntry,
    },
};
use messages::{INVALID_HANDLE, is_gone};
use tracing::warn;

use crate::{
    Host,
    sqs::{
        Config, Delivery,
        queue::{
            Answer, Failure, Queue, attributes::QueueAttributes, claim_check::ClaimChecks,
            dead_letter::DeadLetter,
        },
    },
};

/// What a receive may take beyond its long poll: the answer's way, and SQS's own delays.
const RECEIVE_GRACE: Duration = Duration::from_secs(10);

/// Of what a queue takes in no attempt: it is too long, or has what SQS does not allow.
const REFUSALS: [&str; 5] = [
    "BatchRequestTooLong",
    "InvalidParameterValue",
    "InvalidMessageContents",
    "InvalidAttributeValue",
    "InvalidAttributeName",
];

/// A queue of SQS.
pub(crate) struct AwsQueue {
    client: Client,
    url: String,
    attributes: QueueAttributes,
    claim_checks: ClaimChecks,
    wait: Duration,
    visibility: Duration,
}

impl AwsQueue {
    /// Reads the attributes of the queue; fails if it cannot, or if they lose or double messages.
    pub(crate) async fn open(client: Client, config: &Config, host: Host) -> anyhow::Result<Self> {
        let url = config.queue_url.clone();
        let attributes = QueueAttributes::read(&client, config, host).await?;
        let claim_checks = ClaimChecks::open(&config.claim_check).await;
        let (wait, visibility) = (config.wait(), config.visibility());
        Ok(Self { client, url, attributes, claim_checks, wait, visibility })
    }

    /// Has messages, by receipt handle, become visible after that many seconds.
    async fn set_visibility(
        &self,
        waits: impl Iterator<Item = (&String, i32)> + Send,
    ) -> anyhow::Result<Vec<BatchResultErrorEntry>> {
        let entry = |(index, (handle, wait)): (usize, (&String, i32))| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(handle)
                .visibility_timeout(wait)
                .build()
        };
        let entries = waits.enumerate().map(entry).collect::<Result<_, _>>()?;
        let request = self.client.change_message_visibility_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries)).send().await;
        Ok(answer.context("cannot change visibility")?.failed)
    }

    fn patient(&self) -> aws_sdk_sqs::config::Builder {
        let limit = self.wait + RECEIVE_GRACE;
        let timeouts = TimeoutConfig::builder()
            .read_timeout(limit)
            .operation_attempt_timeout(limit)
            .operation_timeout(limit);
        ClientConfig::builder().timeout_config(timeouts.build())
    }
}

impl Queue for AwsQueue {
    async fn receive(&self, max: u16) -> anyhow::Result<Vec<Delivery>> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(max.into())
            .wait_time_seconds(seconds(self.wait))
            .visibility_timeout(seconds(self.visibility))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .customize()
            .config_override(self.patient())
            .send()
            .await
            .context("cannot receive")?;
        Ok(readable(answer.messages.unwrap_or_default()))
    }

    async fn delete(&self, handles: &[String]) -> Answer {
        let entry = |(index, handle): (usize, &String)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(handle)
                .build()
        };
        let entries = handles.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let request = self.client.delete_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries)).send().await.context("cannot delete")?;
        Ok(undeleted(answer.failed, self.attributes.rules.fifo))
    }

    async fn change_visibility(&self, waits: &[(String, i32)]) -> Answer {
        let waits = waits.iter().map(|(handle, wait)| (handle, *wait));
        Ok(failures(self.set_visibility(waits).await?, is_gone))
    }

    async fn extend(&self, handles: &[String], seconds: i32) -> Answer {
        let waits = handles.iter().map(|handle| (handle, seconds));
        let failed = self.set_visibility(waits).await?;
        let failure = |entry: BatchResultErrorEntry| {
            let futile = is_gone(&entry);
            failure(entry).map(|failure| Failure { futile, ..failure })
        };
        Ok(failed.into_iter().filter_map(failure).collect())
    }

    async fn send_dead_letters(&self, dead_letters: &[DeadLetter]) -> Answer {
        let entry = |(index, dead_letter): (usize, &DeadLetter)| {
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&dead_letter.body)
                .set_message_attributes(Some(dead_letter.attributes.clone()))
                .set_message_group_id(dead_letter.group_id.clone())
                .set_message_deduplication_id(dead_letter.deduplication_id.clone())
                .build()
        };
        let entries = dead_letters.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let request = self.client.send_message_batch().queue_url(&self.attributes.dead_letter_url);
        match request.set_entries(Some(entries)).send().await {
            Ok(answer) => Ok(failures(answer.failed, |_| false)),
            // A queue may refuse all of a batch for one entry.
            Err(error) if error.code().is_some_and(is_refusal) => {
                warn!(error = format!("{error:#}"), "a batch of dead letters is refused");
                let code = error.code().unwrap_or_default();
                let failure = |index| Failure { index, code: code.to_owned(), futile: true };
                Ok((0..dead_letters.len()).map(failure).collect())
            }
            Err(error) => Err(error).context("cannot send to the dead-letter queue"),
        }
    }

    fn attributes(&self) -> &QueueAttributes {
        &self.attributes
    }

    fn claim_checks(&self) -> &ClaimChecks {
        &self.claim_checks
    }
}

/// Whether an error's code says that the same request is refused again.
fn is_refusal(code: &str) -> bool {
    REFUSALS.iter().any(|refusal| code.ends_with(refusal))
}

/// A message that has no receipt handle cannot even be given back.
fn readable(messages: Vec<aws_sdk_sqs::types::Message>) -> Vec<Delivery> {
    let delivery = |message| {
        Delivery::try_from(message).inspect_err(|error| warn!(%error, "a message is unusable")).ok()
    };
    messages.into_iter().filter_map(delivery).collect()
}

/// What could not be deleted: of a FIFO queue also what is gone, for there it has only expired.
fn undeleted(failed: Vec<BatchResultErrorEntry>, fifo: bool) -> Vec<Failure> {
    let undeleted = failures(failed, |entry| !fifo && is_gone(entry));
    let expired = |failure: &Failure| failure.code.ends_with(INVALID_HANDLE);
    let futile =
        |failure: Failure| Failure { futile: failure.futile || expired(&failure), ..failure };
    undeleted.into_iter().map(futile).collect()
}

fn failures(
    failed: Vec<BatchResultErrorEntry>,
    is_harmless: impl Fn(&BatchResultErrorEntry) -> bool,
) -> Vec<Failure> {
    failed.into_iter().filter(|entry| !is_harmless(entry)).filter_map(failure).collect()
}

fn failure(entry: BatchResultErrorEntry) -> Option<Failure> {
    let index = entry.id.parse().ok()?;
    Some(Failure { index, code: entry.code, futile: entry.sender_fault })
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: &str, message: &str) -> BatchResultErrorEntry {
        let entry = BatchResultErrorEntry::builder().id("0").code(code).message(message);
        entry.sender_fault(true).build().unwrap()
    }

    const EXPIRED: &str = "Value is invalid. Reason: The receipt handle has expired.";

    #[test]
    fn an_invalid_receipt_handle_has_expired_in_a_fifo_queue_and_is_gone_in_a_standard_queue() {
        for code in ["ReceiptHandleIsInvalid", "InvalidParameterValue"] {
            let failed = || vec![entry(code, EXPIRED)];
            assert_eq!(undeleted(failed(), false), [], "{code}");
            let [Failure { futile: true, .. }] = undeleted(failed(), true)[..] else {
                panic!("{code} is not known to have expired")
            };
        }
    }
}
