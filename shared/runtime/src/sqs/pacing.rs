//! Adaptive pacing: what is asked of the queue while a dependency is away.
//!
//! Every delivery counts towards the queue's limit. A consumer that goes on receiving while its
//! database is away would use the deliveries of a whole queue up in minutes and fill the dead-letter
//! queue with messages that nothing is wrong with. So, after a [`Retry::unavailable`], nothing is
//! received for a while, and then a single message, the probe; the pause doubles until one succeeds.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::{Gauge, gauge};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use tracing::{info, warn};

use super::{Record, Retry, Verdict, backoff::Backoff};
use crate::metrics::CONSUMER_PAUSED;

/// The first pause takes between half of this and all of it; each later one doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whether a consumer receives. Shared by its pollers, who ask, and its worker, who knows.
pub(crate) struct Pacing {
    state: Mutex<State>,
    /// Wakes the pollers that wait for a probe's result.
    changed: Notify,
    paused: Gauge,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Flowing,
    Paused(Pause),
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    since: Instant,
    /// Probes that failed.
    round: u32,
    until: Instant,
    probing: bool,
}

/// What a poller is told.
#[derive(Debug, Clone, Copy)]
enum Pass {
    Free,
    Probe,
    /// Not before then, or before a probe's result.
    Wait(Option<Instant>),
}

/// The right to receive one message during a pause. Dropped without a result, it is given to
/// another.
pub(crate) struct Probe(Arc<Pacing>);

impl Pacing {
    pub(crate) fn new(queue: &str) -> Self {
        let paused = gauge!(CONSUMER_PAUSED, "queue" => queue.to_owned());
        paused.set(0.0);
        Self { state: Mutex::new(State::Flowing), changed: Notify::new(), paused }
    }

    /// Waits until something may be received: one message with a probe, any number without.
    pub(crate) async fn admit(self: &Arc<Self>) -> Option<Probe> {
        loop {
            let changed = self.changed.notified();
            match self.ask() {
                Pass::Free => return None,
                Pass::Probe => return Some(Probe(Arc::clone(self))),
                Pass::Wait(None) => changed.await,
                Pass::Wait(Some(until)) => {
                    // Whether it is time or something has changed: ask again.
                    let _ = timeout_at(until, changed).await;
                }
            }
        }
    }

    fn ask(&self) -> Pass {
        match &mut *self.state() {
            State::Flowing => Pass::Free,
            State::Paused(Pause { probing: true, .. }) => Pass::Wait(None),
            State::Paused(pause) if Instant::now() < pause.until => Pass::Wait(Some(pause.until)),
            State::Paused(pause) => {
                pause.probing = true;
                Pass::Probe
            }
        }
    }

    /// Learns from a batch's verdicts; `probed` if the batch was a probe. During a pause nothing else
    /// counts: it was received before.
    pub(crate) fn observe(&self, verdicts: &[Verdict], probed: bool, random: &Backoff) {
        let trouble = verdicts.iter().find_map(unavailable);
        let works = trouble.is_none() && verdicts.contains(&Verdict::Ack);
        let mut state = self.state();
        match (&mut *state, trouble) {
            (State::Flowing, Some(retry)) => {
                warn!(
                    reason = retry.reason,
                    detail = retry.detail,
                    "a dependency is away: pausing"
                );
                *state = State::Paused(Pause::new(Instant::now(), 0, random));
                self.paused.set(1.0);
            }
            (State::Paused(pause), Some(_)) if probed => {
                *pause = Pause::new(pause.since, pause.round.saturating_add(1), random);
            }
            (State::Paused(pause), None) if probed && works => {
                info!(paused = ?pause.since.elapsed(), "the dependency is back: receiving again");
                *state = State::Flowing;
                self.paused.set(0.0);
            }
            _ => {}
        }
    }

    /// Has messages that failed for the pause's cause come back no sooner than they would be
    /// received.
    pub(crate) fn postpone(&self, records: &[Record], verdicts: &mut [Verdict], backoff: &Backoff) {
        let State::Paused(pause) = *self.state() else { return };
        let left = pause.until.saturating_duration_since(Instant::now());
        for (record, verdict) in records.iter().zip(verdicts) {
            let Verdict::Retry(retry) = verdict else { continue };
            if retry.unavailable {
                let usual = || backoff.wait(record.receive_count());
                retry.after = Some(retry.after.unwrap_or_else(usual).max(left));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pause {
    fn new(since: Instant, round: u32, random: &Backoff) -> Self {
        let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(round)).min(LONGEST_PAUSE);
        let until = Instant::now() + random.between(longest / 2, longest);
        Self { since, round, until, probing: false }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let State::Paused(pause) = &mut *self.0.state() {
            pause.probing = false;
        }
        self.0.changed.notify_waiters();
    }
}

fn unavailable(verdict: &Verdict) -> Option<&Retry> {
    match verdict {
        Verdict::Retry(retry) if retry.unavailable => Some(retry),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng as _, rngs::SmallRng};

    use super::*;
    use crate::sqs::Config;

    fn random(seed: u64) -> Backoff {
        Backoff::new(&Config::for_test(), SmallRng::seed_from_u64(seed))
    }

    fn away() -> Vec<Verdict> {
        vec![Retry::unavailable("away", "").into()]
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_not_used_goes_to_another() {
        let pacing = Arc::new(Pacing::new("queue"));
        pacing.observe(&away(), false, &random(1));
        let first = pacing.admit().await.expect("a probe");
        let waiting = Arc::clone(&pacing);
        let second = tokio::spawn(async move { waiting.admit().await.is_some() });
        tokio::time::sleep(LONGEST_PAUSE).await;
        assert!(!second.is_finished(), "one probe at a time");
        drop(first);
        assert!(second.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_probe_that_is_acked_ends_the_pause() {
        let pacing = Arc::new(Pacing::new("queue"));
        let random = random(1);
        pacing.observe(&away(), false, &random);
        pacing.observe(&[Verdict::Ack], false, &random);
        let probe = pacing.admit().await;
        assert!(probe.is_some(), "what was received before proves nothing");
        pacing.observe(&[Retry::new("other", "").into()], true, &random);
        drop(probe);
        let probe = pacing.admit().await;
        assert!(probe.is_some(), "neither does another failure");
        pacing.observe(&[Verdict::Ack], true, &random);
        drop(probe);
        assert!(pacing.admit().await.is_none());
    }

    proptest! {
        #[test]
        fn pauses_double_within_their_bounds(round in 0..=u32::MAX, seed: u64) {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
            let length = runtime.block_on(async {
                let now = Instant::now();
                Pause::new(now, round, &random(seed)).until - now
            });
            let most = Duration::from_secs(2 << round.min(4)).min(LONGEST_PAUSE);
            prop_assert!((most / 2..=most).contains(&length), "{length:?}");
        }

        #[test]
        fn what_failed_for_the_cause_comes_back_no_sooner_than_the_pause_ends(
            after in prop::option::of(0..100_u64), unavailable: bool, seed: u64,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let (pacing, random) = (Pacing::new("queue"), random(seed));
                pacing.observe(&away(), false, &random);
                let after = after.map(Duration::from_secs);
                let retry = Retry { after, unavailable, ..Retry::new("away", "") };
                let mut verdicts = [Verdict::Retry(retry.clone()), Verdict::Ack];
                let records = [Record::in_group("a", 1), Record::in_group("b", 1)];
                pacing.postpone(&records, &mut verdicts, &random);
                let [Verdict::Retry(postponed), Verdict::Ack] = verdicts else { panic!() };
                if unavailable {
                    let wait = postponed.after.unwrap();
                    assert!(wait >= FIRST_PAUSE / 2 && after.is_none_or(|after| wait >= after));
                } else {
                    assert_eq!(postponed, retry);
                }
            });
        }
    }
}
