//! How a run begins, and how it is resumed.

use std::ops::ControlFlow;

use anyhow::{Result, bail};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use records::replays::{Counts, MessageState, Run as Record, RunState};

use super::Targets;
use crate::arguments::ReplayArguments;
use crate::clock::now;
use crate::dead_letter::DeadLetter;
use crate::edit::Editor;
use crate::effects::Effects;
use crate::ledger::{Lease, Ledger, new_run};
use crate::output::note;
use crate::queue::{End, Interrupt, Queue, find, peek};
use crate::reservoir::Reservoir;

/// Messages of a random sample.
const MOST_CHOSEN: usize = 1_000;

/// Begins a run: nothing is written for what cannot begin.
pub(super) async fn begun(
    aws: &SdkConfig,
    client: &Client,
    ledger: &Ledger,
    lease: &Lease,
    interrupt: &mut Interrupt,
    (given, words): (&ReplayArguments, &[String]),
) -> Result<Record> {
    let (Some(queue), Some(why)) = (&given.queue, &given.why) else {
        bail!("a queue and `--why` are needed")
    };
    let queue = find(client, queue).await?;
    Targets::find(&queue, given).await?;
    Editor::from_arguments(&given.edit)?;
    Effects::from_environment()?;
    let chosen = match given.which.sample {
        Some(most) => Some(choose(&queue, given, interrupt, most as usize).await?),
        None => None,
    };
    let record = new_run(aws, &queue, words.to_vec(), why).await;
    let record = Record { chosen, ..record };
    ledger.begin(&record, lease).await?;
    note(&format!("run {}, in the ledger {}", record.run, ledger.place()));
    Ok(record)
}

/// Goes on with a run that stopped, or whose process was killed.
pub(super) async fn resumed(
    ledger: &Ledger,
    lease: &Lease,
    id: &str,
    is_abandoned: bool,
) -> Result<Record> {
    let record = ledger.take_over(id, lease, is_abandoned).await?;
    if record.state == RunState::Done {
        bail!("the run {id} is done: nothing is left to resume");
    }
    // What failed or was held back is tried again.
    let mut counts = Counts { failed: 0, held_back: 0, ..record.counts };
    recount(ledger, id, &mut counts).await?;
    let (state, stopped_because, ended_at) = (RunState::Running, None, None);
    let record = Record { state, stopped_because, ended_at, counts, ..record };
    ledger.renew(&record, lease).await?;
    Ok(record)
}

/// What the ledger knows of the run's messages. Its process may have been killed before it wrote numbers.
async fn recount(ledger: &Ledger, id: &str, counts: &mut Counts) -> Result<()> {
    (counts.sent, counts.edited, counts.perhaps_twice) = (0, 0, 0);
    ledger
        .messages(id, |message| {
            if message.state == MessageState::Sent {
                counts.sent += 1;
                counts.edited += u64::from(message.edit.is_some());
                counts.perhaps_twice += u64::from(message.sends > 1);
            }
            Ok(())
        })
        .await
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
    let peeked = peek(queue, interrupt, |message| {
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
