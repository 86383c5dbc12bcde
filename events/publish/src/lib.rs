//! The producer's kit: what `docs/producers.md` requires of a producer, done.
//!
//! A [`Producer`] validates events against the contract, sets the FIFO identifiers, sends in batches
//! and in order, tries again what the queue did not take, and puts data that is too large for the
//! queue into S3. The command line `publish` ([`cli`]) is made of it. A program that sends a command is in
//! `docs/producers.md` and in `examples/producer.rs`.
//!
//! **Order.** Events of one task reach the queue in the order in which they were given. So a request
//! to the queue has no two of a task; and what follows an event of its task that the queue refused is
//! not sent. Events that break the contract are left out, and the others are sent all the same: see
//! [`Producer::check`] to know before.
//!
//! **Repeats.** Sending an event again, after an error or a crash, is harmless: its outcome is that of
//! the first.

mod answer;
mod arguments;
mod claim;
pub mod cli;
mod ids;
mod input;
mod message;
mod outcome;
mod pending;
mod producer;
mod report;

pub use outcome::{Refused, Report, SendError};
pub use producer::Producer;
