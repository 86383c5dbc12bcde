//! What the user sees while the stack works: on a terminal a spinner per step, else a line.
//! It all goes to standard error; standard output is for results and logs.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(100);

/// Reports steps.
#[derive(Debug)]
pub(crate) struct Console {
    terminal: bool,
    steps: MultiProgress,
}

/// A step that has begun; [`Step::done`] reports its end. Dropped without it, the step failed.
#[derive(Debug)]
pub(crate) struct Step {
    bar: Option<ProgressBar>,
}

impl Console {
    /// A console for standard error, whatever that is.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { terminal: stderr().is_terminal(), steps: MultiProgress::new() }
    }

    /// Begins a step.
    #[must_use]
    pub(crate) fn step(&self, text: &str) -> Step {
        if !self.terminal {
            self.say(text);
            return Step { bar: None };
        }
        let bar = self.steps.add(ProgressBar::new_spinner().with_message(text.to_owned()));
        bar.set_style(style("{spinner:.cyan} {msg} {elapsed:.dim}"));
        bar.enable_steady_tick(TICK);
        Step { bar: Some(bar) }
    }

    /// Says a line or more.
    pub(crate) fn say(&self, text: &str) {
        // A closed standard error must not stop the stack.
        let _ = self.steps.suspend(|| writeln!(stderr(), "{text}"));
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Step {
    /// The step went well.
    pub(crate) fn done(self) {
        if let Some(bar) = &self.bar {
            bar.set_style(style("{prefix:.green} {msg} {elapsed:.dim}"));
            bar.set_prefix("✓");
            bar.abandon();
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take().filter(|bar| !bar.is_finished()) {
            bar.set_style(style("{prefix:.red} {msg} {elapsed:.dim}"));
            bar.set_prefix("✗");
            bar.abandon();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
