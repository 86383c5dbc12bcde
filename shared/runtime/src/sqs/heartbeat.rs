//! Keeps received messages hidden from others while they wait and while they are handled.
//!
//! SQS hands a message out again once its visibility timeout has passed. A heartbeat renews that
//! timeout at half time, so that work may take longer than it; and it ends, so that work that hangs
//! does not keep its messages for ever. Where it fails, it is tried again; if it fails for so long
//! that others may soon be handed the messages, it says so, and the work is called off: two handlers
//! never have the same message of a group.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{Instrument as _, warn};

use super::{Record, chunks, queue::Queue};

/// SQS keeps a message hidden for no longer than this, counted from the receive.
const LONGEST_STAY: Duration = Duration::from_hours(12);
/// Calls at a time for one receive: more than one only if it brought more than ten messages.
const CONCURRENCY: usize = 4;

/// How a heart beats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tempo {
    /// For how long a message is hidden by its receive, and by each beat.
    pub(crate) visibility: Duration,
    /// From the receive: no beat after this.
    pub(crate) limit: Duration,
}

/// The heartbeat of one receive's messages; ends when it is dropped.
pub(crate) struct Heartbeat {
    lapsed: CancellationToken,
    stop: CancellationToken,
    beating: AbortOnDropHandle<()>,
}

struct Heart<Q> {
    queue: Arc<Q>,
    tempo: Tempo,
    begun: Instant,
    /// Receipt handles of the messages that are not known to be gone.
    handles: Vec<String>,
    lapsed: CancellationToken,
    stop: CancellationToken,
}

impl Heartbeat {
    /// Begins with messages that were received just now.
    pub(crate) fn start<Q: Queue>(queue: Arc<Q>, records: &[Record], tempo: Tempo) -> Self {
        let (lapsed, stop) = (CancellationToken::new(), CancellationToken::new());
        let heart = Heart {
            queue,
            tempo,
            begun: Instant::now(),
            handles: records.iter().map(|record| record.receipt_handle().to_owned()).collect(),
            lapsed: lapsed.clone(),
            stop: stop.clone(),
        };
        let beating = AbortOnDropHandle::new(tokio::spawn(heart.beat().in_current_span()));
        Self { lapsed, stop, beating }
    }

    /// Ends when others may soon be handed the messages.
    pub(crate) async fn lapsed(&self) {
        self.lapsed.cancelled().await;
    }

    pub(crate) fn has_lapsed(&self) -> bool {
        self.lapsed.is_cancelled()
    }

    /// Ends it. A beat that is under way is waited for: it must not undo what is decided next.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        // It cannot panic, and if it did, the messages would become visible in time.
        let _ = self.beating.await;
    }
}

impl<Q: Queue> Heart<Q> {
    async fn beat(mut self) {
        let end = self.begun + self.tempo.limit;
        let mut next = self.begun + self.tempo.interval();
        let mut lapse = self.begun + self.tempo.hold();
        loop {
            let last = lapse.min(end);
            if self.stop.run_until_cancelled(sleep_until(next.min(last))).await.is_none() {
                return;
            }
            let now = Instant::now();
            if now >= last {
                self.lapsed.cancel();
                return;
            }
            (next, lapse) = if timeout_at(lapse, self.extend()).await.unwrap_or(false) {
                (now + self.tempo.interval(), now + self.tempo.hold())
            } else {
                (Instant::now() + self.tempo.pause(), lapse)
            };
        }
    }

    /// Hides every message for another visibility timeout; says whether that succeeded.
    async fn extend(&mut self) -> bool {
        let left = LONGEST_STAY.saturating_sub(self.begun.elapsed());
        let seconds = i32::try_from(self.tempo.visibility.min(left).as_secs()).unwrap_or(i32::MAX);
        let queue = &self.queue;
        let beats =
            chunks::cut(self.handles.clone(), |_| 0, 0).into_iter().map(|chunk| async move {
                let answer = queue.extend(&chunk, seconds).await;
                (chunk, answer)
            });
        let beats: Vec<_> = stream::iter(beats).buffered(CONCURRENCY).collect().await;
        let mut complete = true;
        for (chunk, answer) in beats {
            match answer {
                Ok(failures) => {
                    let gone = failures.iter().filter(|failure| failure.futile);
                    let gone: Vec<_> = gone.filter_map(|gone| chunk.get(gone.index)).collect();
                    complete &= gone.len() == failures.len();
                    self.handles.retain(|handle| !gone.contains(&handle));
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

impl Tempo {
    /// Between two beats.
    fn interval(self) -> Duration {
        self.visibility / 2
    }

    /// Before a failed beat is tried again: three attempts fit into what is left.
    fn pause(self) -> Duration {
        self.visibility / 8
    }

    /// For how long a message is surely ours: the queue's clock started before the answer came.
    fn hold(self) -> Duration {
        self.visibility / 8 * 7
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn three_attempts_fit_before_a_lapse_and_a_lapse_before_the_end(seconds in 2..=43_200_u64) {
            let visibility = Duration::from_secs(seconds);
            let tempo = Tempo { visibility, limit: visibility };
            prop_assert!(tempo.interval() + 2 * tempo.pause() < tempo.hold());
            prop_assert!(tempo.hold() + Duration::from_millis(250) <= visibility);
        }
    }
}
