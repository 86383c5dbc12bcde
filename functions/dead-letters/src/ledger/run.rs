//! A run's record: how it begins and how it ends.

use aws_config::SdkConfig;
use command_line::now;
use records::replays::{Counts, Run, RunState};
use uuid::Uuid;

use crate::identity::identity;
use crate::queue::Queue;

/// A run that begins now, by the command line `words`.
pub(crate) async fn new_run(aws: &SdkConfig, queue: &Queue, words: Vec<String>, why: &str) -> Run {
    Run {
        run: Uuid::now_v7().to_string(),
        state: RunState::Running,
        stopped_because: None,
        queue: queue.url.clone(),
        arguments: words,
        by: identity(aws).await,
        why: why.to_owned(),
        started_at: now(),
        ended_at: None,
        stages_passed: 0,
        chosen: None,
        counts: Counts::default(),
    }
}

/// The same, ended: done, or stopped for a cause.
pub(crate) fn ended_run(run: Run, stopped_because: Option<String>) -> Run {
    let state = if stopped_because.is_some() { RunState::Stopped } else { RunState::Done };
    Run { state, stopped_because, ended_at: Some(now()), ..run }
}
