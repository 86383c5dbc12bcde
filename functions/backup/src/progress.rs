//! How far a dump or a restore is.

use command_line::{Lines, note};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

/// Of bytes: a bar on a terminal, and a line now and then in a log.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    lines: Lines,
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
        Ok(Self { bar, what, lines: Lines::default() })
    }

    pub(crate) fn advance(&self, by: usize) {
        self.bar.inc(by as u64);
        if self.bar.is_hidden() && self.lines.are_due() {
            let (position, what) = (HumanBytes(self.bar.position()), self.what);
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
