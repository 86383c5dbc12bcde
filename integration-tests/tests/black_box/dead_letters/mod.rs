//! Dead letters: with their reasons, as a worker leaves them, and as `dead-letters` shows them.

mod claimed;
mod cost;
mod export;
mod export_to_s3;
mod failures;
mod fifo;
mod filters;
mod fixture;
mod gateway;
mod guide;
mod import;
mod mixed;
mod native;
mod ours;
mod page;
mod purge;
mod queues;
mod reasons;
mod replay;
mod schemas;
mod screens;
mod standard;
mod stopping;
mod story;
mod tool;

pub(crate) use fixture::Fixture;
pub(crate) use reasons::dead_letters;
pub(crate) use tool::Tool;
