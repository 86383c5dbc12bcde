//! Tasks, the commands that change them and the rules that decide.
//!
//! Everything here is pure: no I/O, no clock, no randomness. The write path folds commands over
//! tasks in memory with [`decide`], so whatever these rules say holds for a command from a queue
//! and for one from HTTP alike, and is tested here without a database.
//!
//! The value types ([`Title`], [`Tag`], ...) cannot hold an invalid value: they are built by
//! parsing, also by serde, and they describe themselves as JSON Schema. [`limits`] is the one
//! place where sizes are set.

mod actor;
mod attachment;
mod command;
mod decide;
mod fact;
pub mod json;
pub mod limits;
mod line;
mod newtype;
pub mod portable;
mod refusal;
mod tags;
mod task;
mod text;
pub mod time;
mod values;

pub use attachment::{
    Attachment, AttachmentId, AttachmentKey, AttachmentSize, AttachmentState, Mismatch,
    NewAttachment, Sha256,
};
pub use command::{
    Action, AssignTask, ChangeTags, Command, CreateTask, Expected, Patch, TaskPatch, UpdateTask,
};
pub use decide::{Decision, decide};
pub use fact::Fact;
pub use line::{NewAttachmentName, NewTitle, normal};
pub use refusal::Refusal;
pub use tags::Tags;
pub use task::{Priority, Status, Task};
pub use text::{Actor, Assignee, AttachmentName, ContentType, Description, Tag, TenantId, Title};
pub use time::{Timestamp, timestamp};
pub use values::{DueDate, Invalid, TaskId, Version};
