//! What is written for people and for programs: results to the standard output, the rest to the other.

mod json;
mod observer;
mod progress;
mod text;

pub(crate) use json::indented;
pub(crate) use observer::{Observed, observed};
pub(crate) use progress::Progress;
pub(crate) use text::{age, or_dash, printable};

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use causes::with_causes;
use serde::Serialize;

use crate::mistake::Mistake;

/// Of headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// Of reasons.
pub(crate) const REASON: Style = AnsiColor::Red.on_default();

/// As clap has it.
const WRONG_USAGE: u8 = 2;

/// Who read the results has left, as `head` does. An error of the network may have the same cause, so
/// this one has a type.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the results")]
struct ReaderLeft;

/// Writes a line of the result, in colour if a terminal reads it.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(anstream::stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderLeft.into()),
        written => Ok(written?),
    }
}

/// Writes a part of the result as it is.
pub(crate) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderLeft.into()),
        written => Ok(written?),
    }
}

/// Writes a result as a line of JSON.
pub(crate) fn json(result: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(result)?)
}

/// Writes what an operator should know beside the result.
pub(crate) fn note(text: &str) {
    // Nobody reads it if this fails.
    let _ = writeln!(anstream::stderr(), "note: {text}");
    observer::note(text);
}

/// Writes several of them.
pub(crate) fn notes(texts: &[String]) {
    for text in texts {
        note(text);
    }
}

/// Writes what is to be answered on the same line.
pub(crate) fn prompt(text: &str) {
    let mut stderr = anstream::stderr();
    // Nobody answers if this fails.
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

/// Writes an error, and whose it is: the command line's, if it is a [`Mistake`]. Nothing, if it is [`ReaderLeft`].
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    if error.is::<ReaderLeft>() {
        return ExitCode::SUCCESS;
    }
    // Nobody reads it if this fails.
    let _ = writeln!(anstream::stderr(), "error: {}", printable(&with_causes(error.as_ref())));
    if error.is::<Mistake>() { ExitCode::from(WRONG_USAGE) } else { ExitCode::FAILURE }
}
