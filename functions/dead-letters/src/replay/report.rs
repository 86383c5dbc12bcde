//! What a run came to, for people and for programs.

use std::process::ExitCode;

use anyhow::Result;
use records::replays::{Run as Record, RunState};
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{self, note};

/// A run as it ended. Its members are what `replay --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Replayed {
    #[serde(flatten)]
    pub(super) run: Record,
    /// Messages that were sent to the dead-letter queue after the run had begun, and stay there.
    pub(super) newer: u64,
    #[serde(skip)]
    pub(super) queue_name: String,
    #[serde(skip)]
    pub(crate) exit_code: ExitCode,
}

impl Replayed {
    pub(crate) fn print(&self, json: bool) -> Result<()> {
        let (record, newer) = (&self.run, self.newer);
        let counts = record.counts;
        if json {
            output::json(self)?;
        } else {
            output::line(&format!("{} of {} were sent", counts.sent, self.queue_name))?;
        }
        let notes = [
            (counts.edited, "of them were edited"),
            (counts.perhaps_twice, "of them may have been sent twice"),
            (counts.returned, "came back"),
            (counts.failed, "could not be sent: `dead-letters runs RUN` says why"),
            (
                counts.held_back,
                "are held back, since an earlier one of their group is not replayed: replay or purge that \
             one, or use `--reorder`",
            ),
            (newer, "came after the run had begun, and stay"),
        ];
        for (count, what) in notes {
            if count > 0 {
                note(&format!("{count} {what}"));
            }
        }
        if record.state == RunState::Stopped {
            let why = record.stopped_because.as_deref().unwrap_or("stopped");
            note(&format!("stopped: {why}"));
            note(&format!("to go on: dead-letters replay --resume {}", record.run));
        }
        Ok(())
    }
}
