//! The SQS host: one handler, fed by long polling in a pod and by events in a Lambda.
//!
//! A message passes these stages; each imports only those before it.
//!
//! 1. `queue`: the operations of SQS, a delivery, its claim check, its dead letter.
//! 2. `receive`: pollers fill free slots; a heartbeat keeps messages invisible; the circuit breaker
//!    stops both while a dependency is unavailable.
//! 3. `settle`: verdicts become actions, by the rules of redelivery and of FIFO groups; they are
//!    carried out.
//! 4. `handle`: receives are coalesced into batches, decoded, passed to the handler, and settled.
//! 5. `consumer` connects them in a pod. In a Lambda, `lambda_consumer` does without the second:
//!    AWS does that work.

mod config;
mod consumer;
mod handle;
mod handler;
mod lambda_consumer;
mod queue;
mod receive;
mod settle;
#[cfg(any(test, feature = "simulation"))]
#[doc(hidden)]
pub mod simulation;
mod single;
#[cfg(test)]
mod tests;
mod verdict;

#[cfg(test)]
pub(crate) use queue::{
    Answer, attributes::QueueAttributes, claim_check::ClaimChecks, dead_letter::DeadLetter,
    rules::Rules,
};

/// The `maxReceiveCount` that a queue should have: what is said of outages is computed for it.
///
/// An outage costs a message two deliveries in a pod and up to nine in a Lambda, which cannot stop its
/// event source mapping. A message that always fails is a dead letter after some four minutes of
/// backoff; with more it would only live longer.
pub const MAX_RECEIVE_COUNT: u8 = 10;

pub use config::Config;
pub(crate) use consumer::Consumer;
pub(crate) use handle::parts::Parts;
pub use handler::{BatchHandler, Origin};
pub(crate) use lambda_consumer::LambdaConsumer;
pub(crate) use queue::{Queue, aws::AwsQueue};
pub use queue::{
    batch_calls::{MOST_ENTRIES, cut_batches},
    claim_check,
    delivery::Delivery,
};
pub use single::{Each, Handler};
pub use verdict::{Reject, Retry, Verdict};
