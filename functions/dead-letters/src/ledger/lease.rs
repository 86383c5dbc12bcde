//! Who works on a run: one process at a time.

use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use command_line::now;
use records::replays::{Replays, Run};
use tokio::time::sleep;
use uuid::Uuid;

use crate::output;

/// For how long a process holds a run without a sign of life.
const LENGTH: TimeDelta = TimeDelta::seconds(30);
/// Between attempts to take a run over.
const PAUSE: Duration = Duration::from_secs(1);
/// Attempts: somebody who still holds the run after them goes on with it.
const ATTEMPTS: u32 = 35;

/// The hold of this process.
pub(crate) struct Lease(String);

impl Lease {
    /// How often the hold is to be renewed.
    pub(crate) const RENEWAL: Duration = Duration::from_secs(8);

    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    pub(super) fn holder(&self) -> &str {
        &self.0
    }

    pub(super) fn until(now: DateTime<Utc>) -> DateTime<Utc> {
        now + LENGTH
    }
}

pub(super) async fn take_over(
    table: &Replays,
    run: &Run,
    lease: &Lease,
    is_abandoned: bool,
) -> anyhow::Result<()> {
    for attempt in 0..ATTEMPTS {
        let now = now();
        let held_before = (!is_abandoned).then_some(now);
        if table.take_over(run, lease.holder(), Lease::until(now), held_before).await? {
            return Ok(());
        }
        if attempt == 0 {
            let seconds = LENGTH.num_seconds();
            output::note(&format!(
                "another process may still work on {}. Waiting for {seconds} seconds at most; \
                 `--take-over` does not wait",
                run.run
            ));
        }
        sleep(PAUSE).await;
    }
    bail!("another process works on the run {}", run.run)
}
