//! What AWS Lambda is to a function, in the tests of several crates.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test whose server fails has failed"
)]

mod api;
mod events;

pub use api::{LambdaApi, Outcome, TRACE};
pub use events::{Call, Sender};
