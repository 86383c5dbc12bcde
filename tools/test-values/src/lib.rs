//! Values for the tests of several crates. It imports none of ours, so that any of them may use it.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test without its input has failed"
)]

pub mod hostile;
pub mod schema;
