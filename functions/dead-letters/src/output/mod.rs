//! What is written for people and for programs. Who watches a command that runs on no terminal sees it, too.

mod json;
mod observer;
mod progress;
mod text;

pub(crate) use command_line::{bytes, json, line, printable};
pub(crate) use json::indented;
pub(crate) use observer::{Observed, observed};
pub(crate) use progress::Progress;
pub(crate) use text::{age, or_dash};

use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::mistake::Mistake;

/// Of headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// Of reasons.
pub(crate) const REASON: Style = AnsiColor::Red.on_default();

/// As clap has it.
const WRONG_USAGE: u8 = 2;

/// Writes what an operator should know beside the result.
pub(crate) fn note(text: &str) {
    command_line::note(text);
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

/// Writes an error, and whose it is: the command line's, if it is a [`Mistake`].
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    let code = command_line::failure(error);
    if error.is::<Mistake>() { ExitCode::from(WRONG_USAGE) } else { code }
}
