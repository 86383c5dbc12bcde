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
use tracing::{Instrument as _, Span, error};

use super::{
    BatchHandler, Config, Record, Reject, Retry, Verdict,
    action::Action,
    batch::Batch,
    claim_check::{Held, Portion},
    pacing::Pacing,
    queue::Queue,
    settle::Settler,
    spans::Spans,
};
use crate::{
    metrics::{BATCH_SIZE, HANDLER_DURATION},
    panics,
};

/// Takes batches to their end.
pub(crate) struct Worker<H, Q> {
    handler: Arc<H>,
    settler: Settler<Q>,
    /// From a batch's start; also the longest wait for it.
    timeout: Duration,
    pacing: Arc<Pacing>,
}

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    pub(crate) fn new(handler: H, settler: Settler<Q>, config: &Config) -> Self {
        let pacing = Arc::new(Pacing::new(settler.queue().name()));
        Self { handler: Arc::new(handler), settler, timeout: config.handler_timeout(), pacing }
    }

    pub(crate) fn pacing(&self) -> Arc<Pacing> {
        Arc::clone(&self.pacing)
    }

    /// Handles a batch and carries its verdicts out.
    pub(crate) async fn work(&self, mut batch: Batch) {
        if batch.has_lapsed() || batch.received_at.elapsed() >= self.timeout {
            let retry = Retry::new("waited_too_long", "no handler was free in time");
            return self.give_back(batch, &retry.after(Duration::ZERO)).await;
        }
        let deadline = Instant::now() + self.timeout;
        let (mut verdicts, span) = tokio::select! {
            biased;
            verdicts = self.verdicts(&batch.records, deadline) => verdicts,
            () = batch.lapsed() => {
                let detail = "the heartbeat failed for too long: others may be handed the message";
                let retry = Retry::new("visibility_lost", detail);
                (vec![retry.into(); batch.len()], Span::none())
            }
        };
        let random = &self.settler.backoff;
        let probe = batch.probe.take();
        self.pacing.observe(&verdicts, probe.is_some(), random);
        drop(probe);
        self.pacing.postpone(&batch.records, &mut verdicts, random);
        self.settle(batch, verdicts).instrument(span).await;
    }

    /// Handles what an invocation brought, by `deadline`; returns what each message came to. There
    /// is no heartbeat: a Lambda's time ends before its messages' visibility does, as AWS demands.
    pub(crate) async fn invoked(&self, records: &[Record], deadline: Instant) -> Vec<Action> {
        let deadline = deadline.min(Instant::now() + self.timeout);
        let (verdicts, span) = self.verdicts(records, deadline).await;
        self.settler.settle(records, verdicts).instrument(span).await
    }

    /// Gives every message of a batch back, unhandled.
    pub(crate) async fn give_back(&self, batch: Batch, retry: &Retry) {
        let verdicts = vec![retry.clone().into(); batch.len()];
        self.settle(batch, verdicts).await;
    }

    async fn settle(&self, mut batch: Batch, verdicts: Vec<Verdict>) {
        batch.stop_heartbeats().await;
        self.settler.settle(&batch.records, verdicts).await;
    }

    /// One verdict per record, in order, and the span to settle them in. Claim checks may be more
    /// than memory has room for: then portions of the batch are handled one after the other.
    async fn verdicts(&self, records: &[Record], deadline: Instant) -> (Vec<Verdict>, Span) {
        let (mut verdicts, mut span) = (Vec::with_capacity(records.len()), Span::none());
        let mut held = Held::default();
        for portion in self.settler.queue.claims().portions(records) {
            let records = portion.records;
            let (decided, its_span) = self.portion(portion, &mut held, deadline).await;
            records.iter().zip(&decided).for_each(|(record, verdict)| held.note(record, verdict));
            verdicts.extend(decided);
            span = its_span;
        }
        (verdicts, span)
    }

    /// The same for a portion.
    async fn portion<'a>(
        &self,
        portion: Portion<'a>,
        held: &mut Held<'a>,
        deadline: Instant,
    ) -> (Vec<Verdict>, Span) {
        let records = portion.records;
        let reserved = self.settler.queue.claims().reserve(&portion, deadline).await;
        let _room = match reserved {
            Ok(room) => room,
            Err(retry) => return (vec![retry.into(); records.len()], Span::none()),
        };
        let (messages, decided) = self.open(portion, held, deadline).await;
        let spans = Spans::open(self.settler.queue().name(), records);
        let batch = spans.batch();
        let handled = self.handle(messages, deadline).instrument(batch.clone()).await;
        let mut handled = handled.into_iter();
        let verdicts: Vec<_> =
            decided.into_iter().filter_map(|verdict| verdict.or_else(|| handled.next())).collect();
        spans.close(&verdicts);
        (verdicts, batch)
    }

    /// The messages to handle, and the verdict of each record that has none in it.
    async fn open<'a>(
        &self,
        portion: Portion<'a>,
        held: &mut Held<'a>,
        deadline: Instant,
    ) -> (Vec<H::Message>, Vec<Option<Verdict>>) {
        let records = portion.records;
        let mut decided = vec![None; records.len()];
        held.hold_back(records, &mut decided);
        let claims = self.settler.queue.claims();
        let bodies = claims.redeem(portion, &mut decided, deadline).await;
        held.hold_back(records, &mut decided);
        let mut messages = Vec::with_capacity(records.len());
        for ((record, body), verdict) in records.iter().zip(bodies).zip(&mut decided) {
            if verdict.is_some() {
                record.trace(None);
                continue;
            }
            match self.decode(record, body) {
                Ok(message) => messages.push(message),
                Err(reject) => *verdict = Some(reject.into()),
            }
        }
        (messages, decided)
    }

    /// Decoding depends on the record alone: what panics once would always.
    fn decode(&self, record: &Record, claimed: Option<String>) -> Result<H::Message, Reject> {
        record.note_last_delivery(self.settler.queue.facts().rules.is_last(record));
        let decode = || {
            let message = match claimed {
                Some(body) => self.handler.decode(&record.clone().with_claimed(body))?,
                None => self.handler.decode(record)?,
            };
            record.trace(self.handler.traceparent(&message));
            Ok(message)
        };
        let decoded = catch_unwind(AssertUnwindSafe(decode))
            .unwrap_or_else(|panic| Err(Reject::new("decoder_panicked", panics::message(&*panic))));
        decoded.inspect_err(|_| record.trace(None))
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
        let handling =
            async move { handler.handle_until(messages, deadline).await }.in_current_span();
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

/// What a task that panicked means for its message.
pub(super) fn panicked(error: JoinError) -> Retry {
    let detail = match error.try_into_panic() {
        Ok(panic) => panics::message(&*panic).to_owned(),
        Err(error) => error.to_string(),
    };
    Retry::new("handler_panicked", detail)
}
