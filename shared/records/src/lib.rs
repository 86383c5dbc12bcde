//! What is kept beside PostgreSQL, in DynamoDB and S3: what is appended, polled or large.
//!
//! - [`History`]: every version that a task ever had, projected from the facts.
//! - [`Operations`]: the outcomes of writes that were accepted to be applied later.
//! - [`replays`]: the ledger of replays of dead letters.
//! - [`AttachmentBucket`]: the files of attachments, which their owners send and fetch themselves.
//!
//! Nothing here decides: PostgreSQL holds the truth, and these tables can be filled again from the
//! facts. The crate `resources` describes what they look like.

mod attachments;
mod available;
mod history;
mod operation;
mod operation_id;
mod operation_item;
mod operations;
pub mod replays;
mod statements;

pub use attachments::{AttachmentBucket, BucketUnavailable, Object, Signed, parse_object_key};
pub use history::{Change, Config as HistoryConfig, Entry, History, HistoryPage};
pub use operation::{Ending, Operation, State};
pub use operation_id::{NoOperationId, OperationId};
pub use operations::{Acceptance, Config as OperationsConfig, Operations};
pub use statements::Failure;

#[cfg(test)]
mod tests {
    use resources::resources;

    use crate::statements::EXPIRES_AT;

    #[test]
    fn items_expire_by_the_attribute_that_is_described() {
        let tables = &resources().tables;
        for table in [&tables.operations, &tables.replays] {
            assert_eq!(table.time_to_live_attribute.as_deref(), Some(EXPIRES_AT), "{}", table.name);
        }
    }
}
