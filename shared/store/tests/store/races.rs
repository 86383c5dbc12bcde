//! Several writers at once: whatever the interleaving, each command takes effect once.

use std::time::Duration;

use domain::{Refusal, TaskId};
use futures::FutureExt as _;
use futures::future::join_all;
use rand::seq::SliceRandom as _;
use secrecy::ExposeSecret as _;
use store::{Incoming, Outcome, Receipt};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::fixture::{Fixture, connect_once, create, incoming, new_task, now, rename};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_new_commands_by_many_at_once_take_effect_once() {
    const ROUNDS: usize = 20;
    let fixture = Fixture::new().await;
    // The first rounds open the connections; in the later ones the writers really meet.
    for round in 0..ROUNDS {
        let tasks: Vec<_> = (0..10).map(|_| new_task()).collect();
        let batch: Vec<Incoming> = tasks
            .iter()
            .enumerate()
            .map(|(index, task)| incoming(&format!("{round}-{index}"), *task, create("Buy milk")))
            .collect();
        let all = join_all((0..8).map(|_| {
            let mut batch = batch.clone();
            batch.shuffle(&mut rand::rng());
            fixture.apply(batch)
        }));
        let receipts: Vec<_> = all.await.into_iter().flatten().collect();
        assert!(receipts.iter().all(|receipt| receipt.outcome == Outcome::Applied { version: 1 }));
        assert_eq!(receipts.iter().filter(|receipt| !receipt.repeated).count(), tasks.len());
    }
    let facts = fixture.look("SELECT count(*)::text FROM outbox").await;
    assert_eq!(facts, (ROUNDS * 10).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hot_tasks_in_any_order_never_deadlock_and_lose_no_update() {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 10;
    let fixture = Fixture::new().await;
    let tasks: Vec<_> = (0..10).map(|_| new_task()).collect();
    let creates = tasks.iter().enumerate();
    fixture
        .apply(creates.map(|(i, task)| incoming(&format!("c{i}"), *task, create("New"))).collect())
        .await;

    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, tasks) = (fixture.writer.clone(), tasks.clone());
        writers.spawn(async move {
            for round in 0..ROUNDS {
                let mut batch: Vec<_> = tasks
                    .iter()
                    .map(|task| {
                        let id = format!("{writer}-{round}-{task}");
                        incoming(&id, *task, rename(&id, None))
                    })
                    .collect();
                batch.shuffle(&mut rand::rng());
                let receipts = store.apply(batch, now()).await.expect("an applied batch");
                let is_applied =
                    |receipt: &Receipt| matches!(receipt.outcome, Outcome::Applied { .. });
                assert!(receipts.iter().all(is_applied), "{receipts:?}");
            }
        });
    }
    writers.join_all().await;

    let expected = (WRITERS * ROUNDS + 1).to_string();
    assert_eq!(fixture.look("SELECT min(version)::text FROM tasks").await, expected);
    assert_eq!(fixture.look("SELECT max(version)::text FROM tasks").await, expected);
    let disorder = "SELECT count(*)::text FROM (
        SELECT (data->>'version')::bigint AS version,
               row_number() OVER (PARTITION BY task_id ORDER BY seq) AS place
        FROM outbox) AS facts WHERE version <> place";
    assert_eq!(fixture.look(disorder).await, "0", "facts of a task are in order");
}

const CONFLICT: Refusal = Refusal::VersionConflict { expected: 1, actual: 2 };

#[tokio::test]
async fn what_changes_after_it_was_read_is_decided_on_again() {
    let fixture = Fixture::new().await;
    for (action, outcome) in [
        // As the task is read, there is nothing to change; it is refused; it undoes the other's change.
        (rename("New", None), Outcome::Applied { version: 3 }),
        (rename("Ours", Some(2)), Outcome::Applied { version: 3 }),
        (rename("Ours", Some(1)), Outcome::Refused(CONFLICT)),
    ] {
        let tasks = [new_task(), new_task(), new_task()];
        let create = |task: &TaskId| incoming(&task.to_string(), *task, create("New"));
        fixture.apply(tasks.iter().map(create).collect()).await;
        let [before, task, after] = tasks;
        let mut other = fixture.owner.begin().await.expect("a transaction");
        let change = sqlx::query("UPDATE tasks SET version = 2, title = 'Theirs' WHERE id = $1");
        change.bind(task.as_uuid()).execute(&mut *other).await.expect("changed");
        // One that has met nobody yet, and locks nothing.
        let writer = connect_once(fixture.database.writer_url.expose_secret());
        let change = |task: TaskId, action| incoming(&format!("2-{task}"), task, action);
        let neighbours = [before, after].map(|task| change(task, rename("Ours", Some(1))));
        let batch = [&[change(task, action)], neighbours.as_slice()].concat();
        let apply = tokio::spawn(async move { writer.apply(batch, now()).await });
        fixture.is_waiting_for_a_row().await;
        other.commit().await.expect("committed");
        let receipts = apply.await.expect("a result").expect("applied");
        let outcomes: Vec<_> = receipts.into_iter().map(|receipt| receipt.outcome).collect();
        let applied = Outcome::Applied { version: 2 };
        assert_eq!(outcomes, [outcome, applied.clone(), applied]);
    }
}

#[tokio::test]
async fn to_drop_an_apply_does_not_cut_it_off() {
    let fixture = Fixture::new().await;
    let tasks: Vec<_> = (0..20).map(|_| new_task()).collect();
    for task in &tasks {
        let batch = [incoming(&task.to_string(), *task, create("X"))];
        let dropped = fixture.writer.apply(batch, now()).now_or_never();
        assert!(dropped.is_none(), "it was dropped while it ran");
    }
    for _ in 0..600 {
        if fixture.look("SELECT count(*)::text FROM tasks").await == "20" {
            let open = "SELECT count(*)::text FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
            assert_eq!(fixture.look(open).await, "0");
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("what was begun was not finished");
}
