//! The SQS host: one handler, fed by long polling in a pod and by events in a Lambda.
//!
//! A message's way: a `poller` receives it into a free slot · the `batcher` coalesces receives
//! into handler batches · the `worker` follows its `claim_check`, decodes each delivery on its own,
//! opens its `spans`, and calls the handler in a task of its own · `action` turns verdicts into
//! actions, by the rules of redelivery and of FIFO groups · `settle` carries them out. Meanwhile a
//! `heartbeat` keeps the message invisible, and the `circuit_breaker` says whether messages are
//! received and handled. In a Lambda, `lambda_consumer` takes the place of pollers, batcher and
//! heartbeat: AWS does their work.

mod action;
mod arrival;
mod backoff;
mod batch;
mod batcher;
mod bounds;
mod call;
mod chunks;
mod circuit_breaker;
pub mod claim_check;
mod config;
mod consumer;
mod dead_letter;
mod delivery;
mod handler;
mod heartbeat;
mod lambda_consumer;
mod line;
mod lines;
mod poller;
mod queue;
mod queue_attributes;
mod retry_in_process;
mod settle;
#[cfg(any(test, feature = "simulation"))]
#[doc(hidden)]
pub mod simulation;
mod single;
mod slots;
mod spans;
#[cfg(test)]
mod tests;
mod verdict;
mod worker;

#[cfg(test)]
pub(crate) use {
    action::Rules, claim_check::ClaimChecks, dead_letter::DeadLetter, queue::Answer,
    queue_attributes::QueueAttributes,
};

/// The `maxReceiveCount` that a queue should have: what is said of outages is computed for it.
///
/// An outage costs a message two deliveries in a pod and up to nine in a Lambda, which cannot stop its
/// event source mapping. A message that always fails is a dead letter after some four minutes of
/// backoff; with more it would only live longer.
pub const MAX_RECEIVE_COUNT: u8 = 10;

pub use config::Config;
pub(crate) use consumer::Consumer;
pub use delivery::Delivery;
pub use handler::BatchHandler;
pub(crate) use lambda_consumer::LambdaConsumer;
pub(crate) use queue::{AwsQueue, Queue};
pub use single::{Each, Handler};
pub use verdict::{Reject, Retry, Verdict};
