//! How far a command is, for who looks at a terminal or reads a log.

use std::io::{IsTerminal as _, stdout};

use command_line::Lines;
use indicatif::{ProgressBar, ProgressStyle};

use super::{note, observer};

pub(crate) struct Progress {
    bar: ProgressBar,
    /// What becomes of messages.
    verb: &'static str,
    /// Where no bar is.
    lines: Lines,
}

impl Progress {
    /// Of a read of so many messages: as a bar on a terminal, and as a line now and then in a log.
    pub(crate) fn of(messages: u64) -> anyhow::Result<Self> {
        Self::with_template(messages, "read", "{bar:30} {pos}/{len} read, {eta} left{msg}")
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
        Self::new(ProgressBar::hidden(), "")
    }

    /// Of so many messages that are `sent`, say.
    pub(crate) fn moving(messages: u64, verb: &'static str) -> anyhow::Result<Self> {
        let template =
            format!("{{bar:30}} {{pos}}/{{len}} {verb}, {{per_sec}}, {{eta}} left{{msg}}");
        Self::with_template(messages, verb, &template)
    }

    fn with_template(messages: u64, verb: &'static str, template: &str) -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template(template)?;
        Ok(Self::new(ProgressBar::new(messages).with_style(style), verb))
    }

    fn new(bar: ProgressBar, verb: &'static str) -> Self {
        Self { bar, verb, lines: Lines::default() }
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
        let (position, length) = (self.bar.position(), self.bar.length().unwrap_or_default());
        observer::progress(position, length);
        if !self.verb.is_empty() && self.is_due() {
            let (rate, left) = (self.bar.per_sec(), self.bar.eta().as_secs());
            let verb = self.verb;
            note(&format!(
                "{position} of {length} {verb}, {rate:.0} a second, {left} seconds left"
            ));
        }
    }

    /// So many messages that were received are still to be made visible again.
    pub(crate) fn releasing(&self, left: usize) {
        let message = match left {
            0 => String::new(),
            left => format!("; {left} are being made visible again"),
        };
        self.bar.set_message(message);
        if left > 0 && self.is_due() {
            note(&format!("{left} messages are still to be made visible again"));
        }
    }

    /// Whether a line is due.
    fn is_due(&self) -> bool {
        self.bar.is_hidden() && self.lines.are_due()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use indicatif::ProgressDrawTarget;

    use super::*;
    use crate::output::{Observed, observed};

    #[tokio::test]
    async fn where_no_bar_is_a_line_says_now_and_then_what_is_read_and_what_is_held_still() {
        let (sender, seen) = tokio::sync::watch::channel(Observed::default());
        observed(sender, async {
            let mut progress = Progress::of(2).unwrap();
            progress.bar.set_draw_target(ProgressDrawTarget::hidden());
            progress.advance();
            progress.releasing(9);
            progress.lines = Lines::from(Instant::now());
            progress.advance();
            progress.lines = Lines::from(Instant::now());
            progress.releasing(8);
            progress.releasing(7);
        })
        .await;
        let notes = seen.borrow().notes.clone();
        assert!(notes[0].starts_with("2 of 2 read, "), "{notes:?}");
        assert_eq!(notes[1..], ["8 messages are still to be made visible again"]);
    }
}
