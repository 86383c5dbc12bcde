//! Receives a queue's messages and holds them, until each is deleted or all are released.
//!
//! Everything received is held, for SQS would deliver what is released at once again. A receive that has
//! begun is never cancelled, since SQS may have handed out messages by then. What is held for long has its
//! visibility timeout begun anew.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::Queue;
use super::held::Held;
use super::limits::{LANES, LOOKS, Limits, PAGE, WAIT, seconds};
use super::release::release;
use super::visibility::extend;
use crate::output::Progress;

/// What the next receive brought.
#[derive(Debug)]
pub(crate) enum Page {
    /// Messages that are held from now on; none of them was brought before.
    Messages(Vec<Message>),
    /// Nothing was visible, when so many messages had been deleted. What is deleted since then may have
    /// made others of its FIFO group visible.
    Empty { deleted: u64 },
    /// No more may be held.
    Full,
}

/// Messages of a queue that are ours for a while.
pub(crate) struct Intake<'a> {
    queue: &'a Queue,
    limits: Limits,
    held: Held,
    receives: FuturesUnordered<BoxFuture<'a, (u64, anyhow::Result<Vec<Message>>)>>,
    extensions: FuturesUnordered<BoxFuture<'a, (Vec<String>, Instant)>>,
    /// The ids of messages whose visibility timeout is to begin anew.
    to_extend: Vec<String>,
    pages: usize,
    deleted: u64,
    next_look: Instant,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(queue: &'a Queue, limits: Limits) -> Self {
        Self {
            queue,
            limits,
            held: Held::new(limits.visibility),
            receives: FuturesUnordered::new(),
            extensions: FuturesUnordered::new(),
            to_extend: Vec::new(),
            pages: 0,
            deleted: 0,
            next_look: Instant::now() + limits.visibility / LOOKS,
        }
    }

    /// What the next receive brings. Waits for ever if none is to begin and none has begun, but holds
    /// what is held meanwhile. It may be cancelled.
    ///
    /// # Errors
    /// When SQS does not answer. What is held is to be released nevertheless.
    pub(crate) async fn next(&mut self, may_begin: bool) -> anyhow::Result<Page> {
        // A short queue is not worth many receives at a time.
        while may_begin && self.receives.len() < LANES.min(1 + self.pages) {
            if self.held.len() + (self.receives.len() + 1) * PAGE > self.limits.in_flight {
                if self.receives.is_empty() {
                    return Ok(Page::Full);
                }
                break;
            }
            let (queue, deleted, visibility) = (self.queue, self.deleted, self.limits.visibility);
            let receive = async move { (deleted, receive(queue, visibility).await) };
            self.receives.push(receive.boxed());
        }
        loop {
            self.extend();
            tokio::select! {
                Some((ids, since)) = self.extensions.next() => self.held.extended(&ids, since),
                () = sleep_until(self.next_look) => self.look(),
                Some((deleted, page)) = self.receives.next() => return Ok(self.hold(deleted, page?)),
            }
        }
    }

    /// Whether messages may still come without another receive.
    pub(crate) fn is_receiving(&self) -> bool {
        !self.receives.is_empty()
    }

    /// The handle by which a message is deleted.
    pub(crate) fn receipt(&self, id: &str) -> Option<String> {
        self.held.receipt(id).cloned()
    }

    /// Takes note that a message was deleted.
    pub(crate) fn deleted(&mut self, id: &str) {
        self.held.remove(id);
        self.deleted += 1;
    }

    /// How many messages were deleted.
    pub(crate) fn count_deleted(&self) -> u64 {
        self.deleted
    }

    /// Makes all that is held visible again: of each FIFO group the first message last.
    ///
    /// # Errors
    /// When SQS does not release them. Then they are visible by their timeout.
    pub(crate) async fn release(mut self, progress: &Progress) -> anyhow::Result<()> {
        while let Some((_, page)) = self.receives.next().await {
            page.iter().flatten().for_each(|message| {
                self.held.add(message);
            });
        }
        // One that arrived after a release would undo it.
        while let Some((ids, since)) = self.extensions.next().await {
            self.held.extended(&ids, since);
        }
        release(self.queue, self.limits, self.held, progress).await
    }

    fn hold(&mut self, deleted: u64, page: Vec<Message>) -> Page {
        if page.is_empty() {
            self.pages = 0;
            return Page::Empty { deleted };
        }
        self.pages += 1;
        Page::Messages(page.into_iter().filter(|message| self.held.add(message)).collect())
    }

    /// Looks for messages that will soon be visible to others.
    fn look(&mut self) {
        self.next_look = Instant::now() + self.limits.visibility / LOOKS;
        // The next time is for those whose extension has not ended by then.
        if self.to_extend.is_empty() && self.extensions.is_empty() {
            self.to_extend = self.held.to_extend();
        }
    }

    /// Begins extensions, so many at a time.
    fn extend(&mut self) {
        while self.extensions.len() < LANES && !self.to_extend.is_empty() {
            let ids = self.to_extend.split_off(self.to_extend.len().saturating_sub(PAGE));
            let batch = self.held.newest(&ids);
            if !batch.is_empty() {
                self.extensions.push(extend(self.queue, batch, self.limits.visibility).boxed());
            }
        }
    }
}

async fn receive(queue: &Queue, visibility: Duration) -> anyhow::Result<Vec<Message>> {
    // A receive that is repeated because its answer was lost brings the same messages.
    let attempt = queue.is_fifo.then(|| Uuid::new_v4().to_string());
    let answer = queue
        .client
        .receive_message()
        .queue_url(&queue.url)
        .max_number_of_messages(i32::try_from(PAGE)?)
        .wait_time_seconds(seconds(WAIT))
        .visibility_timeout(seconds(visibility))
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All")
        .set_receive_request_attempt_id(attempt)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.messages.unwrap_or_default()),
        // Others hold so many that nothing more is handed out. A FIFO queue says it by an empty answer.
        Err(SdkError::ServiceError(error)) if error.err().is_over_limit() => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("receiving from {}", queue.name)),
    }
}
