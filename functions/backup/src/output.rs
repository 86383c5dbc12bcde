//! What is written for people and for programs: results to the standard output, the rest to the other.

use std::io::{ErrorKind, IsTerminal as _, Write as _, stderr, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde::Serialize;

/// Between lines in a log.
const LINES: Duration = Duration::from_secs(10);

/// Writes a line of the result. Who read the results may have left, as `head` does.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes a result as a line of JSON.
pub(crate) fn json(result: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(result)?)
}

/// Writes what an operator should know beside the result.
pub(crate) fn note(text: &str) {
    // Nobody reads it if this fails.
    let _ = writeln!(stderr(), "note: {text}");
}

/// Writes an error.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    // Nobody reads it if this fails.
    let _ = writeln!(stderr(), "error: {error:#}");
    ExitCode::FAILURE
}

/// Bytes as people read them.
pub(crate) fn bytes(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

/// How far something is: a bar on a terminal, and a line now and then in a log.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    next_line: Option<Instant>,
}

impl Progress {
    /// Of so many bytes, if it is known.
    pub(crate) fn of(total: Option<u64>, what: &'static str) -> anyhow::Result<Self> {
        let template = match total {
            Some(_) => "{bar:30} {bytes} of {total_bytes} {msg}, {bytes_per_sec}, {eta} left",
            None => "{spinner} {bytes} {msg}, {bytes_per_sec}, {elapsed}",
        };
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = bar.with_style(ProgressStyle::with_template(template)?).with_message(what);
        let next_line = (!stderr().is_terminal()).then(|| Instant::now() + LINES);
        Ok(Self { bar, what, next_line })
    }

    pub(crate) fn advance(&mut self, by: usize) {
        self.bar.inc(by as u64);
        if self.next_line.is_some_and(|due| Instant::now() >= due) {
            self.next_line = Some(Instant::now() + LINES);
            let (position, what) = (bytes(self.bar.position()), self.what);
            let seconds = self.bar.elapsed().as_secs();
            note(&format!("{position} {what} in {seconds} seconds"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
