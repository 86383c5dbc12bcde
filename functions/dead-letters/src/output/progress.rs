//! How far a command is, for who looks at a terminal or reads a log.

use std::io::{IsTerminal as _, stderr, stdout};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{note, observer};

/// Between lines in a log.
const LINES: Duration = Duration::from_secs(10);

pub(crate) struct Progress {
    bar: ProgressBar,
    /// What becomes of messages.
    verb: &'static str,
    /// When the next line is due, in a log.
    next_line: Option<Mutex<Instant>>,
}

impl Progress {
    /// Of a read of so many messages, if the standard error is a terminal.
    pub(crate) fn of(messages: u64) -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} read, {eta} left")?;
        Ok(Self {
            bar: ProgressBar::new(messages).with_style(style),
            verb: "read",
            next_line: None,
        })
    }

    /// The same, unless the results appear on the terminal meanwhile: they are progress enough.
    pub(crate) fn beside_results(messages: u64) -> anyhow::Result<Self> {
        if stdout().is_terminal() {
            return Ok(Self::hidden());
        }
        Self::of(messages)
    }

    /// None, where something else is on the terminal.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), verb: "", next_line: None }
    }

    /// Of so many messages that are `sent`, say: as a bar on a terminal, and as a line now and then in a log.
    pub(crate) fn moving(messages: u64, verb: &'static str) -> anyhow::Result<Self> {
        let template = format!("{{bar:30}} {{pos}}/{{len}} {verb}, {{per_sec}}, {{eta}} left");
        let style = ProgressStyle::with_template(&template)?;
        let bar = ProgressBar::new(messages).with_style(style);
        let next_line = (!stderr().is_terminal()).then(|| Mutex::new(Instant::now() + LINES));
        Ok(Self { bar, verb, next_line })
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
        let (position, length) = (self.bar.position(), self.bar.length().unwrap_or_default());
        observer::progress(position, length);
        let Some(next_line) = &self.next_line else { return };
        let mut next_line = next_line.lock().unwrap_or_else(PoisonError::into_inner);
        if Instant::now() >= *next_line {
            *next_line = Instant::now() + LINES;
            let (rate, left) = (self.bar.per_sec(), self.bar.eta().as_secs());
            let verb = self.verb;
            note(&format!(
                "{position} of {length} {verb}, {rate:.0} a second, {left} seconds left"
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
