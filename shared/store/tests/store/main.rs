//! The store on a real PostgreSQL and a real Redis, each test with a database of its own.
//!
//! Run by `make test`, which starts the servers.
#![expect(clippy::expect_used, reason = "a test without its input has failed")]
#![expect(clippy::panic, reason = "a test that gets what it must not has failed")]
#![expect(clippy::indexing_slicing, reason = "a test that looks for what is not there has failed")]
#![expect(clippy::disallowed_methods, reason = "what a test looks up need not compile in advance")]

mod apply;
mod attachments;
mod backups;
mod cache;
mod cached;
mod callers;
mod failover;
mod fixture;
mod freshness;
mod frozen;
mod limits;
mod lists;
mod local;
mod migrations;
mod outbox;
mod outbox_blocked;
mod outbox_facts;
mod outbox_floor;
mod outbox_leases;
mod outbox_sleep;
mod pages;
mod parked;
mod poolers;
mod processed;
mod proxy;
mod races;
mod redis_cluster;
mod redis_faults;
mod requests;
mod rotation;
mod round_trips;
mod standby;
mod tenants;
mod tls;
mod unreadable;
mod whole;
