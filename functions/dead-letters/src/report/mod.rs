//! What queues and their messages come to: printed by `command`, and served as JSON by `serve`.

mod changes;
mod dry_run;
mod groups;
mod message;
mod queues;
mod read;

pub(crate) use changes::Change;
pub(crate) use dry_run::{DryRun, dry_run};
pub(crate) use groups::{Group, Grouped, groups};
pub(crate) use message::{Searched, Shown, message};
pub(crate) use queues::{Listing, QueueRow, queues};
pub(crate) use read::{Reading, incomplete, read, why};
