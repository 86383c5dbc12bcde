//! Makes received messages stay invisible while they wait and while they are handled.
//!
//! SQS hands a message out again once its visibility timeout has passed. A heartbeat renews the
//! timeout of one receive's messages at half time, so that work may take longer than it. It renews a
//! message until that message's [`VisibilityLease`] ends, or until SQS's twelve hours are over: the worker
//! bounds the handling, so that work that hangs does not keep its messages for ever. Where a renewal fails, it
//! is tried again; if it fails for so long that others may soon be handed the messages, or if SQS
//! says that a message is gone, the leases are lost and the work is called off: two handlers never
//! have the same message of a group.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, future::join_all, future::select_all, stream};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{Instrument as _, warn};

use crate::sqs::{
    Delivery,
    queue::{Queue, batch_calls, delivery::LONGEST_STAY},
};

/// Calls at a time for one receive: more than one only if it brought more than ten messages.
const CONCURRENCY: usize = 4;

/// One message's part in the heartbeat of its receive. The heartbeat ends with the last of them.
pub(crate) struct VisibilityLease {
    heartbeat: Arc<Heartbeat>,
    handle: String,
    lost: CancellationToken,
}

/// The heartbeat of one receive's messages.
struct Heartbeat {
    messages: Arc<Messages>,
    lapsed: CancellationToken,
    _beating: AbortOnDropHandle<()>,
}

/// By receipt handle, each message that is renewed, and what says that it is lost. Locked while a
/// renewal is under way.
type Messages = Mutex<BTreeMap<String, CancellationToken>>;

struct Beat<Q> {
    queue: Arc<Q>,
    /// For how long its receive, and each renewal, makes a message invisible.
    visibility: Duration,
    begun: Instant,
    messages: Arc<Messages>,
    lapsed: CancellationToken,
}

impl VisibilityLease {
    /// Begins the heartbeat of messages that were received just now; one lease each, in order.
    pub(crate) fn start<Q: Queue>(
        queue: Arc<Q>,
        deliveries: &[Delivery],
        visibility: Duration,
    ) -> Vec<Self> {
        let lapsed = CancellationToken::new();
        let handles = deliveries.iter().map(|delivery| delivery.receipt_handle().to_owned());
        let leases: Vec<_> = handles.map(|handle| (handle, lapsed.child_token())).collect();
        let messages = Arc::new(Mutex::new(leases.iter().cloned().collect()));
        let beat = Beat {
            queue,
            visibility,
            begun: Instant::now(),
            messages: Arc::clone(&messages),
            lapsed: lapsed.clone(),
        };
        let beating = AbortOnDropHandle::new(tokio::spawn(beat.run().in_current_span()));
        let heartbeat = Arc::new(Heartbeat { messages, lapsed, _beating: beating });
        let lease = |(handle, lost)| Self { heartbeat: Arc::clone(&heartbeat), handle, lost };
        leases.into_iter().map(lease).collect()
    }

    /// Whether others may be handed the message, now or soon, or nobody: it is gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Whether it is that message's, and nobody else is handed it.
    pub(crate) fn covers(&self, handle: &str) -> bool {
        self.handle == handle && !self.is_lost()
    }

    /// Ends the renewal of the message. One that is under way is waited for: it must not undo what
    /// is decided next.
    pub(crate) async fn end(&self) {
        self.heartbeat.messages.lock().await.remove(&self.handle);
    }

    /// Ends when a message that is handled alone, the first of `sequence`, must be handled no more. What
    /// waits behind it is of its group: if that is lost, others may be handed the group.
    pub(crate) async fn sequence_lost(sequence: &[Self]) {
        any(sequence.iter().map(|lease| lease.lost.cancelled())).await;
    }

    /// Ends when messages that are handled together must be handled no more: when a heartbeat has
    /// failed for too long, and in a FIFO queue when any message is lost, for others may be handed
    /// its group. In a standard queue a message that is gone stops no other, so all must be gone.
    pub(crate) async fn batch_lost(batch: &[Self], fifo: bool) {
        if fifo || batch.is_empty() {
            return Self::sequence_lost(batch).await;
        }
        let mut receives: Vec<_> = batch.iter().map(|lease| &lease.heartbeat).collect();
        receives.dedup_by(|a, b| Arc::ptr_eq(a, b));
        let lapsed = any(receives.into_iter().map(|heartbeat| heartbeat.lapsed.cancelled()));
        let all_gone = join_all(batch.iter().map(|lease| lease.lost.cancelled()));
        tokio::select! {
            () = lapsed => {}
            _ = all_gone => {}
        }
    }
}

/// Ends with the first of them; of none, never.
async fn any(ends: impl Iterator<Item = impl Future<Output = ()>>) {
    let ends: Vec<_> = ends.map(Box::pin).collect();
    if ends.is_empty() {
        return std::future::pending().await;
    }
    select_all(ends).await;
}

impl<Q: Queue> Beat<Q> {
    async fn run(self) {
        let end = self.begun + LONGEST_STAY;
        let mut next = self.begun + interval(self.visibility);
        let mut lapse = self.begun + hold(self.visibility);
        loop {
            let last = lapse.min(end);
            sleep_until(next.min(last)).await;
            let now = Instant::now();
            if now >= last {
                self.lapsed.cancel();
                return;
            }
            (next, lapse) = if timeout_at(last, self.extend()).await.unwrap_or(false) {
                (now + interval(self.visibility), now + hold(self.visibility))
            } else {
                (Instant::now() + pause(self.visibility), lapse)
            };
        }
    }

    /// Makes every message invisible for another visibility timeout, or for what is left of SQS's
    /// limit; says whether that succeeded.
    async fn extend(&self) -> bool {
        let mut messages = self.messages.lock().await;
        let left = LONGEST_STAY.saturating_sub(self.begun.elapsed());
        let seconds = i32::try_from(self.visibility.min(left).as_secs()).unwrap_or(i32::MAX);
        let queue = &self.queue;
        let handles = messages.keys().cloned().collect();
        let calls =
            batch_calls::cut_batches(handles, |_| 0, 0).into_iter().map(|chunk| async move {
                let answer = queue.extend(&chunk, seconds).await;
                (chunk, answer)
            });
        let answers: Vec<_> = stream::iter(calls).buffered(CONCURRENCY).collect().await;
        let mut complete = true;
        for (chunk, answer) in answers {
            match answer {
                Ok(failures) => {
                    let gone = failures.iter().filter(|failure| failure.futile);
                    let gone: Vec<_> = gone.filter_map(|gone| chunk.get(gone.index)).collect();
                    complete &= gone.len() == failures.len();
                    let lost = gone.into_iter().filter_map(|handle| messages.remove(handle));
                    lost.for_each(|lost| lost.cancel());
                }
                Err(error) => {
                    warn!(
                        error = format!("{error:#}"),
                        messages = chunk.len(),
                        "a heartbeat failed"
                    );
                    complete = false;
                }
            }
        }
        complete
    }
}

/// Between two renewals.
fn interval(visibility: Duration) -> Duration {
    visibility / 2
}

/// Before a failed renewal is tried again: three attempts fit into what is left.
fn pause(visibility: Duration) -> Duration {
    visibility / 8
}

/// For how long a message is surely ours: the queue's clock started before the answer came.
fn hold(visibility: Duration) -> Duration {
    visibility / 8 * 7
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn three_attempts_fit_before_a_lapse_and_a_lapse_before_the_end(seconds in 2..=43_200_u64) {
            let visibility = Duration::from_secs(seconds);
            prop_assert!(interval(visibility) + 2 * pause(visibility) < hold(visibility));
            prop_assert!(hold(visibility) + Duration::from_millis(250) <= visibility);
        }
    }
}
