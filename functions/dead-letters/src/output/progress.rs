//! How far a read is, for who looks at a terminal.

use std::io::{IsTerminal as _, stdout};

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of so many messages, if the standard error is a terminal.
    pub(crate) fn of(messages: u64) -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} read, {eta} left")?;
        Ok(Self(ProgressBar::new(messages).with_style(style)))
    }

    /// The same, unless the results appear on the terminal meanwhile: they are progress enough.
    pub(crate) fn beside_results(messages: u64) -> anyhow::Result<Self> {
        if stdout().is_terminal() { Ok(Self(ProgressBar::hidden())) } else { Self::of(messages) }
    }

    pub(crate) fn advance(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
