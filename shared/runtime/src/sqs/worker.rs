//! One batch's work: decode, handle, settle. Nothing a handler does gets past here.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use metrics::histogram;
use tokio::{
    task::JoinError,
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, error};

use super::{
    BatchHandler, Config, Record, Reject, Retry, Verdict, batch::Batch, queue::Queue,
    settle::Settler,
};
use crate::{
    metrics::{BATCH_SIZE, HANDLER_DURATION},
    panics,
};

/// Takes batches to their end.
pub(crate) struct Worker<H, Q> {
    handler: Arc<H>,
    settler: Settler<Q>,
    /// From a batch's start.
    timeout: Duration,
    /// From a message's receipt: halfway between the handler's timeout and the message's
    /// visibility, so that there is time to settle before others see it.
    expiry: Duration,
}

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    pub(crate) fn new(handler: H, settler: Settler<Q>, config: &Config) -> Self {
        let (timeout, visibility) = (config.handler_timeout(), config.visibility());
        let expiry = (timeout + visibility) / 2;
        Self { handler: Arc::new(handler), settler, timeout, expiry }
    }

    /// Handles a batch and carries its verdicts out.
    pub(crate) async fn work(&self, batch: Batch) {
        let expiry = batch.received_at + self.expiry;
        let deadline = expiry.min(Instant::now() + self.timeout);
        if deadline <= Instant::now() {
            let detail = "no handler was free before the message's visibility ran out";
            let retry = Retry::new("waited_too_long", detail).after(Duration::ZERO);
            return self.give_back(batch, &retry).await;
        }
        let verdicts = self.verdicts(&batch.records, deadline).await;
        self.settler.settle(&batch.records, verdicts).await;
    }

    /// Gives every message of a batch back, unhandled.
    pub(crate) async fn give_back(&self, batch: Batch, retry: &Retry) {
        let verdicts = batch.records.iter().map(|_| retry.clone().into()).collect();
        self.settler.settle(&batch.records, verdicts).await;
    }

    /// One verdict per record, in order.
    async fn verdicts(&self, records: &[Record], deadline: Instant) -> Vec<Verdict> {
        let mut messages = Vec::with_capacity(records.len());
        let mut rejects = Vec::with_capacity(records.len());
        for record in records {
            match self.decode(record) {
                Ok(message) => {
                    messages.push(message);
                    rejects.push(None);
                }
                Err(reject) => rejects.push(Some(reject)),
            }
        }
        let mut handled = self.handle(messages, deadline).await.into_iter();
        let verdict = |reject: Option<Reject>| match reject {
            Some(reject) => Some(reject.into()),
            None => handled.next(),
        };
        rejects.into_iter().filter_map(verdict).collect()
    }

    /// Decoding depends on the record alone: what panics once would always.
    fn decode(&self, record: &Record) -> Result<H::Message, Reject> {
        catch_unwind(AssertUnwindSafe(|| self.handler.decode(record)))
            .unwrap_or_else(|panic| Err(Reject::new("decoder_panicked", panics::message(&*panic))))
    }

    /// One verdict per message, whatever the handler does. It runs in a task of its own, so that
    /// one that never yields cannot hold up the deadline.
    async fn handle(&self, messages: Vec<H::Message>, deadline: Instant) -> Vec<Verdict> {
        let count = messages.len();
        if count == 0 {
            return Vec::new();
        }
        let handler = Arc::clone(&self.handler);
        let begun = Instant::now();
        let handling = async move { handler.handle(messages).await }.in_current_span();
        let task = AbortOnDropHandle::new(tokio::spawn(handling));
        let ended = timeout_at(deadline, task).await;
        self.report(count, begun);
        let verdicts = match ended {
            Ok(Ok(verdicts)) => counted(verdicts, count),
            Ok(Err(error)) => Err(panicked(error)),
            Err(_) => Err(Retry::new("handler_timed_out", "the handler was cut off")),
        };
        verdicts.unwrap_or_else(|retry| vec![retry.into(); count])
    }

    fn report(&self, count: usize, begun: Instant) {
        let queue = self.settler.queue().name().to_owned();
        let size = u32::try_from(count).map_or(f64::MAX, f64::from);
        histogram!(BATCH_SIZE, "queue" => queue.clone()).record(size);
        histogram!(HANDLER_DURATION, "queue" => queue).record(begun.elapsed().as_secs_f64());
    }
}

fn counted(verdicts: Vec<Verdict>, expected: usize) -> Result<Vec<Verdict>, Retry> {
    let given = verdicts.len();
    if given == expected {
        return Ok(verdicts);
    }
    error!(given, expected, "the handler gave a wrong number of verdicts: it needs fixing");
    let detail = format!("{given} verdicts for {expected} messages");
    Err(Retry::new("wrong_number_of_verdicts", detail))
}

fn panicked(error: JoinError) -> Retry {
    let detail = match error.try_into_panic() {
        Ok(panic) => panics::message(&*panic).to_owned(),
        Err(error) => error.to_string(),
    };
    Retry::new("handler_panicked", detail)
}
