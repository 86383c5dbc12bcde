//! Results and notes.

use std::io::{ErrorKind, Result as Written, Write as _};

use serde::Serialize;

use crate::failure::ReaderLeft;

/// Writes a line of the result, in colour if a terminal reads it.
///
/// # Errors
/// When it cannot be written. Who read the results may have left, as `head` does: [`crate::failure`] knows
/// that error, and prints nothing.
pub fn line(text: &str) -> anyhow::Result<()> {
    ended(writeln!(anstream::stdout().lock(), "{text}"))
}

/// Writes a part of the result as it is.
///
/// # Errors
/// As [`line()`].
pub fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    ended(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes a result as a line of JSON.
///
/// # Errors
/// As [`line()`].
pub fn json(result: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(result)?)
}

/// Writes what an operator should know beside the result.
pub fn note(text: &str) {
    // Nobody reads it if this fails.
    let _ = writeln!(anstream::stderr(), "note: {text}");
}

fn ended(written: Written<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderLeft.into()),
        written => Ok(written?),
    }
}
