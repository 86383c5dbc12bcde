//! One message after the other: a FIFO group's, or a single one.
//!
//! A message begins when the one before it is done with: acknowledged, or in the dead-letter queue. So
//! a poison message harms nothing behind it. After a retry what follows is released, to be handed out
//! again behind the retried message.

use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::{
    BatchHandler, Retry, Verdict,
    action::Action,
    bounds::Bounds,
    heartbeat::Lease,
    queue::Queue,
    worker::{Messages, Worker, shut_down},
};

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    /// Handles a line to its end, or to where it must stop; one action for each message.
    pub(super) async fn line(&self, line: Messages<'_>, bounds: &Bounds) -> Vec<Action> {
        let mut actions = Vec::with_capacity(line.records.len());
        let mut acked = Messages::NONE;
        let mut rest = line;
        while let Some((first, behind)) = rest.split_first() {
            // The message before is settled while this one is handled.
            let (settled, (verdict, span)) =
                tokio::join!(self.acknowledge(acked), self.alone(rest, bounds));
            actions.extend(settled);
            acked = Messages::NONE;
            if is_interrupted(&verdict) {
                // In one step, which knows the order in which a group is released.
                let verdicts = vec![verdict; rest.records.len()];
                actions.extend(self.settle(rest, verdicts).instrument(span).await);
                return actions;
            }
            rest = behind;
            if verdict == Verdict::Ack {
                acked = first;
                continue;
            }
            let done = self.settle(first, vec![verdict]).instrument(span).await;
            let holds_back = self.holds_back(first, &done);
            actions.extend(done);
            if holds_back {
                let detail = "a message before it in its group is retried";
                let retry = Retry::interrupted("group_held_back", detail);
                let verdicts = vec![retry.into(); rest.records.len()];
                actions.extend(self.settle(rest, verdicts).await);
                return actions;
            }
        }
        actions.extend(self.acknowledge(acked).await);
        actions
    }

    async fn acknowledge(&self, messages: Messages<'_>) -> Vec<Action> {
        self.settle(messages, vec![Verdict::Ack; messages.records.len()]).await
    }

    /// Handles the first of `rest`, unless the line must stop before it.
    async fn alone(&self, rest: Messages<'_>, bounds: &Bounds) -> (Verdict, Span) {
        let Some((first, behind)) = rest.split_first() else { return (Verdict::Ack, Span::none()) };
        let others_wait = self.any_last(behind);
        let interruption = self.interruption(rest, bounds, bounds.limit(others_wait).at);
        if let Some(retry) = interruption {
            return (retry.into(), Span::none());
        }
        let lost = Lease::line_lost(rest.leases);
        let (mut verdicts, span) =
            self.handle_until_available(first.records, bounds, others_wait, lost).await;
        let uncounted = || Retry::new("wrong_number_of_verdicts", "no verdict").into();
        (verdicts.pop().unwrap_or_else(uncounted), span)
    }

    /// Why the first of `rest` is not begun. During a drain what is at its last delivery still is, and
    /// what stands before it: released, it would go to the dead-letter queue.
    fn interruption(&self, rest: Messages<'_>, bounds: &Bounds, limit: Instant) -> Option<Retry> {
        if bounds.stop.draining.is_cancelled() && !self.any_last(rest) {
            return Some(shut_down());
        }
        if rest.leases.iter().any(Lease::is_lost) {
            return Some(visibility_lost());
        }
        let detail = "the time was up before the message was begun";
        (limit <= Instant::now()).then(|| Retry::interrupted("no_time_left", detail))
    }

    /// Whether what follows must wait for a message to come again. After its last delivery it does not
    /// come: the queue itself moves it to the dead-letter queue.
    fn holds_back(&self, message: Messages<'_>, done: &[Action]) -> bool {
        done.iter().any(|action| !action.is_done()) && !self.any_last(message)
    }

    fn any_last(&self, messages: Messages<'_>) -> bool {
        let rules = self.settler.queue().rules;
        messages.records.iter().any(|record| rules.is_last(record))
    }
}

impl Messages<'_> {
    const NONE: Self = Self { records: &[], leases: &[] };

    fn split_first(self) -> Option<(Self, Self)> {
        let (first, records) = self.records.split_at_checked(1)?;
        let (lease, leases) = self.leases.split_at_checked(1).unwrap_or_default();
        Some((Self { records: first, leases: lease }, Self { records, leases }))
    }
}

pub(super) fn visibility_lost() -> Retry {
    let detail = "the heartbeat failed for too long, or the message is gone: others may have it";
    Retry::interrupted("visibility_lost", detail)
}

fn is_interrupted(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Retry(retry) if retry.interrupted)
}
