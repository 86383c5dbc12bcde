//! Handles batches: coalesced, split where messages must be handled alone, and passed to the handler.

pub(crate) mod batcher;
mod bounds;
mod call;
mod interruption;
mod last_delivery;
mod outcome;
pub(crate) mod parts;
mod retry_in_process;
mod sequence;
mod spans;
mod split;
pub(crate) mod worker;
