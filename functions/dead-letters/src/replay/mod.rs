//! Puts messages of a dead-letter queue back.
//!
//! | file | what |
//! |---|---|
//! | `begin` | how a run begins, and how it is resumed |
//! | `pass` | one way through the queue: receives, selects, and starts batches |
//! | `transfer` | the steps of a batch: claim, edit, send, record, delete |
//! | `outgoing` | a message as its producer sent it |
//! | `targets` | to which queue it goes |
//! | `watch` | what became of the messages of a stage |
//! | `state` | what is known of the run so far |

mod begin;
mod outgoing;
mod pass;
mod rate;
mod report;
mod state;
mod targets;
mod transfer;
mod watch;

pub(crate) use report::Replayed;
pub(crate) use targets::Targets;

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use begin::{Setup, begun, resumed};
use causes::with_causes;
use chrono::{DateTime, Utc};
use pass::{Passed, Which, pass};
use rate::Rate;
use state::{State, Stop};
use watch::watch;

use crate::arguments::ReplayArguments;
use crate::dead_letter::DeadLetter;
use crate::edit::Editor;
use crate::effects::Effects;
use crate::filter::Filter;
use crate::ledger::{Lease, Ledger, ended_run};
use crate::output::{Progress, note};
use crate::queue::{Interrupt, Queue};

/// For what becomes of a canary, if nothing else is asked for.
const WAIT: Duration = Duration::from_mins(2);

/// The unchanging part of a run.
struct Run<'a> {
    id: String,
    queue: &'a Queue,
    targets: Targets,
    filter: Filter,
    /// The ids of a random sample, if one is wanted.
    chosen: Option<HashSet<String>>,
    started_at: DateTime<Utc>,
    reorders: bool,
    wait: Duration,
    accepts_silence: bool,
    ledger: &'a Ledger,
    lease: Lease,
    editor: Option<Editor>,
    effects: Option<Effects>,
    s3: aws_sdk_s3::Client,
}

impl Run<'_> {
    fn selects(&self, dead_letter: &DeadLetter) -> bool {
        let is_chosen = |ids: &HashSet<String>| ids.contains(&dead_letter.summary.message_id);
        self.chosen.as_ref().is_none_or(is_chosen) && self.filter.fits(dead_letter, self.started_at)
    }

    /// Whether a message must not be sent before an earlier one of its group.
    fn keeps_order(&self) -> bool {
        self.queue.is_fifo && !self.reorders
    }
}

/// Replays what a command line asks for, or goes on with a run. `words` are the command line without the
/// program's name.
pub(crate) async fn replay(
    aws: &SdkConfig,
    client: &Client,
    given: &ReplayArguments,
    words: &[String],
    interrupt: &mut Interrupt,
) -> Result<Replayed> {
    let ledger = Ledger::open(&given.ledger, aws)?;
    let lease = Lease::new();
    let (record, setup) = match &given.resume {
        Some(id) => resumed(client, &ledger, &lease, id, given.take_over).await?,
        None => begun((aws, client), &ledger, &lease, interrupt, (given, words)).await?,
    };
    let Setup { asked, queue, targets, editor, effects, sent_before } = setup;
    // How fast, and how long to wait, may be asked for anew.
    let rate = Rate::new(given.rate.or(asked.rate));
    let total = asked.which.limit.unwrap_or(queue.depth.visible);
    let is_interactive = editor.as_ref().is_some_and(Editor::is_interactive);
    let progress =
        if is_interactive { Progress::hidden() } else { Progress::moving(total, "sent")? };
    let mut state = State::new(record, sent_before, rate, progress);
    let run = Run {
        id: state.record.run.clone(),
        targets,
        queue: &queue,
        filter: asked.which.filter(),
        chosen: state.record.chosen.clone().map(HashSet::from_iter),
        started_at: state.record.started_at,
        reorders: asked.reorder,
        wait: given.wait.or(asked.wait).map_or(WAIT, Duration::from_secs),
        accepts_silence: given.accept_silence || asked.accept_silence,
        ledger: &ledger,
        lease,
        editor,
        effects,
        s3: objects::client(aws),
    };
    let stop = stages(&run, &mut state, interrupt, &asked).await;
    Ok(end(&run, state, stop).await)
}

/// Stage by stage, and then everything.
async fn stages(
    run: &Run<'_>,
    state: &mut State,
    interrupt: &mut Interrupt,
    asked: &ReplayArguments,
) -> Result<Option<Stop>> {
    let limit = asked.which.limit.unwrap_or(u64::MAX);
    let left = |state: &State| limit.saturating_sub(state.record.counts.sent);
    let sent_before = std::mem::take(&mut state.sent_before);
    let mut before = Vec::new();
    if !sent_before.is_empty() {
        let Passed { sent, stop, .. } =
            pass(run, state, interrupt, Which::SentBefore(&sent_before)).await?;
        if stop.is_some() {
            return Ok(stop);
        }
        before = sent;
    }
    let passed = usize::try_from(state.record.stages_passed)?;
    for stage in asked.stages().into_iter().skip(passed) {
        let which = Which::Selected(stage.min(left(state)));
        let Passed { mut sent, has_more, stop } = pass(run, state, interrupt, which).await?;
        if stop.is_some() {
            return Ok(stop);
        }
        sent.append(&mut before);
        note(&format!("{} were sent. Waiting for what becomes of them", sent.len()));
        if let Some(stop) = watch(run, state, interrupt, &sent).await? {
            return Ok(Some(stop));
        }
        state.record.stages_passed += 1;
        run.ledger.renew(&state.record, &run.lease).await?;
        if !has_more {
            return Ok(None);
        }
    }
    let which = Which::Selected(left(state));
    Ok(pass(run, state, interrupt, which).await?.stop)
}

/// Writes how a run ended.
async fn end(run: &Run<'_>, mut state: State, stop: Result<Option<Stop>>) -> Replayed {
    let stop = stop.unwrap_or_else(|error| Some(Stop::Failed(error)));
    state.record = ended_run(state.record, stop.as_ref().map(ToString::to_string));
    if let Err(error) = run.ledger.renew(&state.record, &run.lease).await {
        let error = with_causes(error.as_ref());
        note(&format!("the ledger does not know how the run ended: {error}"));
    }
    let counts = state.record.counts;
    let exit_code = match stop {
        Some(Stop::Canary(_)) => ExitCode::from(3),
        Some(_) => ExitCode::FAILURE,
        None if counts.failed + counts.held_back > 0 => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    };
    let queue = run.queue.name.clone();
    Replayed { newer: state.newer(), run: state.record, queue_name: queue, exit_code }
}
