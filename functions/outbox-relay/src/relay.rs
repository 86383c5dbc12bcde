//! The relay's life: turn after turn, with a sleep when there is nothing to do and a pause when
//! something is away.
//!
//! A queue that takes nothing pauses the whole relay: a fact is done when every queue has it, so
//! little could go on without that queue, and nothing is lost meanwhile. A fact that is refused by
//! itself holds back its own task only.

use std::time::Duration;

use runtime::Host;
use store::{Outbox, Store};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config::Config;
use crate::pace::Pace;
use crate::queues::Queues;
use crate::turn::{Turn, Turns};

/// The longest sleep: makes up for a notification that was lost.
const SLEEP: Duration = Duration::from_secs(1);

/// What each run of the relay begins with.
#[derive(Clone)]
pub(crate) struct Relay {
    store: Store,
    queues: Queues,
    config: Config,
    host: Host,
}

impl Relay {
    pub(crate) fn new(store: Store, queues: Queues, config: Config, host: Host) -> Self {
        Outbox::describe_gauges();
        Self { store, queues, config, host }
    }

    /// Tells facts until `stop`; in a Lambda until nothing is left, or `stop`. Then the others get
    /// its shards.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let outbox = Outbox::new(self.store, self.config.lease());
        let mut turns = Turns::new(outbox, self.queues, &self.config);
        let mut pace = Pace::default();
        while !stop.is_cancelled() {
            let pause = match turns.turn().await {
                Ok(Turn::Idle) if self.host == Host::Lambda => break,
                Ok(turn) => after(&turn, &mut pace),
                Err(error) => {
                    warn!(error = format!("{error:#}"), "cannot relay; trying again");
                    after(&Turn::Failed, &mut pace)
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
                    () = turns.wait() => {},
                    () = sleep(SLEEP) => {},
                },
            }
        }
        turns.end().await
    }
}

/// What to do before the next turn.
enum Pause {
    None,
    For(Duration),
    Sleep,
}

fn after(turn: &Turn, pace: &mut Pace) -> Pause {
    if *turn == Turn::Failed {
        return Pause::For(pace.pause(&mut rand::rng()));
    }
    pace.well();
    if *turn == Turn::Idle { Pause::Sleep } else { Pause::None }
}
