//! What an invocation does while a dependency is unavailable.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::ensure;

use super::{ids, invoke, process, queue::RecordingQueue, record};
use crate::health::Dependencies;

const TIME: Duration = Duration::from_mins(1);

/// A dependency, and what makes it work.
fn dependency() -> (Dependencies, Arc<AtomicBool>) {
    let (dependencies, works) = (Dependencies::default(), Arc::new(AtomicBool::new(false)));
    let state = Arc::clone(&works);
    dependencies.declare("database", false, move || {
        let works = state.load(SeqCst);
        async move {
            ensure!(works, "connection refused");
            anyhow::Ok(())
        }
    });
    (dependencies, works)
}

/// Of nearly two minutes, the thirty seconds of the handler's limit are over.
#[tokio::test(start_paused = true)]
async fn the_time_that_a_handler_hung_is_a_part_of_the_wait() {
    let queue = RecordingQueue::new(true);
    let process = process(&queue, dependency().0);
    let answer = invoke(&process, &[record("1", "a", 2, "hang")], TIME).await.unwrap();
    assert_eq!(ids(&answer), ["1"]);
    let invisible = queue.invisible();
    assert!(matches!(&invisible[..], [(_, 80..=90)]), "{invisible:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_nothing_is_handled_until_the_checks_pass() {
    let queue = RecordingQueue::new(true);
    let (dependencies, works) = dependency();
    let process = process(&queue, dependencies);
    invoke(&process, &[record("1", "a", 1, "hang")], TIME).await.unwrap();
    let poison = [record("2", "b", 1, "reject")];
    assert_eq!(ids(&invoke(&process, &poison, TIME).await.unwrap()), ["2"]);
    assert!(queue.dead_letters().is_empty(), "it was not handled");
    works.store(true, SeqCst);
    assert_eq!(ids(&invoke(&process, &poison, TIME).await.unwrap()), [""; 0]);
    assert_eq!(queue.dead_letter_ids(), ["2"]);
}
