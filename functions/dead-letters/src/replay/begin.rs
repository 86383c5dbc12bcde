//! How a run begins, and how it is resumed.

use std::collections::HashSet;
use std::ops::ControlFlow;

use anyhow::{Context as _, Result, bail};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use command_line::now;
use records::replays::{Counts, MessageState, Run as Record, RunState};
use uuid::Uuid;

use super::Targets;
use crate::arguments::{ReplayArguments, parse_replay};
use crate::dead_letter::DeadLetter;
use crate::edit::Editor;
use crate::effects::Effects;
use crate::ledger::{Lease, Ledger, new_run};
use crate::output::{Progress, note};
use crate::queue::{End, Interrupt, Queue, Reference, find, peek, reference};
use crate::reservoir::Reservoir;

/// Messages of a random sample.
const MOST_CHOSEN: usize = 1_000;

/// What a run needs that was asked for, found once.
pub(super) struct Setup {
    pub(super) asked: ReplayArguments,
    pub(super) queue: Queue,
    pub(super) targets: Targets,
    pub(super) editor: Option<Editor>,
    pub(super) effects: Option<Effects>,
    /// Of a run that is resumed: the ids of messages that were sent, and perhaps not deleted.
    pub(super) sent_before: HashSet<Uuid>,
}

impl Setup {
    pub(super) async fn find(
        client: &Client,
        asked: ReplayArguments,
        queue: &Reference,
    ) -> Result<Self> {
        let queue = find(client, queue).await?;
        let targets = Targets::find(&queue, &asked).await?;
        let editor = Editor::from_arguments(&asked.edit)?;
        let effects = Effects::from_environment().await?;
        let sent_before = HashSet::new();
        Ok(Self { asked, queue, targets, editor, effects, sent_before })
    }
}

/// Sets up and begins a run: nothing is written for what cannot begin.
pub(super) async fn begun(
    (aws, client): (&SdkConfig, &Client),
    ledger: &Ledger,
    lease: &Lease,
    interrupt: &mut Interrupt,
    (given, words): (&ReplayArguments, &[String]),
) -> Result<(Record, Setup)> {
    let (Some(queue), Some(why)) = (&given.queue, &given.why) else {
        bail!("a queue and `--why` are needed")
    };
    let setup = Setup::find(client, given.clone(), queue).await?;
    let chosen = match given.which.sample {
        Some(most) => Some(choose(&setup.queue, given, interrupt, most as usize).await?),
        None => None,
    };
    let words = given.edit.without_files(words)?;
    let record = new_run(aws, &setup.queue, words, why).await;
    let record = Record { chosen, ..record };
    ledger.begin(&record, lease).await?;
    note(&format!("run {}, in the ledger {}", record.run, ledger.place()));
    Ok((record, setup))
}

/// Goes on with a run that stopped, or whose process was killed, as it was asked for when it was begun.
pub(super) async fn resumed(
    client: &Client,
    ledger: &Ledger,
    lease: &Lease,
    id: &str,
    is_abandoned: bool,
) -> Result<(Record, Setup)> {
    let record = ledger.take_over(id, lease, is_abandoned).await?;
    if record.state == RunState::Done {
        bail!("the run {id} is done: nothing is left to resume");
    }
    // Whoever ends a run deletes what was sent, or counts it as failed.
    let may_have_left = record.state == RunState::Running || record.counts.failed > 0;
    // What failed or was held back is tried again.
    let mut counts = Counts { failed: 0, held_back: 0, ..record.counts };
    let sent = recount(ledger, id, &mut counts).await?;
    let (state, stopped_because, ended_at) = (RunState::Running, None, None);
    let record = Record { state, stopped_because, ended_at, counts, ..record };
    ledger.renew(&record, lease).await?;
    let asked = parse_replay(&record.arguments).context("the run's own command line")?;
    let setup = Setup::find(client, asked, &reference(&record.queue)?).await?;
    let sent_before = if may_have_left { sent } else { HashSet::new() };
    Ok((record, Setup { sent_before, ..setup }))
}

/// What the ledger knows of the run's messages, and which of them were sent. Its process may have been killed
/// before it wrote numbers.
async fn recount(ledger: &Ledger, id: &str, counts: &mut Counts) -> Result<HashSet<Uuid>> {
    let mut sent = HashSet::new();
    (counts.sent, counts.edited, counts.perhaps_twice) = (0, 0, 0);
    ledger
        .messages(id, |message| {
            if message.state == MessageState::Sent {
                counts.sent += 1;
                sent.extend(Uuid::try_parse(&message.message_id));
                counts.edited += u64::from(message.edit.is_some());
                counts.perhaps_twice += u64::from(message.sends > 1);
            }
            Ok(())
        })
        .await?;
    Ok(sent)
}

/// The ids of a random sample, which the ledger has room for.
async fn choose(
    queue: &Queue,
    given: &ReplayArguments,
    interrupt: &mut Interrupt,
    most: usize,
) -> Result<Vec<String>> {
    if most > MOST_CHOSEN {
        bail!("a replay takes a sample of {MOST_CHOSEN} messages at most: use `--limit` for more");
    }
    let (filter, now) = (given.which.filter(), now());
    let mut sample = Reservoir::new(most);
    let progress = &Progress::of(queue.depth.visible)?;
    let peeked = peek(queue, progress, interrupt, |message| {
        progress.advance();
        let dead_letter = DeadLetter::read(&message, queue);
        if filter.fits(&dead_letter, now) {
            sample.offer(dead_letter.summary.message_id);
        }
        Ok(ControlFlow::Continue(()))
    });
    if peeked.await?.end == End::Interrupted {
        bail!("interrupted: nothing was changed");
    }
    Ok(sample.kept())
}
