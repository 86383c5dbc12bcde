//! What is known of attachments: rows here, objects in S3, and no transaction over both.
//!
//! So the row leads: it is there before its object can be uploaded, and is marked as deleted before
//! its object is removed. An object without a row is nobody's, and a row goes only after its object.
//! A task that is deleted marks its attachments in the same transaction.

mod change;
mod delete;
mod read;
mod sweep;
mod verify;

pub use change::{Announcer, Attached};
pub use delete::Deletion;
pub use read::Attachments;
