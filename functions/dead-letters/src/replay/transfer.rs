//! The steps of a batch: claim, edit, send, record, delete.
//!
//! Whenever the process ends, each message is either still a dead letter, or was sent and is known to be.
//! Between the send and its record nothing but the claim is known: a resumed run sends such a message again.
//! A FIFO queue ignores that within five minutes.

use anyhow::Result;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use causes::with_causes;
use command_line::now;
use records::replays::{Claim, Message, MessageState};

use super::Run;
use super::outgoing::Outgoing;
use crate::queue::{PAGE, delete, send};
use crate::ready::Item as _;

/// What became of a message.
pub(super) struct Transferred {
    pub(super) id: String,
    pub(super) group: Option<String>,
    pub(super) outcome: Outcome,
}

pub(super) enum Outcome {
    /// It was sent, and is no dead letter any more.
    Sent { sent_id: String, is_edited: bool, perhaps_twice: bool },
    /// This run had sent it before; it is no dead letter any more.
    SentBefore { sent_id: String },
    /// It is a dead letter still.
    Failed(String),
}

/// Moves messages that all have the same target. Each comes with its receipt handle.
pub(super) async fn transfer(
    run: &Run<'_>,
    batch: Vec<(Outgoing, String)>,
) -> Result<Vec<Transferred>> {
    let mut batch = claim(run, batch).await?;
    send_claimed(run, &mut batch).await?;
    let records: Vec<_> = batch.iter().filter_map(Step::record).collect();
    run.ledger.record(&run.id, &records).await?;
    let sent = batch.iter().filter(|step| step.sent.is_ok());
    let sent = sent.map(|step| (step.outgoing.id().to_owned(), step.receipt.clone())).collect();
    let undeleted = delete(run.queue, sent).await?;
    Ok(batch.into_iter().map(|step| step.transferred(&undeleted)).collect())
}

/// A message on its way.
struct Step {
    outgoing: Outgoing,
    receipt: String,
    is_sent_before: bool,
    /// Its new id, or why it was not sent.
    sent: Result<String, String>,
}

async fn claim(run: &Run<'_>, batch: Vec<(Outgoing, String)>) -> Result<Vec<Step>> {
    let claims: Vec<_> = batch
        .iter()
        .map(|(outgoing, _)| Message { sends: 1, ..outgoing.record(MessageState::Sending, now()) })
        .collect();
    let claims = run.ledger.claim(&run.id, &claims).await?;
    let step = |((mut outgoing, receipt), claim): ((Outgoing, String), Claim)| {
        outgoing.sends = 1;
        let (mut sent, mut is_sent_before) = (Err(String::new()), false);
        if let Claim::Known(known) = claim {
            outgoing.sends = known.sends + 1;
            if known.state == MessageState::Sent {
                is_sent_before = true;
                sent = Ok(known.sent_id.unwrap_or_default());
            } else if known.state == MessageState::Failed {
                // Its send did not happen.
                outgoing.sends = known.sends;
            }
        }
        Step { outgoing, receipt, is_sent_before, sent }
    };
    Ok(batch.into_iter().zip(claims).map(step).collect())
}

async fn send_claimed(run: &Run<'_>, batch: &mut [Step]) -> Result<()> {
    let mut unsent: Vec<_> = batch.iter_mut().filter(|step| !step.is_sent_before).collect();
    let Some(target) = unsent.first().map(|step| step.outgoing.target.clone()) else {
        return Ok(());
    };
    if let Some(effects) = &run.effects {
        let summaries: Vec<_> =
            unsent.iter().map(|step| &step.outgoing.dead_letter.summary).collect();
        effects.note(&summaries, run.editor.is_some()).await;
    }
    // An edited body may be larger: all of them may be too large for one request.
    let at_a_time = if run.editor.is_some() { 1 } else { PAGE };
    let (mut entries, mut places) = (Vec::new(), Vec::new());
    for (place, step) in unsent.iter_mut().enumerate() {
        match entry(run, &mut step.outgoing, entries.len() % at_a_time).await {
            Ok(entry) => {
                entries.push(entry);
                places.push(place);
            }
            Err(error) => step.sent = Err(with_causes(error.as_ref())),
        }
    }
    for (entries, places) in entries.chunks(at_a_time).zip(places.chunks(at_a_time)) {
        for (place, sent) in places.iter().zip(send(&target, entries.to_vec()).await?) {
            if let Some(step) = unsent.get_mut(*place) {
                step.sent = sent;
            }
        }
    }
    Ok(())
}

/// Edits a message, if that is asked for, and makes it an entry of a batch.
async fn entry(
    run: &Run<'_>,
    outgoing: &mut Outgoing,
    index: usize,
) -> Result<SendMessageBatchRequestEntry> {
    if let Some(editor) = &run.editor {
        outgoing.edit(editor, &run.s3).await?;
    }
    outgoing.entry(index, &run.id)
}

impl Step {
    /// What the ledger does not know yet.
    fn record(&self) -> Option<Message> {
        let state = if self.sent.is_ok() { MessageState::Sent } else { MessageState::Failed };
        (!self.is_sent_before).then(|| Message {
            sent_id: self.sent.clone().ok(),
            failure: self.sent.clone().err(),
            ..self.outgoing.record(state, now())
        })
    }

    fn transferred(self, undeleted: &[String]) -> Transferred {
        let Self { outgoing, is_sent_before, sent, .. } = self;
        let id = outgoing.id().to_owned();
        let outcome = match sent {
            Err(failure) => Outcome::Failed(failure),
            Ok(_) if undeleted.contains(&id) => {
                Outcome::Failed("it was sent, but not deleted: `--resume` deletes it".to_owned())
            }
            Ok(sent_id) if is_sent_before => Outcome::SentBefore { sent_id },
            Ok(sent_id) => Outcome::Sent {
                sent_id,
                is_edited: outgoing.edit.is_some(),
                perhaps_twice: outgoing.sends > 1,
            },
        };
        Transferred { id, group: outgoing.group().map(str::to_owned), outcome }
    }
}
