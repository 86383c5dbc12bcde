//! Each command takes effect exactly once and in order, whatever happens to the worker.

use nix::sys::signal::Signal;

use crate::support::load::Load;
use crate::support::system::{TestSystem, eventually};

/// Short enough that what a killed worker held is handed out again soon.
const SHORT_VISIBILITY: [(&str, &str); 2] =
    [("QUEUE_VISIBILITY_SECONDS", "5"), ("HANDLER_TIMEOUT_SECONDS", "3")];

/// While the load is still being sent.
async fn is_in_the_middle(system: &TestSystem) {
    eventually("the first worker is in the middle", async || {
        (system.count("SELECT count(*) FROM inbox").await > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_thousand_commands_with_repeats_leave_what_their_fold_leaves() {
    let system = TestSystem::new().await;
    let load = Load::random(1, 1_000);
    let _worker = system.worker().await;
    system.send(&load.messages).await;
    system.processed(load.distinct).await;
    load.assert_is_what_is_left(&system).await;
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_changes_nothing_of_that() {
    let system = TestSystem::new().await;
    let load = Load::random(2, 1_000);
    let mut first = system.start_worker("first", &SHORT_VISIBILITY);
    tokio::join!(system.send(&load.messages), async {
        is_in_the_middle(&system).await;
        first.kill().await.expect("killed");
    });
    let before = system.count("SELECT count(*) FROM inbox").await;
    assert!(before < load.distinct, "the worker was faster than its end");

    let _second = system.start_worker("second", &SHORT_VISIBILITY);
    system.processed(load.distinct).await;
    load.assert_is_what_is_left(&system).await;
}

#[tokio::test]
async fn sigterm_under_load_loses_nothing_and_gives_back_at_once() {
    let system = TestSystem::new().await;
    let load = Load::random(3, 600);
    // What a worker holds would be invisible for longer than this test waits.
    let long = [("QUEUE_VISIBILITY_SECONDS", "300"), ("QUEUE_CONCURRENCY", "1")];
    let mut first = system.start_worker("first", &long);
    tokio::join!(system.send(&load.messages), async {
        is_in_the_middle(&system).await;
        first.process().signal(Signal::SIGTERM).expect("a signal");
        let status = first.process().wait().await.expect("an end");
        assert!(status.success(), "{status}");
    });

    let _second = system.start_worker("second", &long);
    system.processed(load.distinct).await;
    load.assert_is_what_is_left(&system).await;
}

#[tokio::test]
async fn two_workers_share_a_queue_and_keep_the_order() {
    let system = TestSystem::new().await;
    let load = Load::random(4, 600);
    let _workers = [system.start_worker("first", &[]), system.start_worker("second", &[])];
    system.send(&load.messages).await;
    system.processed(load.distinct).await;
    load.assert_is_what_is_left(&system).await;
}
