//! What one batch does.

use domain::{Decision, Refusal, Task, decide};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use store::{Incoming, Outcome};

use crate::fixture::{Fixture, complete, create, delete, incoming, new_task, now, rename};

const APPLIED_ONCE: Outcome = Outcome::Applied { version: 1 };

#[tokio::test]
async fn a_command_writes_task_inbox_and_outbox() {
    let fixture = Fixture::new().await;
    let task = new_task();
    let receipts = fixture.apply(vec![incoming("1", task, create("Buy milk"))]).await;

    assert_eq!(receipts[0].outcome, APPLIED_ONCE);
    let written = receipts[0].task.clone().expect("a task");
    let body = fixture.current(&written.tenant, task).await;
    let read: Task = serde_json::from_slice(&body.expect("a task").json).expect("a task");
    assert_eq!(read, written);
    let inbox = fixture.look("SELECT source || ' ' || command_id || ' ' || outcome FROM inbox");
    assert_eq!(inbox.await, r#"/test 1 {"applied": {"version": 1}}"#);
    let outbox = fixture.look("SELECT type || ' ' || (data->>'title') FROM outbox");
    assert_eq!(outbox.await, "dev.task-app.task.created.v1 Buy milk");
}

#[tokio::test]
async fn a_repeat_gets_the_first_outcome_and_changes_nothing() {
    let fixture = Fixture::new().await;
    let task = new_task();
    let first = incoming("1", task, create("Buy milk"));
    fixture.apply(vec![first.clone()]).await;
    fixture.apply(vec![incoming("2", task, rename("Buy oat milk", None))]).await;

    let receipts = fixture.apply(vec![first]).await;
    assert!(receipts[0].repeated);
    assert_eq!(receipts[0].outcome, APPLIED_ONCE);
    let now = receipts[0].task.as_ref().expect("the task as it is now");
    assert_eq!((now.title.as_str(), now.version), ("Buy oat milk", 2));
    let rows = "SELECT (SELECT count(*) FROM inbox) || ' ' || (SELECT count(*) FROM outbox)";
    assert_eq!(fixture.look(rows).await, "2 2");
}

#[tokio::test]
async fn a_repeated_create_finds_the_task_of_the_first() {
    let fixture = Fixture::new().await;
    let (first, second) = (new_task(), new_task());
    fixture.apply(vec![incoming("1", first, create("Buy milk"))]).await;
    let receipts = fixture.apply(vec![incoming("1", second, create("Buy milk"))]).await;
    assert_eq!(receipts[0].outcome, APPLIED_ONCE);
    assert_eq!(receipts[0].task.as_ref().map(|task| task.id), Some(first));
}

#[tokio::test]
async fn creates_of_which_some_were_applied_before_take_effect_once() {
    let fixture = Fixture::new().await;
    let tasks: Vec<_> = (0..4).map(|_| new_task()).collect();
    let create = |id: &str, place: usize| incoming(id, tasks[place], create(id));
    let first = vec![create("a", 0), create("b", 1)];
    fixture.apply(first.clone()).await;
    // All of them, some of them, one under another key.
    for (batch, repeated) in [
        (first, vec![true, true]),
        (vec![create("c", 2), create("b", 1), create("d", 3)], vec![false, true, false]),
        (vec![create("e", 0), create("d", 3)], vec![false, true]),
    ] {
        let receipts = fixture.apply(batch).await;
        assert_eq!(receipts.iter().map(|one| one.repeated).collect::<Vec<_>>(), repeated);
        let refused = |one: &&store::Receipt| one.outcome != APPLIED_ONCE;
        let refused: Vec<_> = receipts.iter().filter(refused).map(|one| &one.outcome).collect();
        let exists = Outcome::Refused(Refusal::TaskAlreadyExists);
        assert!(refused.iter().all(|outcome| **outcome == exists), "{refused:?}");
    }
    let facts = "SELECT string_agg(task || ' ' || facts, ', ' ORDER BY facts)
        FROM (SELECT data->>'title' AS task, count(*) AS facts FROM outbox GROUP BY 1) AS counted";
    let facts = fixture.look(facts).await;
    assert_eq!(facts.matches(" 1").count(), 4, "{facts}");
    let rows = "SELECT (SELECT count(*) FROM tasks) || ' ' || (SELECT count(*) FROM inbox)
        || ' ' || (SELECT count(*) FROM outbox)";
    assert_eq!(fixture.look(rows).await, "4 5 5", "the fifth was refused, and that is a fact");
}

#[tokio::test]
async fn no_batch_reads_a_whole_table_of_which_nothing_is_known_nor_its_index() {
    const BATCHES: usize = 50;
    const SIZE: usize = 4;
    let fixture = Fixture::new().await;
    for _ in 0..BATCHES {
        let tasks: Vec<_> = (0..SIZE).map(|_| new_task()).collect();
        let creates = tasks.iter().map(|task| incoming(&task.to_string(), *task, create("New")));
        fixture.apply(creates.collect()).await;
        let changes = tasks.iter().map(|task| incoming(&format!("2-{task}"), *task, complete()));
        fixture.apply(changes.collect()).await;
    }
    // Each change has its task looked up twice.
    let changes = i64::try_from(BATCHES * SIZE).expect("a few");
    for _ in 0..600 {
        let (whole, by_index, rows) = fixture.scans(&["inbox", "tasks"]).await;
        assert_eq!(whole, 0, "whole tables");
        assert!(rows <= 3 * changes, "{rows} rows for {changes} changes");
        if by_index >= changes {
            return;
        }
        fixture.apply(vec![incoming("last", new_task(), create("New"))]).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing was read by an index");
}

#[tokio::test]
async fn another_command_under_a_used_key_is_refused_and_not_applied() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("1", task, create("Buy milk"))]).await;
    let receipts = fixture.apply(vec![incoming("1", task, rename("Other", None))]).await;
    assert_eq!(receipts[0].outcome, Outcome::KeyReused);
    assert_eq!(fixture.look("SELECT title FROM tasks").await, "Buy milk");
}

#[tokio::test]
async fn commands_on_one_task_in_one_batch_are_folded_in_order() {
    let fixture = Fixture::new().await;
    let task = new_task();
    let receipts = fixture
        .apply(vec![
            incoming("1", task, create("One")),
            incoming("2", task, rename("Two", Some(1))),
            incoming("3", task, rename("Three", Some(1))),
            incoming("2", task, rename("Two", Some(1))),
            incoming("4", task, complete()),
            incoming("5", task, delete()),
            incoming("6", task, rename("Six", None)),
        ])
        .await;
    let outcomes: Vec<_> = receipts.into_iter().map(|receipt| receipt.outcome).collect();
    let conflict = Refusal::VersionConflict { expected: 1, actual: 2 };
    assert_eq!(
        outcomes,
        [
            Outcome::Applied { version: 1 },
            Outcome::Applied { version: 2 },
            Outcome::Refused(conflict),
            Outcome::Applied { version: 2 },
            Outcome::Applied { version: 3 },
            Outcome::Applied { version: 4 },
            Outcome::Refused(Refusal::TaskNotFound),
        ]
    );
    let facts = "SELECT string_agg(substr(type, 14), ',' ORDER BY seq) FROM outbox";
    assert_eq!(
        fixture.look(facts).await,
        "task.created.v1,task.updated.v1,command.rejected.v1,task.completed.v1,task.deleted.v1,\
         command.rejected.v1"
    );
}

#[tokio::test]
async fn a_refused_command_spoils_no_other_and_is_remembered() {
    let fixture = Fixture::new().await;
    let (known, unknown) = (new_task(), new_task());
    let batch = vec![incoming("1", unknown, complete()), incoming("2", known, create("Buy milk"))];
    for repeated in [false, true] {
        let receipts = fixture.apply(batch.clone()).await;
        assert_eq!(receipts[0].outcome, Outcome::Refused(Refusal::TaskNotFound));
        assert_eq!(receipts[1].outcome, APPLIED_ONCE);
        assert!(receipts.iter().all(|receipt| receipt.repeated == repeated));
    }
}

#[tokio::test]
async fn an_update_that_changes_nothing_keeps_the_version_and_has_no_fact() {
    let fixture = Fixture::new().await;
    let task = new_task();
    let batch =
        vec![incoming("1", task, create("Same")), incoming("2", task, rename("Same", None))];
    let receipts = fixture.apply(batch).await;
    assert_eq!(receipts[1].outcome, APPLIED_ONCE);
    assert_eq!(fixture.look("SELECT count(*)::text FROM outbox").await, "1");
}

#[tokio::test]
async fn an_identifier_is_never_used_again() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("1", task, create("Gone")), incoming("2", task, delete())]).await;
    let receipts = fixture.apply(vec![incoming("3", task, create("Again"))]).await;
    assert_eq!(receipts[0].outcome, Outcome::Refused(Refusal::TaskAlreadyExists));
    let tenant = "acme".parse().expect("a tenant");
    assert_eq!(fixture.current(&tenant, task).await, None);
    assert_eq!(fixture.newest("acme").await, []);
}

/// A few commands on a few tasks, in random batches, with repeats.
fn batches() -> impl Strategy<Value = Vec<Vec<(usize, usize)>>> {
    let command = (0..60_usize, 0..4_usize);
    prop::collection::vec(prop::collection::vec(command, 1..12), 1..8)
}

#[tokio::test]
async fn any_batches_leave_what_folding_the_distinct_commands_leaves() {
    let fixture = Fixture::new().await;
    let runner = &mut TestRunner::deterministic();
    for round in 0..20 {
        let tasks = [new_task(), new_task(), new_task(), new_task()];
        let batches = batches().new_tree(runner).expect("batches").current();
        let mut expected: [Option<Task>; 4] = [None, None, None, None];
        let mut seen = std::collections::HashSet::new();
        for batch in batches {
            let batch: Vec<(usize, Incoming)> = batch
                .into_iter()
                .map(|(id, task)| {
                    let action = match id % 5 {
                        0 => create(&format!("Task {id}")),
                        1 | 2 => rename(&format!("Name {id}"), None),
                        3 => complete(),
                        _ => rename("Conditional", Some(2)),
                    };
                    (task, incoming(&format!("{round}-{task}-{id}"), tasks[task], action))
                })
                .collect();
            for (task, command) in &batch {
                if seen.insert(command.key.id.clone())
                    && let Ok(Decision::Changed { task: after, .. }) =
                        decide(expected[*task].as_ref(), &command.command, now())
                {
                    expected[*task] = Some(after);
                }
            }
            fixture.apply(batch.into_iter().map(|(_, command)| command).collect()).await;
        }
        let tenant = "acme".parse().expect("a tenant");
        for (id, expected) in tasks.into_iter().zip(expected) {
            let body = fixture.current(&tenant, id).await;
            let task = body.map(|body| serde_json::from_slice::<Task>(&body.json).expect("a task"));
            assert_eq!(task.map(without_times), expected.map(without_times));
        }
    }
}

fn without_times(task: Task) -> Task {
    let completed_at = task.completed_at.map(|_| now());
    Task { created_at: now(), updated_at: now(), completed_at, ..task }
}
