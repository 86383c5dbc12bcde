//! How many messages may be sent by now.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Between looks whether more may be sent.
const LOOK: Duration = Duration::from_millis(50);

/// So many messages a second, without making up for pauses of more than a second.
pub(super) struct Rate {
    per_second: Option<u32>,
    since: Instant,
    sent: f64,
}

impl Rate {
    pub(super) fn new(per_second: Option<u32>) -> Self {
        Self { per_second, since: Instant::now(), sent: 0.0 }
    }

    /// How many messages may be sent now.
    pub(super) fn allows(&mut self) -> usize {
        let Some(rate) = self.per_second.map(f64::from) else { return usize::MAX };
        let due = self.since.elapsed().as_secs_f64() * rate + 1.0 - self.sent;
        if due > rate + 1.0 {
            self.sent += due - rate - 1.0;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is bounded"
        )]
        let whole = due.clamp(0.0, rate.max(1.0)) as usize;
        whole
    }

    pub(super) fn count(&mut self, sent: usize) {
        #[expect(clippy::cast_precision_loss, reason = "no replay has 2^52 messages")]
        let sent = sent as f64;
        self.sent += sent;
    }

    /// Until more may be sent.
    pub(super) async fn wait(&self) {
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_messages_than_the_rate_leave() {
        let mut rate = Rate::new(Some(7));
        let mut sent = 0;
        for _ in 0..200 {
            let allowed = rate.allows().min(10);
            rate.count(allowed);
            sent += allowed;
            rate.wait().await;
        }
        assert!((70..=72).contains(&sent), "{sent} in ten seconds");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(rate.allows() <= 8, "a pause is not made up for");
    }
}
