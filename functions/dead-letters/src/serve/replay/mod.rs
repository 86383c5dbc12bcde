//! Replays from the page: one at a time, with the code and the ledger of the command line.
//!
//! It goes on when the browser leaves: what was begun is ended by its end, by `Stop` or with the process.

mod asked;
mod routes;

pub(super) use routes::routes;

use std::sync::{Arc, Mutex, PoisonError};

use causes::with_causes;
use serde::Serialize;
use tokio::sync::watch::{self, Receiver};
use tokio_util::sync::CancellationToken;

use super::Site;
use super::problem::Problem;
use crate::arguments::ReplayArguments;
use crate::output::{Observed, observed};
use crate::replay::{Replayed, replay};

/// What may be replayed, and what is.
pub(super) struct Replays {
    pub(super) are_allowed: bool,
    last: Mutex<Option<Started>>,
}

/// The last replay, running or ended.
#[derive(Clone)]
struct Started {
    seen: Receiver<Observed>,
    end: Receiver<Option<Arc<End>>>,
    stop: CancellationToken,
}

/// What a replay came to.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum End {
    Run(Box<Replayed>),
    Error(String),
}

impl Replays {
    pub(super) fn new(are_allowed: bool) -> Self {
        Self { are_allowed, last: Mutex::new(None) }
    }

    fn last(&self) -> Option<Started> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Begins a replay, unless one is running.
fn begin(site: &Arc<Site>, arguments: ReplayArguments, words: Vec<String>) -> Result<(), Problem> {
    let mut last = site.replays.last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.as_ref().is_some_and(|last| last.end.borrow().is_none()) {
        return Err(Problem::conflict("another replay is running: wait for its end, or stop it"));
    }
    let (observer, seen) = watch::channel(Observed::default());
    let (ended, end) = watch::channel(None);
    let site_of_task = Arc::clone(site);
    let stop = site.reads.start(|mut interrupt| async move {
        let site = site_of_task;
        // It is large.
        let run = Box::pin(replay(&site.aws, &site.client, &arguments, &words, &mut interrupt));
        let end = match observed(observer, run).await {
            Ok(replayed) => End::Run(Box::new(replayed)),
            Err(error) => End::Error(with_causes(error.as_ref())),
        };
        // Nobody may watch.
        let _ = ended.send(Some(Arc::new(end)));
    });
    *last = Some(Started { seen, end, stop });
    Ok(())
}
