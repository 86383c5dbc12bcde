//! The outbox as a relay sees it: facts that are committed and still to be published.
//!
//! A fact's row stays until every queue has taken the fact, and is then deleted: nothing that was
//! published is left to purge. The outbox has [`SHARDS`] shards, and a task's facts are in one of
//! them, in the order of `seq` (its row is locked while they are written). No other order is meant: a
//! transaction may commit a lower `seq` later than another a higher one.
//!
//! Statements name a shard by `BETWEEN` it and itself, and order by it: equality would let
//! PostgreSQL walk the primary key instead, past all pending facts of others.
//!
//! Several replicas share the shards by [leases](Outbox::lease). An [`Outbox`] is one replica's.

mod blocked;
mod floor;
mod gauges;
mod lease;
mod listener;
mod parked;
mod pending;
mod purge;
mod record;
mod repeat;
mod retry;
mod sent_floor;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::types::Uuid;

pub use blocked::{Blocked, Failure, Fault};
pub use lease::Lease;
pub use listener::OutboxListener;
pub use parked::{ParkedFact, ParkedFacts, ParkedFilter};
pub use pending::{PendingFact, TaskKey};

use self::floor::Floors;
use self::purge::Purged;
use self::retry::DueSince;
use self::sent_floor::SentFloors;
use crate::store::Store;

/// How many shards the outbox has: more replicas than that share nothing.
pub const SHARDS: usize = 16;

/// A relay's way to the outbox. Its statements are of every tenant.
#[derive(Debug)]
pub struct Outbox {
    id: Uuid,
    store: Store,
    lease: Duration,
    floors: Mutex<Floors>,
    sent_floors: Mutex<SentFloors>,
    due_since: Mutex<DueSince>,
    purged: Mutex<Purged>,
}

impl Outbox {
    /// A new replica's, whose leases last for `lease`. Nothing is leased yet.
    #[must_use]
    pub fn new(store: Store, lease: Duration) -> Self {
        Self {
            id: Uuid::new_v4(),
            store,
            lease,
            floors: Mutex::default(),
            sent_floors: Mutex::default(),
            due_since: Mutex::default(),
            purged: Mutex::default(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why nothing came of it: PostgreSQL cannot be reached, is overloaded or too slow. Try again later.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL is not available")]
pub struct OutboxError(#[from] sqlx::Error);
