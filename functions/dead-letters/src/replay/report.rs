//! What a run came to, for people and for programs.

use anyhow::Result;
use records::replays::{Run as Record, RunState};
use serde::Serialize;

use super::Run;
use super::state::State;
use crate::output::{self, note};

/// What `replay --json` prints.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    run: &'a Record,
    /// Messages that were sent to the dead-letter queue after the run had begun, and stay there.
    newer: u64,
}

pub(super) fn report(run: &Run<'_>, state: &State, json: bool) -> Result<()> {
    let (record, newer) = (&state.record, state.newer);
    let counts = record.counts;
    if json {
        output::json(&Report { run: record, newer })?;
    } else {
        output::line(&format!("{} of {} were sent", counts.sent, run.queue.name))?;
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
