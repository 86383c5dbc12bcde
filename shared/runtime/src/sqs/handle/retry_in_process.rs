//! Messages whose dependency is unavailable stay in this process, and are handled again when the circuit
//! breaker admits them: that costs no delivery, as giving them back would.
//!
//! Not for ever: another consumer may reach what this one cannot. But at its last delivery no other
//! would be handed the message, so then it waits for as long as the checks fail.

use std::pin::pin;

use tokio::time::Instant;

use crate::sqs::{
    BatchHandler, Delivery, Retry, Verdict,
    handle::{bounds::Bounds, interruption::visibility_lost, outcome::Outcome, worker::Worker},
    queue::{Queue, delivery::LONGEST_STAY},
    receive::circuit_breaker::{Trial, Waited},
};

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    /// Calls the handler, again and again while a dependency is unavailable.
    pub(super) async fn handle_until_available(
        &self,
        deliveries: &[Delivery],
        bounds: &Bounds,
        others_wait: bool,
        lost: impl Future<Output = ()>,
    ) -> Outcome {
        let mut lost = pin!(lost);
        let rules = self.settler.queue().rules;
        let is_last = deliveries.iter().any(|delivery| rules.is_last(delivery));
        let end = bounds.retry_until(self.retry_window);
        let patience = if is_last { bounds.retry_until(LONGEST_STAY) } else { end };
        let mut outcome = Outcome::unhandled(deliveries, not_admitted());
        for failures in 0.. {
            let trial = tokio::select! {
                biased;
                () = &mut lost => {
                    let span = outcome.span;
                    return Outcome { span, ..Outcome::unhandled(deliveries, visibility_lost()) };
                }
                () = bounds.stop.cut_off.cancelled() => return outcome,
                admitted = self.admit(is_last, bounds, patience, failures) => admitted,
            };
            let Ok(trial) = trial else { return outcome };
            outcome = self.call(deliveries, bounds, others_wait, &mut lost).await;
            self.breaker.explain_timeouts(&mut outcome.verdicts).await;
            self.breaker.observe(&outcome.verdicts, trial.as_ref()).await;
            drop(trial);
            let is_retried_here =
                !bounds.is_invocation() && self.needs_retry(deliveries, &outcome.verdicts);
            if !is_retried_here || Instant::now() >= end {
                return outcome;
            }
        }
        outcome
    }

    /// Waits until the messages may be handled. In an invocation nothing waits: AWS handed them out.
    async fn admit(
        &self,
        is_last: bool,
        bounds: &Bounds,
        end: Instant,
        failures: u32,
    ) -> Result<Option<Trial>, Waited> {
        if let Some(failures) = failures.checked_sub(1) {
            self.breaker.stand_back(failures, end).await;
        }
        let admitted = self.breaker.admit(end, bounds.take_receiving()).await;
        // What was never handled, and would not be handed out again, is handled all the same.
        let anyhow = bounds.is_invocation() || is_last && failures == 0;
        if anyhow { Ok(admitted.ok().flatten()) } else { admitted }
    }

    /// Where a message succeeded, the others are released, so that what succeeded is deleted. But a
    /// message at its last delivery is retried here: the queue would not deliver it again.
    fn needs_retry(&self, deliveries: &[Delivery], verdicts: &[Verdict]) -> bool {
        let rules = self.settler.queue().rules;
        let is_last = |(delivery, verdict): (&Delivery, &Verdict)| {
            verdict.unavailable().map(|_: &Retry| rules.is_last(delivery))
        };
        let waiting: Vec<_> = deliveries.iter().zip(verdicts).filter_map(is_last).collect();
        !waiting.is_empty() && (!verdicts.contains(&Verdict::Ack) || waiting.contains(&true))
    }
}

/// For messages that were not handled at all, and are not at fault.
fn not_admitted() -> Retry {
    let detail =
        "a dependency was unavailable for longer than a message waits here, or until a drain";
    Retry::interrupted("circuit_breaker_open", detail)
}
