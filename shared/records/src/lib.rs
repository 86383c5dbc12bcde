//! What is kept beside PostgreSQL, in DynamoDB and S3: what is appended, polled or large.
//!
//! - [`History`]: every version that a task ever had, projected from the facts.
//! - [`Operations`]: the outcomes of writes that were accepted to be applied later.
//! - [`replays`]: the ledger of replays of dead letters.
//! - [`AttachmentBucket`]: the files of attachments, which their owners send and fetch themselves.
//!
//! Nothing here decides: PostgreSQL holds the truth, and these tables can be filled again from the
//! facts. [`tables`] says what they look like, for whoever creates them.

mod attachments;
mod available;
mod history;
mod operation;
mod operation_id;
mod operation_item;
mod operations;
pub mod replays;
mod statements;
pub mod tables;

pub use attachments::{AttachmentBucket, BucketUnavailable, Object, Signed, parse_object_key};
pub use history::{Change, Config as HistoryConfig, Entry, History, HistoryPage};
pub use operation::{Ending, Operation, State};
pub use operation_id::{NoOperationId, OperationId};
pub use operations::{Acceptance, Config as OperationsConfig, Operations};
pub use statements::Failure;
