//! Redis as a service uses it that does without: it may be slow, empty, failed over or gone at any time.
//!
//! A failure costs its request at most the configured timeout. A circuit breaker keeps the others
//! from waiting for a Redis that does not answer, and a connection that is bad is made anew. All that
//! share a [`Redis`], such as the cache of `store` and `rate-limits`, share both.
//!
//! All keys of one request have one hash tag (`{tenant}`), so that in a cluster all that it needs is on
//! one node. There, each sixteenth of the slots has a circuit breaker of its own: a node that fails is
//! not felt by the tenants of the others.

mod breaker;
mod client;
mod config;
mod connection;
mod instruments;
mod this_machine;
mod url;

pub use client::{Redis, Request};
pub use config::Config;
pub use connection::{Mode, mode};
pub use instruments::INSTRUMENTS;
pub use this_machine::is_this_machine;
