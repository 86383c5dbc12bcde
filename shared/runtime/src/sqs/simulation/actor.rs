//! A handler that does what handlers do, by chance.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{dice::Dice, ledger::Ledger, plan::Habits};
use crate::sqs::{BatchHandler, Delivery, Handler, Reject, Retry, Verdict, queue::rules::Rules};

/// What the handlers of all of a function's lives share.
pub(super) struct Stage {
    pub(super) ledger: Arc<Ledger>,
    pub(super) dice: Dice,
    pub(super) habits: Habits,
    pub(super) rules: Rules,
    pub(super) timeout: Duration,
    pub(super) begun: Instant,
    /// From now on everything works.
    pub(super) calm: AtomicBool,
}

/// The handler of one life.
#[derive(Clone)]
pub(super) struct Actor {
    pub(super) stage: Arc<Stage>,
    pub(super) dead: CancellationToken,
}

#[derive(Debug)]
pub(super) struct Decoded {
    group: String,
    body: String,
    receives: u32,
}

/// What a handler has; given up however its future ends.
struct Busy<'a> {
    ledger: &'a Ledger,
    places: BTreeSet<String>,
}

impl<'a> Busy<'a> {
    fn with(ledger: &'a Ledger, batch: &[Decoded]) -> Self {
        let places = batch.iter().map(|decoded| decoded.group.clone()).collect();
        ledger.begin(&places);
        if let [only] = batch {
            ledger.alone(&only.body, only.receives);
        }
        Self { ledger, places }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.ledger.end(&self.places);
    }
}

impl Actor {
    fn decode(delivery: &Delivery) -> Result<Decoded, Reject> {
        let body = delivery.body().to_owned();
        if body.starts_with("malformed") {
            return Err(Reject::new("malformed", "it is"));
        }
        if body.starts_with("explosive") {
            resume_unwind(Box::new("a decoder may panic"));
        }
        let group = delivery.group_id().unwrap_or_default().to_owned();
        Ok(Decoded { group, body, receives: delivery.attempt() })
    }

    /// Works as long as its process lives.
    async fn live<T>(&self, work: impl Future<Output = T>) -> T {
        match self.dead.run_until_cancelled(work).await {
            Some(done) => done,
            None => pending().await,
        }
    }

    /// Something between two messages.
    async fn dawdle(&self) {
        let (dice, habits) = (&self.stage.dice, self.stage.habits);
        sleep(dice.millis(0..=20)).await;
        if self.stage.calm.load(SeqCst) {
            return;
        }
        if dice.chance(habits.panics) {
            // Without the hook, which would print a backtrace for each.
            resume_unwind(Box::new("a handler may panic"));
        }
        if dice.chance(habits.hangs) {
            sleep(self.stage.timeout * 3).await;
        }
        if dice.chance(habits.dawdles) {
            let most = u64::try_from(self.stage.timeout.as_millis()).unwrap_or(u64::MAX);
            sleep(dice.millis(0..=most)).await;
        }
    }

    fn decide(&self, decoded: &Decoded) -> Verdict {
        let Stage { ledger, dice, habits, begun, calm, .. } = &*self.stage;
        if decoded.body.starts_with("refused") {
            return Reject::new("refused", "it is").into();
        }
        if !calm.load(SeqCst) {
            if (habits.outage.0..habits.outage.1).contains(&begun.elapsed()) {
                return Retry::unavailable("dependency_unavailable", "it is").into();
            }
            if dice.chance(habits.retries) {
                let retry = Retry::new("unlucky", "it was");
                let after = dice.millis(0..=5_000);
                return if dice.chance(50) { retry } else { retry.after(after) }.into();
            }
        }
        ledger.effect(&decoded.group, &decoded.body);
        Verdict::Ack
    }

    fn sign(&self, decoded: &Decoded, verdict: &Verdict) {
        if *verdict == Verdict::Ack {
            self.stage.ledger.acked(&decoded.body, decoded.receives);
        }
    }

    /// What is answered for a message behind a retried one, which must not take effect: in a FIFO
    /// queue anything, for it is handed out again, unless this is its last delivery.
    fn leave(&self, decoded: &Decoded, retry: &Verdict) -> Verdict {
        let Rules { fifo, max_receive_count } = self.stage.rules;
        let anything = fifo && decoded.receives < max_receive_count;
        if anything && self.stage.dice.chance(50) { Verdict::Ack } else { retry.clone() }
    }

    async fn act(&self, batch: Vec<Decoded>) -> Vec<Verdict> {
        let _busy = Busy::with(&self.stage.ledger, &batch);
        let mut stopped = BTreeMap::new();
        let (mut verdicts, mut decided) = (Vec::new(), Vec::new());
        for decoded in &batch {
            self.dawdle().await;
            if let Some(retry) = stopped.get(&decoded.group) {
                verdicts.push(self.leave(decoded, retry));
                continue;
            }
            let verdict = self.decide(decoded);
            if matches!(verdict, Verdict::Retry(_)) {
                stopped.insert(decoded.group.clone(), verdict.clone());
            }
            decided.push((decoded, verdict.clone()));
            verdicts.push(verdict);
        }
        if !self.stage.calm.load(SeqCst) && self.stage.dice.chance(self.stage.habits.miscounts) {
            verdicts.pop();
            return verdicts;
        }
        for (decoded, verdict) in decided {
            self.sign(decoded, &verdict);
        }
        verdicts
    }
}

impl BatchHandler for Actor {
    type Message = Decoded;

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, Reject> {
        Self::decode(delivery)
    }

    async fn handle(&self, batch: Vec<Decoded>) -> Vec<Verdict> {
        self.live(self.act(batch)).await
    }
}

impl Handler for Actor {
    type Message = Decoded;

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, Reject> {
        Self::decode(delivery)
    }

    async fn handle(&self, decoded: Decoded) -> Verdict {
        let act = async {
            let batch = [decoded];
            let _busy = Busy::with(&self.stage.ledger, &batch);
            self.dawdle().await;
            let [decoded] = &batch;
            let verdict = self.decide(decoded);
            self.sign(decoded, &verdict);
            verdict
        };
        self.live(act).await
    }
}
