//! Tasks of which a queue refused a fact: their facts wait for a moment, so that they neither come
//! out of order nor fill the next batch.

use std::collections::HashMap;
use std::time::Duration;

use domain::TaskId;
use tokio::time::Instant;

const PAUSE: Duration = Duration::from_secs(1);
/// With so many refusals it is the queue that is in trouble, not a few facts.
const MANY: usize = 1_000;

/// Which tasks wait, each until when.
#[derive(Debug, Default)]
pub(crate) struct Held(HashMap<TaskId, Instant>);

impl Held {
    pub(crate) fn add(&mut self, tasks: impl IntoIterator<Item = TaskId>) {
        let until = Instant::now() + PAUSE;
        self.0.extend(tasks.into_iter().map(|task| (task, until)));
    }

    /// Whether so many wait that the whole relay should.
    pub(crate) fn are_many(&self) -> bool {
        self.0.len() >= MANY
    }

    /// Those that still wait.
    pub(crate) fn tasks(&mut self) -> Vec<TaskId> {
        let now = Instant::now();
        self.0.retain(|_, until| *until > now);
        self.0.keys().copied().collect()
    }
}
