//! The operations of SQS that a consumer uses.
//!
//! A trait, so that the consumer's rules are tested against a queue that fails, delays and repeats
//! at will, on a paused clock.

pub(crate) mod attributes;
pub(crate) mod aws;
pub(crate) mod batch_calls;
pub mod claim_check;
pub(crate) mod dead_letter;
pub(crate) mod delivery;
pub(crate) mod rules;

use attributes::QueueAttributes;
use claim_check::ClaimChecks;
use dead_letter::DeadLetter;
use delivery::Delivery;

/// The answer to a batch: the entries that failed, or an error if none was even tried.
pub(crate) type Answer = anyhow::Result<Vec<Failure>>;

/// An entry that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Its position in the batch.
    pub(crate) index: usize,
    /// SQS's code, such as `InternalError`.
    pub(crate) code: String,
    /// Whether trying the same again is futile.
    pub(crate) futile: bool,
}

/// A queue and its dead-letter queue. Batches have ten entries at most.
pub(crate) trait Queue: Send + Sync + 'static {
    /// Long-polls for at most `max` messages.
    fn receive(&self, max: u16) -> impl Future<Output = anyhow::Result<Vec<Delivery>>> + Send;

    /// Deletes messages by receipt handle. In a standard queue one that is gone already counts as
    /// deleted. In a FIFO queue an invalid receipt handle has expired, and is a futile failure: its
    /// message may be handed out again.
    fn delete(&self, handles: &[String]) -> impl Future<Output = Answer> + Send;

    /// Keeps messages, by receipt handle, invisible for some more seconds. One that is gone already,
    /// or visible, counts as done.
    fn change_visibility(&self, waits: &[(String, i32)]) -> impl Future<Output = Answer> + Send;

    /// Keeps messages that are being handled invisible for that many seconds from now. One that is
    /// gone is a futile failure.
    fn extend(&self, handles: &[String], seconds: i32) -> impl Future<Output = Answer> + Send;

    /// Sends to the dead-letter queue.
    fn send_dead_letters(&self, dead_letters: &[DeadLetter])
    -> impl Future<Output = Answer> + Send;

    /// Its name and rules.
    fn attributes(&self) -> &QueueAttributes;

    /// Redeems claim checks: bodies that are too large for the queue.
    fn claim_checks(&self) -> &ClaimChecks;
}
