//! The relay's life: publish cycles, with a sleep when there is nothing to do and a pause when
//! something is unavailable, and the upkeep beside them.
//!
//! A queue that takes nothing pauses all publishing: a fact is done when every queue has it, so
//! little could go on without that queue, and nothing is lost meanwhile. A fact that is refused by
//! itself holds back its own task only.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use runtime::Host;
use store::{OUTBOX_INSTRUMENTS, Outbox, Store};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::Config;
use crate::instruments::INSTRUMENTS;
use crate::publish_cycle::{Cycle, Publisher};
use crate::queues::Queues;
use crate::upkeep::{Upkeep, failed};

/// What each run of the relay begins with.
#[derive(Clone)]
pub(crate) struct Relay {
    store: Store,
    queues: Queues,
    config: Config,
    host: Host,
    /// Why the last publish cycle failed, if it did.
    failure: watch::Sender<Option<String>>,
}

impl Relay {
    pub(crate) fn new(store: Store, queues: Queues, config: Config, host: Host) -> Self {
        instruments::describe(INSTRUMENTS);
        instruments::describe(OUTBOX_INSTRUMENTS);
        Self { store, queues, config, host, failure: watch::Sender::default() }
    }

    /// Fails while publish cycles fail.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.failure.borrow().clone().map_or(Ok(()), |failure| Err(anyhow!(failure)))
    }

    /// Publishes facts until `stop`; in a Lambda until nothing is left, or `stop`. Then the others
    /// get its shards.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let outbox = Arc::new(Outbox::new(self.store.clone(), self.config.lease()));
        let publisher = Publisher::new(Arc::clone(&outbox), self.queues.clone(), &self.config);
        let upkeep = Upkeep::new(
            Arc::clone(&outbox),
            self.config.inbox_retention(),
            publisher.leases(),
            publisher.uncached(),
        );
        let done = CancellationToken::new();
        let publish = async {
            let _done = done.clone().drop_guard();
            self.publish(publisher, &stop).await;
        };
        tokio::join!(publish, upkeep.run(done.clone()));
        Ok(outbox.release().await?)
    }

    async fn publish(&self, mut publisher: Publisher, stop: &CancellationToken) {
        let mut backoff = Backoff::default();
        while !stop.is_cancelled() {
            let pause = match publisher.cycle().await {
                Ok(Cycle::Idle) if self.host == Host::Lambda => break,
                Ok(cycle) => self.after(&cycle, &mut backoff),
                Err(error) => {
                    failed("publish", &error);
                    self.failed(format!("{error:#}"), &mut backoff)
                }
            };
            match pause {
                Pause::None => {}
                Pause::For(pause) => tokio::select! {
                    () = stop.cancelled() => {},
                    () = sleep(pause) => {},
                },
                Pause::Sleep => tokio::select! {
                    () = stop.cancelled() => {},
                    () = publisher.sleep() => {},
                },
            }
        }
    }

    fn after(&self, cycle: &Cycle, backoff: &mut Backoff) -> Pause {
        if *cycle == Cycle::Unavailable {
            return self.failed("a queue is unavailable".to_owned(), backoff);
        }
        self.failure.send_replace(None);
        backoff.reset();
        if *cycle == Cycle::Idle { Pause::Sleep } else { Pause::None }
    }

    fn failed(&self, failure: String, backoff: &mut Backoff) -> Pause {
        self.failure.send_replace(Some(failure));
        Pause::For(backoff.pause(&mut rand::rng()))
    }
}

/// What to do before the next cycle.
enum Pause {
    None,
    For(Duration),
    Sleep,
}
