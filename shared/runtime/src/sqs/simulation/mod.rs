//! The consumer against a queue that does what SQS documents, on a paused clock, with faults.
//!
//! A seed decides everything: the configuration, what is sent, what the handler does, what the queue
//! fails at, and when the process drains or crashes and is started again. A [`ledger`] checks, as it
//! happens, that nothing is deleted that nobody acknowledged and that groups keep their order, and
//! in the end that nothing was lost. The same seed gives the same trace, so a seed that fails can be
//! looked at.

mod connection;
mod dice;
mod faults;
mod handler;
mod ledger;
mod operations;
mod plan;
mod queue;
mod report;
mod run;
#[cfg(test)]
mod views;

#[cfg(test)]
pub(super) use queue::SimulatedQueue;
pub use report::Report;
pub use run::simulate;
