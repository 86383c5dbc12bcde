//! The second reading: everything is sent, in the order of each group.

use std::fmt::{Display, Formatter, Result as Formatted};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_sqs::types::BatchResultErrorEntry;
use causes::with_causes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::time::sleep;

use super::check::Checked;
use super::outgoing::Outgoing;
use crate::file::{Next, Reader, Source};
use crate::output::Progress;
use crate::queue::{Interrupt, LANES, PAGE, Queue};
use crate::ready::{Item as _, Ready};

/// Messages, and their bytes, that are held at a time. Of few groups many are read, to find others.
const MOST: usize = 1_000;
const MOST_BYTES: usize = 64 << 20;
/// Bytes of a batch, by SQS.
const MOST_OF_A_BATCH: usize = 1 << 20;
/// How often a message is sent that SQS does not take; the SDK tries whole requests again.
const MOST_ATTEMPTS: u32 = 5;
/// The wait before the second attempt. It doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// What was sent of a file.
pub(super) struct Sent {
    pub(super) count: u64,
    /// Why it is not all, the first line that was not sent, and how many behind it were.
    pub(super) end: Option<(End, u64, u64)>,
}

/// Why an import ended early.
#[derive(Debug)]
pub(super) enum End {
    Interrupted,
    Failed(String),
}

/// What became of a batch.
struct Outcome {
    sent: Vec<Outgoing>,
    /// The first line that was not sent, and why.
    failed: Option<(u64, String)>,
}

/// Sends the messages of a file from a line on.
pub(super) async fn send(
    source: &mut Source,
    checked: &Checked,
    queue: &Queue,
    from_line: u64,
    interrupt: &mut Interrupt,
    progress: &Progress,
) -> Result<Sent> {
    let most_bytes = queue.most_bytes.min(MOST_OF_A_BATCH);
    let mut reader = Reader::begin(source, checked.is_partial).await?;
    let (mut ready, mut sending) = (Ready::new(), FuturesUnordered::new());
    let (mut count, mut first, mut last_taken, mut is_read, mut end) = (0, None, 0, false, None);
    let mut unsent: Option<u64> = None;
    let earlier = |unsent: Option<u64>, lines: Vec<u64>| unsent.into_iter().chain(lines).min();
    loop {
        while end.is_none() && !is_read && ready.len() < MOST && ready.bytes() < MOST_BYTES {
            match next(&mut reader, queue, from_line, checked).await {
                Ok(Some(outgoing)) => {
                    first = first.or(Some(outgoing.line));
                    if let Err(refused) = ready.push(outgoing) {
                        unsent = earlier(unsent, vec![refused.line]);
                    }
                }
                Ok(None) => is_read = true,
                Err(error) => end = Some(End::Failed(with_causes(error.as_ref()))),
            }
        }
        // An import that was interrupted leaves no holes, so that another one can begin where it ended.
        let last_line = match end {
            None => u64::MAX,
            Some(End::Interrupted) => last_taken,
            Some(End::Failed(_)) => 0,
        };
        if end.is_some() {
            let dropped = ready.retain(|message| message.line <= last_line);
            unsent = earlier(unsent, dropped.iter().map(|message| message.line).collect());
        }
        while sending.len() < LANES {
            let batch = ready.take(PAGE, most_bytes);
            if batch.is_empty() {
                break;
            }
            last_taken = batch.iter().map(|message| message.line).fold(last_taken, u64::max);
            sending.push(send_batch(queue, batch));
        }
        tokio::select! {
            outcome = sending.next() => {
                let Some(Outcome { sent, failed }) = outcome else { break };
                for message in &sent {
                    count += 1;
                    progress.advance();
                    if let Some(group) = message.group() {
                        ready.sent(group);
                    }
                }
                if let Some((line, why)) = failed {
                    unsent = earlier(unsent, vec![line]);
                    end = Some(End::Failed(why));
                }
            }
            () = interrupt.wait(), if end.is_none() => end = Some(End::Interrupted),
        }
    }
    let Some(end) = end else { return Ok(Sent { count, end: None }) };
    // It came to the end nevertheless.
    let Some(line) = unsent.or((!is_read).then(|| from_line.max(last_taken + 1))) else {
        return Ok(Sent { count, end: None });
    };
    let before = line.saturating_sub(first.unwrap_or(line));
    Ok(Sent { count, end: Some((end, line, count.saturating_sub(before))) })
}

/// The next message from a line on; none at the end.
async fn next(
    reader: &mut Reader<'_>,
    queue: &Queue,
    from_line: u64,
    checked: &Checked,
) -> Result<Option<Outgoing>> {
    loop {
        match reader.next().await? {
            Next::Message(line, _) if line < from_line => (),
            Next::Message(line, record) => {
                let outgoing = Outgoing::new(*record, line, queue, &checked.sha256);
                return outgoing.map(Some).with_context(|| format!("line {line}"));
            }
            Next::End(end) => {
                ensure!(end.sha256 == checked.sha256, "the file was changed after it was checked");
                return Ok(None);
            }
        }
    }
}

/// Sends a batch, and what fails of it again. The next messages of its groups wait.
async fn send_batch(queue: &Queue, mut batch: Vec<Outgoing>) -> Outcome {
    let (mut sent, mut wait) = (Vec::new(), FIRST_WAIT);
    for attempt in 1.. {
        let failed = match request(queue, &batch).await {
            Ok(failed) => failed,
            Err(why) => return Outcome { failed: first(&batch, why), sent },
        };
        let is_failed =
            |message: &Outgoing| failed.iter().any(|f| f.id() == message.line.to_string());
        let (again, done): (Vec<_>, _) = batch.into_iter().partition(is_failed);
        sent.extend(done);
        batch = again;
        let Some(entry) = failed.first() else { break };
        if attempt >= MOST_ATTEMPTS || failed.iter().any(BatchResultErrorEntry::sender_fault) {
            let message = entry.message().unwrap_or_default();
            return Outcome {
                failed: first(&batch, format!("SQS refused a message: {} {message}", entry.code())),
                sent,
            };
        }
        sleep(wait).await;
        wait *= 2;
    }
    Outcome { sent, failed: None }
}

fn first(batch: &[Outgoing], why: String) -> Option<(u64, String)> {
    batch.iter().map(|message| message.line).min().map(|line| (line, why))
}

async fn request(
    queue: &Queue,
    batch: &[Outgoing],
) -> std::result::Result<Vec<BatchResultErrorEntry>, String> {
    let entries = batch.iter().map(Outgoing::entry).collect::<std::result::Result<Vec<_>, _>>();
    let entries = entries.map_err(|error| error.to_string())?;
    let request = queue.client.send_message_batch().queue_url(&queue.url);
    let answer = request.set_entries(Some(entries)).send().await;
    answer
        .map(|answer| answer.failed)
        .map_err(|error| format!("sending to {}: {}", queue.name, with_causes(&error)))
}

impl Display for End {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Formatted {
        match self {
            Self::Interrupted => write!(formatter, "interrupted"),
            Self::Failed(why) => write!(formatter, "{why}"),
        }
    }
}
