//! Access to PostgreSQL and Redis, for every function that reads or writes tasks.
//!
//! - [`Store::apply`] is the write path: a batch of commands takes effect exactly once, in one
//!   transaction and a constant number of round trips, whatever the size of the batch.
//!   [`Store::apply_request`] is the same for the commands of an HTTP request.
//! - [`Store::read`] and [`Store::page`] are the reads, through the caches: Redis, and before it, for
//!   single tasks, this process ([`Store::with_local_cache`]).
//! - [`Store::attach`] and the methods beside it keep what is known of attachments.
//! - [`ProcessedCommands`] is an operator's way to what became of commands.
//! - [`Outbox`] is a relay's way to the facts that the write path left, [`ParkedFacts`] an operator's
//!   way to those that a queue refuses.
//! - [`backup`] is what a dump and a restore need beside PostgreSQL's own programs.
//! - [`migrate`] brings the schema up to date.
//!
//! PostgreSQL holds the truth. Redis holds copies and may be slow, empty or gone at any time: that
//! costs time, never correctness.
//!
//! [`INSTRUMENTS`] are its metrics. Each row that was met and could not be read is counted and logged
//! with its identifier.

mod apply;
mod attachments;
pub mod backup;
mod basis;
mod cache;
mod config;
mod database_url;
mod error;
mod fold;
mod inbox;
mod instruments;
mod list;
mod load;
mod migrate;
mod outbox;
mod pool;
mod processed;
mod read;
mod request;
mod store;
mod stored;
mod write;

pub use attachments::{Announcer, Attached, Attachments, Deletion};
pub use cache::{InvalidationListener, Source, TaskBody};
pub use config::{Config, LocalConfig, Owner};
pub use database_url::DatabaseUrl;
pub use error::{ApplyError, ReadError};
pub use inbox::{CommandKey, Fingerprint, Incoming, Outcome, Receipt, RequestKey, fingerprint};
pub use instruments::{INSTRUMENTS, OUTBOX_INSTRUMENTS};
pub use list::{Filter, Page, PageBody, Sort, SortKey, Start, TitleText};
pub use migrate::{MIGRATOR, migrate, migrate_with};
pub use outbox::{
    Blocked, Failure, Fault, Lease, Outbox, OutboxError, OutboxListener, ParkedFact, ParkedFacts,
    ParkedFilter, PendingFact, SHARDS, TaskKey,
};
pub use processed::{ProcessedCommand, ProcessedCommands, ProcessedResult, Sought};
pub use read::Freshness;
pub use store::Store;
