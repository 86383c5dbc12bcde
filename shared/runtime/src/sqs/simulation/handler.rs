//! A handler that acknowledges, retries, is late, hangs or panics, by chance.

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

use super::{dice::Dice, ledger::Ledger, plan::Behaviour};
use crate::sqs::{BatchHandler, Delivery, Handler, Reject, Retry, Verdict, queue::rules::Rules};

/// What the handlers of all processes share.
pub(super) struct Shared {
    pub(super) ledger: Arc<Ledger>,
    pub(super) dice: Dice,
    pub(super) behaviour: Behaviour,
    pub(super) rules: Rules,
    pub(super) timeout: Duration,
    pub(super) begun: Instant,
    /// Whether everything works from now on.
    pub(super) works: AtomicBool,
}

/// The handler of one process.
#[derive(Clone)]
pub(super) struct SimulatedHandler {
    pub(super) shared: Arc<Shared>,
    pub(super) crashed: CancellationToken,
}

#[derive(Debug)]
pub(super) struct Decoded {
    group: String,
    body: String,
    receives: u32,
}

/// The groups whose messages a handler has; given up however its future ends.
struct Busy<'a> {
    ledger: &'a Ledger,
    groups: BTreeSet<String>,
}

impl<'a> Busy<'a> {
    fn with(ledger: &'a Ledger, batch: &[Decoded]) -> Self {
        let groups = batch.iter().map(|decoded| decoded.group.clone()).collect();
        ledger.begin(&groups);
        if let [only] = batch {
            ledger.alone(&only.body, only.receives);
        }
        Self { ledger, groups }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.ledger.end(&self.groups);
    }
}

impl SimulatedHandler {
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

    /// Works until its process crashes.
    async fn until_crash<T>(&self, work: impl Future<Output = T>) -> T {
        match self.crashed.run_until_cancelled(work).await {
            Some(done) => done,
            None => pending().await,
        }
    }

    /// What may happen before a message is handled.
    async fn delay(&self) {
        let (dice, behaviour) = (&self.shared.dice, self.shared.behaviour);
        sleep(dice.millis(0..=20)).await;
        if self.shared.works.load(SeqCst) {
            return;
        }
        if dice.chance(behaviour.panics) {
            // Without the hook, which would print a backtrace for each.
            resume_unwind(Box::new("a handler may panic"));
        }
        if dice.chance(behaviour.hangs) {
            sleep(self.shared.timeout * 3).await;
        }
        if dice.chance(behaviour.delays) {
            let most = u64::try_from(self.shared.timeout.as_millis()).unwrap_or(u64::MAX);
            sleep(dice.millis(0..=most)).await;
        }
    }

    fn decide(&self, decoded: &Decoded) -> Verdict {
        let Shared { ledger, dice, behaviour, begun, works, .. } = &*self.shared;
        if decoded.body.starts_with("refused") {
            return Reject::new("refused", "it is").into();
        }
        if !works.load(SeqCst) {
            if (behaviour.outage.0..behaviour.outage.1).contains(&begun.elapsed()) {
                return Retry::unavailable("dependency_unavailable", "it is").into();
            }
            if dice.chance(behaviour.retries) {
                let retry = Retry::new("unlucky", "it was");
                let after = dice.millis(0..=5_000);
                return if dice.chance(50) { retry } else { retry.after(after) }.into();
            }
        }
        ledger.effect(&decoded.group, &decoded.body);
        Verdict::Ack
    }

    fn acknowledged(&self, decoded: &Decoded, verdict: &Verdict) {
        if *verdict == Verdict::Ack {
            self.shared.ledger.acked(&decoded.body, decoded.receives);
        }
    }

    /// What is answered for a message behind a retried one, which must not take effect: in a FIFO
    /// queue anything, for it is handed out again, unless this is its last delivery.
    fn behind_retry(&self, decoded: &Decoded, retry: &Verdict) -> Verdict {
        let Rules { fifo, max_receive_count } = self.shared.rules;
        let anything = fifo && decoded.receives < max_receive_count;
        if anything && self.shared.dice.chance(50) { Verdict::Ack } else { retry.clone() }
    }

    async fn act(&self, batch: Vec<Decoded>) -> Vec<Verdict> {
        let _busy = Busy::with(&self.shared.ledger, &batch);
        let mut stopped = BTreeMap::new();
        let (mut verdicts, mut decided) = (Vec::new(), Vec::new());
        for decoded in &batch {
            self.delay().await;
            if let Some(retry) = stopped.get(&decoded.group) {
                verdicts.push(self.behind_retry(decoded, retry));
                continue;
            }
            let verdict = self.decide(decoded);
            if matches!(verdict, Verdict::Retry(_)) {
                stopped.insert(decoded.group.clone(), verdict.clone());
            }
            decided.push((decoded, verdict.clone()));
            verdicts.push(verdict);
        }
        if !self.shared.works.load(SeqCst)
            && self.shared.dice.chance(self.shared.behaviour.miscounts)
        {
            verdicts.pop();
            return verdicts;
        }
        for (decoded, verdict) in decided {
            self.acknowledged(decoded, &verdict);
        }
        verdicts
    }
}

impl BatchHandler for SimulatedHandler {
    type Message = Decoded;

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, Reject> {
        Self::decode(delivery)
    }

    async fn handle(&self, batch: Vec<Decoded>) -> Vec<Verdict> {
        self.until_crash(self.act(batch)).await
    }
}

impl Handler for SimulatedHandler {
    type Message = Decoded;

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, Reject> {
        Self::decode(delivery)
    }

    async fn handle(&self, decoded: Decoded) -> Verdict {
        let act = async {
            let batch = [decoded];
            let _busy = Busy::with(&self.shared.ledger, &batch);
            self.delay().await;
            let [decoded] = &batch;
            let verdict = self.decide(decoded);
            self.acknowledged(decoded, &verdict);
            verdict
        };
        self.until_crash(act).await
    }
}
