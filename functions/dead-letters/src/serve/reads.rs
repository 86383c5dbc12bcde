//! Reads of queues for the page: one at a time, since two of one queue take each other's messages.
//!
//! Each is a task of its own. So if the browser leaves, the read ends, and still releases what it holds.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::problem::Problem;
use crate::queue::Interrupt;

pub(super) struct Reads {
    turn: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Reads {
    /// Which `stop` ends.
    pub(super) fn new(stop: &CancellationToken) -> Self {
        let (turn, tasks) = (Arc::new(Semaphore::new(1)), TaskTracker::new());
        Self { turn, tasks, stop: stop.clone() }
    }

    /// Runs a read, once those before it have ended.
    pub(super) async fn run<T, Read>(
        &self,
        read: impl FnOnce(Interrupt) -> Read,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        Read: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        let unwanted = self.stop.child_token();
        // If the browser leaves, this future is dropped, and the guard with it.
        let _guard = unwanted.clone().drop_guard();
        let turn = self.stop.run_until_cancelled(Arc::clone(&self.turn).acquire_owned()).await;
        let Some(Ok(turn)) = turn else { return Err(Problem::ending()) };
        let read = read(Interrupt::Token(unwanted));
        let done = self.tasks.spawn(async move {
            let done = read.await;
            drop(turn);
            done
        });
        let done = done.await.map_err(|panic| anyhow!(panic)).context("reading").flatten();
        done.map_err(
            |error| if self.stop.is_cancelled() { Problem::ending() } else { error.into() },
        )
    }

    /// Begins what moves messages, once the reads before it have ended. It goes on if the browser leaves,
    /// until it is stopped.
    pub(super) fn start<Job>(&self, job: impl FnOnce(Interrupt) -> Job) -> CancellationToken
    where
        Job: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.child_token();
        let job = job(Interrupt::Token(stop.clone()));
        let turn = Arc::clone(&self.turn).acquire_owned();
        self.tasks.spawn(async move {
            let _turn = turn.await;
            job.await;
        });
        stop
    }

    /// Waits until no read holds anything.
    pub(super) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
