//! Each command takes effect exactly once and in order, whatever happens to the worker.

use nix::sys::signal::Signal;

use crate::load::Load;
use crate::world::{World, eventually};

/// Short enough that what a killed worker held is handed out again soon.
const SHORT_VISIBILITY: [(&str, &str); 2] =
    [("QUEUE_VISIBILITY_SECONDS", "5"), ("HANDLER_TIMEOUT_SECONDS", "3")];

/// While the load is still being sent.
async fn is_in_the_middle(world: &World) {
    eventually("the first worker is in the middle", async || {
        (world.count("SELECT count(*) FROM inbox").await > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_thousand_commands_with_repeats_leave_what_their_fold_leaves() {
    let world = World::new().await;
    let load = Load::random(1, 1_000);
    let _worker = world.worker().await;
    world.send(&load.messages).await;
    world.processed(load.distinct).await;
    load.assert_is_what_is_left(&world).await;
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_changes_nothing_of_that() {
    let world = World::new().await;
    let load = Load::random(2, 1_000);
    let mut first = world.start_worker("first", &SHORT_VISIBILITY);
    tokio::join!(world.send(&load.messages), async {
        is_in_the_middle(&world).await;
        first.kill().await.expect("killed");
    });
    let before = world.count("SELECT count(*) FROM inbox").await;
    assert!(before < load.distinct, "the worker was faster than its end");

    let _second = world.start_worker("second", &SHORT_VISIBILITY);
    world.processed(load.distinct).await;
    load.assert_is_what_is_left(&world).await;
}

#[tokio::test]
async fn sigterm_under_load_loses_nothing_and_gives_back_at_once() {
    let world = World::new().await;
    let load = Load::random(3, 600);
    // What a worker holds would be invisible for longer than this test waits.
    let long = [("QUEUE_VISIBILITY_SECONDS", "300"), ("QUEUE_CONCURRENCY", "1")];
    let mut first = world.start_worker("first", &long);
    tokio::join!(world.send(&load.messages), async {
        is_in_the_middle(&world).await;
        first.process().signal(Signal::SIGTERM).expect("a signal");
        let status = first.process().wait().await.expect("an end");
        assert!(status.success(), "{status}");
    });

    let _second = world.start_worker("second", &long);
    world.processed(load.distinct).await;
    load.assert_is_what_is_left(&world).await;
}

#[tokio::test]
async fn two_workers_share_a_queue_and_keep_the_order() {
    let world = World::new().await;
    let load = Load::random(4, 600);
    let _workers = [world.start_worker("first", &[]), world.start_worker("second", &[])];
    world.send(&load.messages).await;
    world.processed(load.distinct).await;
    load.assert_is_what_is_left(&world).await;
}
