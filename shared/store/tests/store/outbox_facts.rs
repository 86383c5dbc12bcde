//! Which facts a relay reads, and what becomes of published facts.

use std::iter::repeat_with;
use std::time::Duration;

use domain::TaskId;
use local_stack::{Server, State};
use secrecy::ExposeSecret as _;
use sqlx::PgPool;

use crate::fixture::{Fixture, complete, create, incoming, new_task, rename};
use crate::outbox::{LONG, pending};

#[tokio::test]
async fn facts_come_in_order_with_what_their_event_needs() {
    let fixture = Fixture::new().await;
    let task = new_task();
    let mut first = incoming("1", task, create("Buy milk"));
    first.traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    fixture.apply(vec![first.clone(), incoming("2", task, complete())]).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");

    let facts = pending(&outbox, &lease).await;
    let records: Vec<_> = facts.iter().map(|fact| fact.record.as_ref().expect("one")).collect();
    let kinds: Vec<_> = records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["dev.task-app.task.created.v1", "dev.task-app.task.completed.v1"]);
    assert!(facts[0].seq < facts[1].seq);
    assert!(
        facts.iter().all(|fact| fact.task.task == task.as_uuid() && fact.task.tenant == "acme")
    );
    assert_eq!(records[0].traceparent, first.traceparent);
    assert!(records[0].data.get().contains("Buy milk"));
    assert!(!format!("{facts:?}").contains("Buy milk"), "what is personal is not shown");
}

#[tokio::test]
async fn each_fact_is_read_by_the_holder_of_its_shard_alone() {
    let fixture = Fixture::new().await;
    fixture.create_tasks(100).await;
    let (first, second) = (fixture.outbox(LONG), fixture.outbox(LONG));
    let alone = first.lease().await.expect("a lease");
    assert_eq!(pending(&first, &alone).await.len(), 100);
    second.lease().await.expect("a lease");
    let (of_first, of_second) =
        (first.lease().await.expect("a lease"), second.lease().await.expect("a lease"));
    let mut seqs: Vec<_> = pending(&first, &of_first).await.iter().map(|fact| fact.seq).collect();
    let others = pending(&second, &of_second).await;
    assert!(!seqs.is_empty() && !others.is_empty());
    seqs.extend(others.iter().map(|fact| fact.seq));
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs.len(), 100);
}

#[tokio::test]
async fn a_batch_is_bounded_and_every_shard_has_its_part() {
    let fixture = Fixture::new().await;
    let busy = new_task();
    let shard = |task: TaskId| task.as_uuid().as_bytes()[15] & 15;
    let other = repeat_with(new_task).find(|task| shard(*task) != shard(busy)).expect("another");
    let mut batch = vec![incoming("0", busy, create("Busy"))];
    let renames = (1..50).map(|n| incoming(&n.to_string(), busy, rename(&format!("{n}"), None)));
    batch.extend(renames);
    batch.push(incoming("x", other, create("Other")));
    fixture.apply(batch).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");

    let some = outbox.pending(&lease, 32).await.expect("facts");
    assert_eq!(some.len(), 3, "two of each shard");
}

#[tokio::test]
async fn a_fact_of_a_transaction_that_is_open_or_rolled_back_is_never_read() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let mut transaction = fixture.owner.begin().await.expect("a transaction");
    let insert = "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
        VALUES ('acme', '0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10', 't', '{}', now())";
    sqlx::raw_sql(insert).execute(&mut *transaction).await.expect("inserted");
    fixture.create_tasks(1).await;
    assert_eq!(pending(&outbox, &lease).await.len(), 1, "the later one, which is committed");
    transaction.rollback().await.expect("rolled back");
    assert_eq!(pending(&outbox, &lease).await.len(), 1);
}

#[tokio::test]
async fn a_writer_sees_of_the_relays_only_whether_one_sleeps() {
    let fixture = Fixture::new().await;
    let url = fixture.database.writer_url.expose_secret();
    let writer = PgPool::connect(url).await.expect("a login");
    let seen = sqlx::raw_sql("SELECT sleeping, seen_until FROM outbox_relays");
    seen.execute(&writer).await.expect("seen");
    for sql in
        ["SELECT id FROM outbox_relays", "SELECT * FROM outbox_shards", "SELECT * FROM outbox"]
    {
        let error = sqlx::raw_sql(sql).execute(&writer).await.expect_err(sql);
        assert!(error.to_string().contains("permission denied"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn published_facts_are_gone_and_the_others_stay() {
    let fixture = Fixture::new().await;
    fixture.create_tasks(5).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = pending(&outbox, &lease).await;
    assert!(outbox.published(&facts[..3]).await.expect("recorded"));
    let left: Vec<_> = pending(&outbox, &lease).await.iter().map(|fact| fact.seq).collect();
    assert_eq!(left, [facts[3].seq, facts[4].seq]);
    assert_eq!(fixture.look("SELECT count(*)::text FROM outbox").await, "2");
}

#[tokio::test]
async fn what_redis_missed_is_repeated_as_it_is_now_when_redis_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::open(folder.path()).expect("a state folder");
    let mut redis = Server::redis(&state).await.expect("a Redis");
    let fixture = Fixture::with_redis(redis.url().expose_secret()).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let task = new_task();
    redis.stop().await.expect("stopped");
    fixture.apply(vec![incoming("1", task, create("Old"))]).await;
    let facts = pending(&outbox, &lease).await;
    assert!(!outbox.published(&facts).await.expect("recorded"), "Redis is unavailable");
    assert!(outbox.repeat(&lease).await.expect("an answer"), "and still is");
    assert!(pending(&outbox, &lease).await.is_empty(), "nothing is published twice for that");
    fixture.apply(vec![incoming("2", task, rename("New", None))]).await;

    redis.restart().await.expect("restarted");
    for _ in 0..100 {
        if !outbox.repeat(&lease).await.expect("an answer") {
            let client = redis::Client::open(redis.url().expose_secret()).expect("a URL");
            let mut connection = client.get_multiplexed_async_connection().await.expect("Redis");
            let key = format!("task:v2:{{acme}}:{task}");
            let body: String = redis::cmd("HGET")
                .arg(key)
                .arg("b")
                .query_async(&mut connection)
                .await
                .expect("an entry");
            assert!(body.contains("New"), "the task as it is now: {body}");
            let exists =
                redis::cmd("EXISTS").arg("list:v2:{acme}").query_async(&mut connection).await;
            assert_eq!(exists, Ok(1), "lists begin anew, too");
            assert_eq!(fixture.look("SELECT count(*)::text FROM outbox").await, "1");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the cache write was never repeated");
}
