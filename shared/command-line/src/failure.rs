//! How a command ends that did not succeed.

use std::io::Write as _;
use std::process::ExitCode;

use causes::with_causes;

use crate::text::printable;

/// Who read the results has left, as `head` does. An error of the network may have the same cause, so
/// this one has a type.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the results")]
pub(crate) struct ReaderLeft;

/// Writes an error with its causes. Nothing, and it is none, if who read the results has left.
#[must_use]
pub fn failure(error: &anyhow::Error) -> ExitCode {
    if error.is::<ReaderLeft>() {
        return ExitCode::SUCCESS;
    }
    // Nobody reads it if this fails.
    let _ = writeln!(anstream::stderr(), "error: {}", printable(&with_causes(error.as_ref())));
    ExitCode::FAILURE
}
