//! The SQS host: one batch handler, fed by long polling in a pod.
//!
//! A message's way: a `poller` receives it into a free slot · the `batcher` coalesces receives
//! into handler batches · the `worker` decodes each record on its own and calls the handler in a
//! task of its own · `action` turns verdicts into actions, by the rules of redelivery and of
//! FIFO groups · `settle` carries them out. Only the poller and the batcher are about pods.

mod action;
mod backoff;
mod batch;
mod batcher;
mod chunks;
mod config;
mod consumer;
mod dead_letter;
mod facts;
mod handler;
mod poller;
mod queue;
mod record;
mod settle;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod verdict;
mod worker;

pub use config::Config;
pub(crate) use consumer::Consumer;
pub use handler::BatchHandler;
pub(crate) use queue::AwsQueue;
pub use record::Record;
pub use verdict::{Reject, Retry, Verdict};
