//! Whatever the domain accepts comes back equal from PostgreSQL, from Redis, in lists and as a fact;
//! and the database refuses what no reader could read.

use std::collections::HashMap;

use domain::{Action, Task, TaskId};
use store::{Filter, Freshness, Sort};
use test_values::hostile;

use crate::cached::Cached;
use crate::fixture::{Fixture, create, incoming, new_task};
use crate::outbox::{LONG, pending};

#[tokio::test]
async fn tasks_at_the_edge_come_back_equal_from_everywhere() {
    let cached = Cached::new().await;
    let sent: HashMap<TaskId, Action> = hostile::new_tasks(60)
        .into_iter()
        .map(|task| (new_task(), Action::Create(serde_json::from_value(task).expect("a task"))))
        .collect();
    let batch = sent.iter().map(|(id, action)| incoming(&id.to_string(), *id, action.clone()));
    let receipts = cached.fixture.apply(batch.collect()).await;
    let tasks: HashMap<_, _> = receipts
        .into_iter()
        .map(|receipt| receipt.task.expect("a task"))
        .map(|task| (task.id, task))
        .collect();
    assert_eq!(tasks.len(), sent.len());

    let equal = async |from: &str| {
        for (id, task) in &tasks {
            let read = cached.fixture.reader.read(&cached.tenant, *id, Freshness::Recent).await;
            let (read, _) = read.expect("an answer");
            let read: Task = serde_json::from_slice(&read.expect("a task").json).expect("JSON");
            assert_eq!(read, *task, "{from}");
        }
    };
    equal("from Redis, as it was written").await;
    let mut redis = cached.connection().await;
    let flushed: redis::RedisResult<()> = redis::cmd("FLUSHALL").query_async(&mut redis).await;
    flushed.expect("an empty Redis");
    equal("from PostgreSQL").await;
    equal("from Redis, as it was read").await;

    for sort in ["created", "due", "-priority"] {
        let sort = Sort::try_from(sort.to_owned()).expect("a sort");
        let filter = Filter::default();
        let listed = cached.fixture.reader.tasks(&cached.tenant, &filter, sort.into(), 100);
        let listed = listed.await.expect("a page");
        assert_eq!((listed.tasks.len(), listed.unreadable.len()), (tasks.len(), 0));
        assert!(listed.tasks.iter().all(|task| tasks.get(&task.id) == Some(task)));
    }

    let outbox = cached.fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = pending(&outbox, &lease).await;
    assert_eq!(facts.len(), tasks.len());
    for fact in facts {
        let record = fact.record.expect("a record");
        let published: Task = serde_json::from_str(record.data.get()).expect("a task");
        assert_eq!(
            (fact.task.task, tasks.get(&published.id)),
            (published.id.as_uuid(), Some(&published))
        );
    }
}

#[tokio::test]
async fn the_database_refuses_a_day_or_a_time_that_no_reader_could_read() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("1", task, create("Whole"))]).await;
    for (column, value, taken) in [
        ("due_date", "0001-01-01", true),
        ("due_date", "9999-12-31", true),
        ("due_date", "0001-12-31 BC", false),
        ("due_date", "10000-01-01", false),
        ("due_date", "infinity", false),
        ("updated_at", "infinity", false),
        ("created_at", "-infinity", false),
        ("completed_at", "10000-01-01 00:00:00+00", false),
        ("deleted_at", "0001-12-31 00:00:00+00 BC", false),
    ] {
        let statement = format!("UPDATE tasks SET {column} = '{value}'");
        let set = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&fixture.owner).await;
        let refused = set.err().map(|error| {
            let error = error.into_database_error().expect("an answer of PostgreSQL");
            error.code().expect("a code").into_owned()
        });
        assert_eq!(refused.as_deref(), (!taken).then_some("23514"), "{column} {value}");
    }
}
