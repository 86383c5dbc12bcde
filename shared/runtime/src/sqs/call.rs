//! One call of the handler: decode, fetch, handle, by a limit. One verdict per message comes of it,
//! whatever happens.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use metrics::histogram;
use tokio::{
    task::JoinError,
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, Span, error};

use super::{
    BatchHandler, Record, Reject, Retry, Verdict,
    bounds::{Bounds, Limit},
    claim_check::{BlockedGroups, SubBatch},
    line::visibility_lost,
    queue::Queue,
    spans::Spans,
    worker::{Worker, shut_down},
};
use crate::{
    metrics::{BATCH_SIZE, HANDLER_DURATION},
    panics,
};

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    /// One verdict per record, in order, and the span to settle them in. The call ends early when
    /// the messages are `lost`, or when a drain is cut off.
    pub(super) async fn call(
        &self,
        records: &[Record],
        bounds: &Bounds,
        others_wait: bool,
        lost: impl Future<Output = ()>,
    ) -> (Vec<Verdict>, Span) {
        let retry = tokio::select! {
            biased;
            () = bounds.stop.cut_off.cancelled() => {
                Retry::interrupted("cut_off", "the drain was over before the handler was done")
            }
            () = lost => visibility_lost(),
            verdicts = self.verdicts(records, bounds, others_wait) => return verdicts,
        };
        (vec![retry.into(); records.len()], Span::none())
    }

    /// Claim checks may be more than memory has room for: then sub-batches of the batch are handled one
    /// after the other, each with all of a handler's time.
    async fn verdicts(
        &self,
        records: &[Record],
        bounds: &Bounds,
        others_wait: bool,
    ) -> (Vec<Verdict>, Span) {
        let (mut verdicts, mut span) = (Vec::with_capacity(records.len()), Span::none());
        let mut blocked = BlockedGroups::default();
        for sub_batch in self.settler.queue.claim_checks().sub_batches(records) {
            let records = sub_batch.records;
            if !verdicts.is_empty() && bounds.stop.draining.is_cancelled() {
                verdicts.extend(records.iter().map(|_| shut_down().into()));
                continue;
            }
            let (decided, its_span) =
                self.sub_batch(sub_batch, &mut blocked, bounds, others_wait).await;
            records
                .iter()
                .zip(&decided)
                .for_each(|(record, verdict)| blocked.note(record, verdict));
            verdicts.extend(decided);
            span = its_span;
        }
        (verdicts, span)
    }

    /// The same for a sub-batch. Its time counts from when there is memory for it.
    async fn sub_batch<'a>(
        &self,
        sub_batch: SubBatch<'a>,
        blocked: &mut BlockedGroups<'a>,
        bounds: &Bounds,
        others_wait: bool,
    ) -> (Vec<Verdict>, Span) {
        let records = sub_batch.records;
        let reserved = self.settler.queue.claim_checks().reserve(&sub_batch, bounds.until()).await;
        let _room = match reserved {
            Ok(room) => room,
            Err(retry) => return (vec![retry.into(); records.len()], Span::none()),
        };
        let limit = bounds.limit(others_wait);
        let (messages, decided) = self.open(sub_batch, blocked, limit.at).await;
        let spans = Spans::open(self.settler.queue().name(), records);
        let batch = spans.batch();
        let handled = self.handle(messages, limit).instrument(batch.clone()).await;
        let mut handled = handled.into_iter();
        let verdicts: Vec<_> =
            decided.into_iter().filter_map(|verdict| verdict.or_else(|| handled.next())).collect();
        spans.close(&verdicts);
        (verdicts, batch)
    }

    /// The messages to handle, and the verdict of each record that has none in it.
    async fn open<'a>(
        &self,
        sub_batch: SubBatch<'a>,
        blocked: &mut BlockedGroups<'a>,
        deadline: Instant,
    ) -> (Vec<H::Message>, Vec<Option<Verdict>>) {
        let records = sub_batch.records;
        let mut decided = vec![None; records.len()];
        blocked.hold_back(records, &mut decided);
        let claim_checks = self.settler.queue.claim_checks();
        let bodies = claim_checks.redeem(sub_batch, &mut decided, deadline).await;
        blocked.hold_back(records, &mut decided);
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
        record.note_last_delivery(self.settler.queue.attributes().rules.is_last(record));
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
    async fn handle(&self, messages: Vec<H::Message>, limit: Limit) -> Vec<Verdict> {
        let count = messages.len();
        if count == 0 {
            return Vec::new();
        }
        let handler = Arc::clone(&self.handler);
        let begun = Instant::now();
        let handling = async move { handler.handle(messages).await }.in_current_span();
        let task = AbortOnDropHandle::new(tokio::spawn(handling));
        let ended = timeout_at(limit.at, task).await;
        self.report(count, begun);
        let verdicts = match ended {
            Ok(Ok(verdicts)) => counted(verdicts, count),
            Ok(Err(error)) => Err(panicked(error)),
            Err(_) => Err(timed_out(limit)),
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

fn timed_out(limit: Limit) -> Retry {
    let (reason, detail) = (Retry::TIMED_OUT, "the handler was cut off");
    if limit.fair { Retry::new(reason, detail) } else { Retry::interrupted(reason, detail) }
}
