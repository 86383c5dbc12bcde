//! Access to PostgreSQL and Redis, for every function that reads or writes tasks.
//!
//! - [`Store::apply`] is the write path: a batch of commands takes effect exactly once, in one
//!   transaction and a constant number of round trips, whatever the size of the batch.
//! - [`Store::task`] and [`Store::tasks`] are the reads; the first goes through the cache.
//! - [`Store::attach`] and the methods beside it keep what is known of attachments.
//! - [`Outbox`] is a relay's way to the facts that the write path left.
//! - [`migrate`] brings the schema up to date.
//!
//! PostgreSQL holds the truth. Redis holds copies and may be slow, empty or gone at any time: that
//! costs time, never correctness.

mod apply;
mod attachments;
mod cache;
mod config;
mod error;
mod fold;
mod inbox;
mod list;
mod load;
mod migrate;
mod outbox;
mod read;
mod store;
mod write;

pub use apply::Receipt;
pub use attachments::Attached;
pub use config::{Config, Owner};
pub use error::{ApplyError, ReadError};
pub use inbox::{CommandKey, Fingerprint, Incoming, Outcome, fingerprint};
pub use list::{Filter, Page, Sort, SortKey, Start, TitleText};
pub use migrate::{MIGRATOR, migrate};
pub use outbox::{Lease, Outbox, OutboxError, SHARDS, UntoldFact, Wake};
pub use read::TaskBody;
pub use store::Store;
