//! One call of the handler: redeem, decode, handle, by a limit. Whatever happens, each message gets a
//! verdict.

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
use tracing::{Instrument as _, error};

use crate::{
    metrics::{BATCH_SIZE, HANDLER_DURATION},
    panics,
    sqs::{
        BatchHandler, Delivery, Reject, Retry, Verdict,
        handle::{
            bounds::{Bounds, Limit},
            interruption::{shut_down, visibility_lost},
            outcome::Outcome,
            spans::Spans,
            worker::Worker,
        },
        queue::{
            Queue,
            claim_check::{BlockedGroups, SubBatch},
        },
    },
};

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    /// Calls the handler with messages. The call ends early when they are `lost`, or when a drain is cut
    /// off.
    pub(super) async fn call(
        &self,
        deliveries: &[Delivery],
        bounds: &Bounds,
        others_wait: bool,
        lost: impl Future<Output = ()>,
    ) -> Outcome {
        let retry = tokio::select! {
            biased;
            () = bounds.stop.cut_off.cancelled() => {
                Retry::interrupted("cut_off", "the drain was over before the handler was done")
            }
            () = lost => visibility_lost(),
            outcome = self.sub_batches(deliveries, bounds, others_wait) => return outcome,
        };
        Outcome::unhandled(deliveries, retry)
    }

    /// Claim checks may be more than memory has room for: then sub-batches of the batch are handled one
    /// after the other, each with all of a handler's time.
    async fn sub_batches(
        &self,
        deliveries: &[Delivery],
        bounds: &Bounds,
        others_wait: bool,
    ) -> Outcome {
        let mut outcome = Outcome::unhandled(&[], shut_down());
        let mut blocked = BlockedGroups::default();
        for sub_batch in self.settler.queue.claim_checks().sub_batches(deliveries) {
            let deliveries = sub_batch.deliveries;
            if !outcome.verdicts.is_empty() && bounds.stop.draining.is_cancelled() {
                let span = outcome.span.clone();
                outcome.append(Outcome { span, ..Outcome::unhandled(deliveries, shut_down()) });
                continue;
            }
            let handled = self.sub_batch(sub_batch, &mut blocked, bounds, others_wait).await;
            let verdicts = deliveries.iter().zip(&handled.verdicts);
            verdicts.for_each(|(delivery, verdict)| blocked.note(delivery, verdict));
            outcome.append(handled);
        }
        outcome
    }

    /// The same for a sub-batch. Its time counts from when there is memory for it.
    async fn sub_batch<'a>(
        &self,
        sub_batch: SubBatch<'a>,
        blocked: &mut BlockedGroups<'a>,
        bounds: &Bounds,
        others_wait: bool,
    ) -> Outcome {
        let deliveries = sub_batch.deliveries;
        let reserved = self.settler.queue.claim_checks().reserve(&sub_batch, bounds.until()).await;
        let _room = match reserved {
            Ok(room) => room,
            Err(retry) => return Outcome::unhandled(deliveries, retry),
        };
        let limit = bounds.limit(others_wait);
        let Opened { messages, deliveries, decided } =
            self.open(sub_batch, blocked, limit.at).await;
        let spans = Spans::open(self.settler.queue().name(), &deliveries);
        let span = spans.batch();
        let handled = self.handle(messages, limit).instrument(span.clone()).await;
        let mut handled = handled.into_iter();
        let verdicts: Vec<_> =
            decided.into_iter().filter_map(|verdict| verdict.or_else(|| handled.next())).collect();
        spans.close(&verdicts);
        Outcome { deliveries, verdicts, span }
    }

    /// Redeems and decodes.
    async fn open<'a>(
        &self,
        sub_batch: SubBatch<'a>,
        blocked: &mut BlockedGroups<'a>,
        deadline: Instant,
    ) -> Opened<H::Message> {
        let deliveries = sub_batch.deliveries;
        let mut decided = vec![None; deliveries.len()];
        blocked.release_blocked(deliveries, &mut decided);
        let claim_checks = self.settler.queue.claim_checks();
        let bodies = claim_checks.redeem(sub_batch, &mut decided, deadline).await;
        blocked.release_blocked(deliveries, &mut decided);
        let mut messages = Vec::with_capacity(deliveries.len());
        let mut traced = Vec::with_capacity(deliveries.len());
        for ((delivery, body), verdict) in deliveries.iter().zip(bodies).zip(&mut decided) {
            let opened = if verdict.is_some() {
                None
            } else {
                self.decode(delivery, body).map_err(|reject| *verdict = Some(reject.into())).ok()
            };
            let (message, with_sender) = opened.unzip();
            messages.extend(message);
            traced.push(with_sender.unwrap_or_else(|| delivery.clone()));
        }
        Opened { messages, deliveries: traced, decided }
    }

    /// The message, and the delivery with the sender that it names. Decoding depends on the delivery
    /// alone: what panics once would always.
    fn decode(
        &self,
        delivery: &Delivery,
        redeemed: Option<String>,
    ) -> Result<(H::Message, Delivery), Reject> {
        let decode = || {
            let message = match redeemed {
                Some(body) => self.handler.decode(&delivery.clone().with_redeemed(body))?,
                None => self.handler.decode(delivery)?,
            };
            let traceparent = self.handler.traceparent(&message);
            let traced = delivery.clone().with_traceparent(traceparent);
            Ok((message, traced))
        };
        catch_unwind(AssertUnwindSafe(decode))
            .unwrap_or_else(|panic| Err(Reject::new("decoder_panicked", panics::message(&*panic))))
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

/// A sub-batch that was redeemed and decoded.
struct Opened<M> {
    /// What is to be handled.
    messages: Vec<M>,
    /// All of them, each with its sender.
    deliveries: Vec<Delivery>,
    /// The verdict of each that is not in `messages`.
    decided: Vec<Option<Verdict>>,
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
