//! Receives messages into free slots, and keeps them invisible while they are here.

pub(crate) mod arrival;
pub(crate) mod batch;
pub(crate) mod circuit_breaker;
pub(crate) mod heartbeat;
pub(crate) mod poller;
pub(crate) mod slots;
