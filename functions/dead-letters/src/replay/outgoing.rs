//! A dead letter as its producer sent it.

use std::sync::Arc;

use anyhow::Context as _;
use aws_sdk_s3::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use chrono::{DateTime, Utc};
use records::replays::{Edit, Message, MessageState};

use crate::dead_letter::DeadLetter;
use crate::edit::Editor;
use crate::queue::Queue;
use crate::ready::Item;

/// Of a deduplication id, by SQS.
const MOST_ID_BYTES: usize = 128;

/// A message that is to be sent.
pub(super) struct Outgoing {
    pub(super) target: Arc<Queue>,
    pub(super) dead_letter: DeadLetter,
    pub(super) edit: Option<Edit>,
    /// How often a send was begun before.
    pub(super) sends: u32,
    is_ordered: bool,
}

impl Item for Outgoing {
    fn group(&self) -> Option<&str> {
        self.dead_letter.summary.group.as_deref().filter(|_| self.is_ordered)
    }

    fn bytes(&self) -> usize {
        self.dead_letter.body.len() + self.dead_letter.attribute_bytes()
    }
}

impl Outgoing {
    /// From `queue` to `target`.
    pub(super) fn new(queue: &Queue, target: Arc<Queue>, dead_letter: DeadLetter) -> Self {
        Self { target, dead_letter, edit: None, sends: 0, is_ordered: queue.is_fifo }
    }

    pub(super) fn id(&self) -> &str {
        &self.dead_letter.summary.message_id
    }

    /// Edits it, if that changes anything. What an edited body refers to is in S3 then.
    pub(super) async fn edit(&mut self, editor: &Editor, s3: &Client) -> anyhow::Result<()> {
        let most = self.target.most_bytes.saturating_sub(self.dead_letter.attribute_bytes());
        let Some(edited) = editor.edit(&self.dead_letter, most, s3).await? else { return Ok(()) };
        if let Some(apart) = &edited.apart {
            apart.put(s3).await?;
        }
        edited.apply_to(&mut self.dead_letter);
        self.edit = Some(Edit {
            editor: editor.name().to_owned(),
            original_sha256: edited.original_sha256,
            event_id: edited.event_id,
        });
        Ok(())
    }

    /// What the ledger says of it.
    pub(super) fn record(&self, state: MessageState, at: DateTime<Utc>) -> Message {
        Message {
            message_id: self.id().to_owned(),
            first_id: self.dead_letter.sent_id().to_owned(),
            state,
            target: self.target.url.clone(),
            event_id: self.dead_letter.summary.event_id.clone(),
            sent_id: None,
            edit: self.edit.clone(),
            failure: None,
            sends: self.sends,
            at,
        }
    }

    /// As an entry of a batch of the run.
    pub(super) fn entry(
        &self,
        index: usize,
        run: &str,
    ) -> anyhow::Result<SendMessageBatchRequestEntry> {
        let dead_letter = &self.dead_letter;
        let mut entry = SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .message_body(&dead_letter.body)
            .set_message_group_id(self.group_id());
        for (name, attribute) in &dead_letter.attributes {
            let value = attribute.restored();
            let value =
                value.with_context(|| format!("the attribute {name} is not what it says"))?;
            entry = entry.message_attributes(name, value);
        }
        if let Some(header) = &dead_letter.trace_header {
            entry = entry.message_system_attributes(
                MessageSystemAttributeNameForSends::AwsTraceHeader,
                trace_header(header)?,
            );
        }
        if self.target.is_fifo {
            // The same for a repeat by this run, and no other than for its first send.
            entry = entry.message_deduplication_id(deduplication_id(run, self.id()));
        }
        Ok(entry.build()?)
    }

    /// A message without a group has one of its own in a FIFO queue.
    fn group_id(&self) -> Option<String> {
        let dead_letter = &self.dead_letter;
        if self.target.is_fifo {
            let own = || dead_letter.summary.message_id.clone();
            return Some(dead_letter.summary.group.clone().unwrap_or_else(own));
        }
        dead_letter.sender_group.clone()
    }
}

fn trace_header(header: &str) -> Result<MessageSystemAttributeValue, BuildError> {
    MessageSystemAttributeValue::builder().data_type("String").string_value(header).build()
}

fn deduplication_id(run: &str, message: &str) -> String {
    let id = format!("{run}.{message}");
    if id.len() <= MOST_ID_BYTES { id } else { objects::claim_check::sha256(id.as_bytes()) }
}
