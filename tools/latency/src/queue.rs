//! A queue: sends on a schedule, and receives as simply as one can.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, QueueAttributeName as Name,
    SendMessageBatchRequestEntry,
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::commands::{Command, Times, task};

/// Of one request, by SQS.
pub(crate) const MOST: usize = 10;
/// For so long a receive waits for messages.
const WAIT_SECONDS: i32 = 1;

#[derive(Clone)]
pub(crate) struct Queue {
    client: Client,
    url: String,
}

/// How many messages a queue has.
#[derive(Clone, Copy)]
pub(crate) struct Counts {
    /// Since the queue exists.
    pub(crate) sent: usize,
    /// Those that are not deleted.
    pub(crate) left: usize,
}

impl Queue {
    pub(crate) fn new(config: &SdkConfig, url: &str) -> Self {
        Self { client: Client::new(config), url: url.to_owned() }
    }

    /// Sends commands, by as few requests as there can be.
    pub(crate) async fn send(&self, commands: Vec<Command>) -> Result<()> {
        let mut commands = commands.into_iter().peekable();
        while commands.peek().is_some() {
            let entries = commands.by_ref().take(MOST).enumerate().map(|(index, command)| {
                SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_group_id(format!("{}/{}", command.tenant, command.task))
                    .message_deduplication_id(Uuid::now_v7().to_string())
                    .message_body(command.body)
                    .build()
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let request = self.client.send_message_batch().queue_url(&self.url);
            let sent = request.set_entries(Some(entries)).send().await.context("sending")?;
            ensure!(sent.failed.is_empty(), "the queue refused commands");
        }
        Ok(())
    }

    /// Receives messages, notes when, and deletes them. There may be none.
    pub(crate) async fn receive(&self) -> Result<Times> {
        let request = self.client.receive_message().queue_url(&self.url);
        let request = request.max_number_of_messages(10).wait_time_seconds(WAIT_SECONDS);
        let messages = request.send().await.context("receiving")?.messages.unwrap_or_default();
        let now = Instant::now();
        let times = messages.iter().map(|it| Ok((task(it.body().unwrap_or_default())?, now)));
        let times = times.collect::<Result<Times>>()?;
        if !messages.is_empty() {
            self.delete(messages).await?;
        }
        Ok(times)
    }

    async fn delete(&self, messages: Vec<Message>) -> Result<()> {
        let entries = messages.into_iter().enumerate().map(|(index, message)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .set_receipt_handle(message.receipt_handle)
                .build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let request = self.client.delete_message_batch().queue_url(&self.url);
        let deleted = request.set_entries(Some(entries)).send().await.context("deleting")?;
        ensure!(deleted.failed.is_empty(), "the queue deletes not all messages");
        Ok(())
    }

    /// How many messages it has, and had.
    pub(crate) async fn counts(&self) -> Result<Counts> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(Name::All).send().await;
        let attributes = answer.context("asking a queue how many messages it has")?.attributes;
        let attributes = attributes.unwrap_or_default();
        let count = |name| attributes.get(&name)?.parse::<usize>().ok();
        let counts = || {
            let waiting = count(Name::ApproximateNumberOfMessages)?;
            let in_flight = count(Name::ApproximateNumberOfMessagesNotVisible)?;
            Some(Counts { sent: count(Name::from("MessagesSent"))?, left: waiting + in_flight })
        };
        counts().context("a queue does not say how many messages it has and had")
    }

    /// Looks again and again until it has as many messages as it shall; returns when that was.
    pub(crate) async fn wait(
        &self,
        is_it: impl Fn(Counts) -> bool,
        step: Duration,
        limit: Duration,
    ) -> Result<Instant> {
        let until = Instant::now() + limit;
        loop {
            let (counts, now) = (self.counts().await?, Instant::now());
            if is_it(counts) {
                return Ok(now);
            }
            ensure!(now < until, "a message was not sent, or not deleted, in time");
            sleep(step).await;
        }
    }
}
