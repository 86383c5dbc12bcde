//! The SQS host: one handler, fed by long polling in a pod and by events in a Lambda.
//!
//! A message's way: a `poller` receives it into a free slot · the `batcher` coalesces receives
//! into handler batches · the `worker` follows its `claim_check`, decodes each record on its own,
//! opens its `spans`, and calls the handler in a task of its own · `action` turns verdicts into
//! actions, by the rules of redelivery and of FIFO groups · `settle` carries them out. Meanwhile a
//! `heartbeat` keeps the message hidden, and `pacing` says whether more is received. `invoked` is
//! the shorter way in a Lambda: there, poller, batcher, heartbeat and pacing are AWS's business.

mod action;
mod arrival;
mod backoff;
mod batch;
mod batcher;
mod bounds;
mod call;
mod chunks;
pub mod claim_check;
mod config;
mod consumer;
mod dead_letter;
mod facts;
mod handler;
mod heartbeat;
mod invoked;
mod line;
mod lines;
mod pacing;
mod poller;
mod queue;
mod record;
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
    action::Rules, claim_check::Claims, dead_letter::DeadLetter, facts::Facts, queue::Answer,
};

pub use config::Config;
pub(crate) use consumer::Consumer;
pub use handler::BatchHandler;
pub(crate) use invoked::Invoked;
pub(crate) use queue::{AwsQueue, Queue};
pub use record::Record;
pub use single::{Each, Handler};
pub use verdict::{Reject, Retry, Verdict};
