//! SQS messages, as those who handle them and those who look after them both need to know them.

mod attribute;
mod gone;

pub use attribute::Attribute;
pub use gone::{INVALID_HANDLE, is_gone};

/// The attribute of a dead letter that holds the reason's code.
pub const REASON: &str = "DeadLetterReason";
/// The attribute of a dead letter that holds everything else that is known of it, in JSON.
pub const DETAILS: &str = "DeadLetter";
