//! Whether a relay sleeps, and for how long before it polls by itself.
//!
//! A writer that looked whether a relay sleeps, before this one said so, notifies nobody, and may
//! commit after the poll that follows. So a relay polls again when it has slept for 10 ms, 20, 40 and
//! so on, and at least once a second, which also makes up for notifications that were lost. Such a fact
//! is polled about as long after its commit as that came after its writer's look, or 10 ms.
//!
//! To poll only while there is such a writer, a relay would have to look through the locks of the whole
//! database. A snapshot does not show it: a transaction gets its number when it writes its first row, which
//! is after it looked. The seven polls of the first second cost less.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause, in which most transactions commit.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// Since when a relay sleeps, if it does.
#[derive(Debug, Default)]
pub(crate) struct Sleep(Option<Instant>);

impl Sleep {
    /// From now on, and writers know.
    pub(crate) fn begin(&mut self) {
        self.0 = Some(Instant::now());
    }

    pub(crate) fn end(&mut self) {
        self.0 = None;
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.is_some()
    }

    /// How long to wait for a notification. Any that come meanwhile make it no longer.
    pub(crate) fn pause(&self) -> Duration {
        self.0.map_or(SHORTEST, |since| since.elapsed().clamp(SHORTEST, LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_relay_polls_after_as_long_as_it_has_slept_and_once_a_second_at_least() {
        let mut sleep = Sleep::default();
        for _ in 0..2 {
            sleep.begin();
            let mut pauses = Vec::new();
            for _ in 0..10 {
                let pause = sleep.pause();
                pauses.push(pause.as_millis());
                advance(pause).await;
            }
            assert_eq!(pauses, [10, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
            sleep.end();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn notifications_of_others_facts_make_no_pause_longer() {
        let mut sleep = Sleep::default();
        sleep.begin();
        for _ in 0..100 {
            advance(SHORTEST / 100).await;
            assert_eq!(sleep.pause(), SHORTEST);
        }
    }
}
