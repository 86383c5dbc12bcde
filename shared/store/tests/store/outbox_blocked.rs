//! A fact that a queue does not take blocks its task and no other, is tried again, and is parked.

use domain::TaskId;
use store::{Blocked, Failure, Fault, Outbox, PendingFact};

use crate::fixture::{Fixture, complete, create, incoming, new_task, rename};
use crate::outbox::{LONG, pending};

/// Refusals after which a fact is parked.
const ATTEMPTS: u16 = 3;

pub(crate) fn failure(fact: &PendingFact, fault: Fault) -> Failure {
    let (queue, reason) = (Some("facts.fifo".to_owned()), "InvalidMessageContents".to_owned());
    Failure { seq: fact.seq, queue, reason, fault }
}

pub(crate) async fn block(outbox: &Outbox, fact: &PendingFact, fault: Fault) -> Blocked {
    let blocked = outbox.block(&[failure(fact, fault)], &[], ATTEMPTS).await;
    blocked.expect("blocked").remove(0)
}

impl Fixture {
    /// Makes every task that is blocked due for its next attempt.
    pub(crate) async fn retry_now(&self) {
        self.execute("UPDATE outbox_blocked_tasks SET retry_at = now() - interval '1 second'")
            .await;
    }

    /// A task with three facts, and the commands for another one.
    async fn two_tasks(&self) -> (TaskId, TaskId) {
        let (first, second) = (new_task(), new_task());
        self.apply(vec![
            incoming("1", first, create("First")),
            incoming("2", first, rename("Renamed", None)),
            incoming("3", first, complete()),
            incoming("4", second, create("Second")),
        ])
        .await;
        (first, second)
    }
}

/// The tasks and `seq` of what is pending, without what the caller does not look at.
async fn polled(outbox: &Outbox, lease: &store::Lease) -> Vec<(uuid::Uuid, i64)> {
    pending(outbox, lease).await.iter().map(|fact| (fact.task.task, fact.seq)).collect()
}

#[tokio::test]
async fn later_facts_of_a_blocked_task_wait_in_order_and_other_tasks_go_on() {
    let fixture = Fixture::new().await;
    let (first, second) = fixture.two_tasks().await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = pending(&outbox, &lease).await;
    block(&outbox, &facts[0], Fault::Refused).await;

    fixture.apply(vec![incoming("5", first, rename("Later", None))]).await;
    assert_eq!(polled(&outbox, &lease).await, [(second.as_uuid(), facts[3].seq)]);
    let in_the_way = "SELECT count(*)::text FROM outbox WHERE NOT sent AND NOT blocked";
    assert_eq!(fixture.look(in_the_way).await, "1", "a poll walks over no fact of a blocked task");

    fixture.retry_now().await;
    let due = pending(&outbox, &lease).await;
    let retry = due.iter().find(|fact| fact.is_retry).expect("the refused fact");
    assert_eq!((retry.id, due.len()), (facts[0].id, 2), "it alone is tried again");
    outbox.published(std::slice::from_ref(retry)).await.expect("recorded");
    let rest: Vec<_> = pending(&outbox, &lease).await;
    let rest: Vec<_> =
        rest.iter().filter(|fact| fact.task.task == first.as_uuid()).map(|one| one.seq).collect();
    assert_eq!(rest.len(), 3, "none is lost");
    assert!(rest.is_sorted() && rest[0] == facts[1].seq);
    assert_eq!(fixture.look("SELECT count(*)::text FROM outbox_blocked_tasks").await, "0");
}

#[tokio::test]
async fn a_fact_is_parked_after_its_attempts_and_not_tried_again() {
    let fixture = Fixture::new().await;
    fixture.create_tasks(1).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    for attempt in 1..=ATTEMPTS {
        let facts = pending(&outbox, &lease).await;
        let blocked = block(&outbox, &facts[0], Fault::Refused).await;
        assert_eq!(blocked.is_parked, attempt == ATTEMPTS, "attempt {attempt}");
        assert_eq!(blocked.fact, facts[0].id);
        assert_eq!(pending(&outbox, &lease).await.len(), 0, "not at once");
        fixture.retry_now().await;
    }
    assert_eq!(pending(&outbox, &lease).await.len(), 0);
    let parked = "SELECT concat_ws(' ', queue, reason, attempts, first_failed_at < last_failed_at)
        FROM outbox_blocked_tasks WHERE parked_at IS NOT NULL";
    assert_eq!(fixture.look(parked).await, "facts.fifo InvalidMessageContents 3 t");
}

#[tokio::test]
async fn what_a_queue_does_not_take_without_blaming_the_fact_is_never_parked() {
    let fixture = Fixture::new().await;
    fixture.create_tasks(1).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    for _ in 0..3 * ATTEMPTS {
        let facts = pending(&outbox, &lease).await;
        assert!(!block(&outbox, &facts[0], Fault::NotTaken).await.is_parked);
        fixture.retry_now().await;
    }
    let facts = pending(&outbox, &lease).await;
    assert!(!block(&outbox, &facts[0], Fault::Refused).await.is_parked, "this was the first");
}

#[tokio::test]
async fn a_fact_that_cannot_be_read_is_parked_at_once_with_a_task_of_any_name() {
    let fixture = Fixture::new().await;
    fixture
        .execute(
            "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
             VALUES ('NOT A TENANT', '00000000-0000-0000-0000-000000000000', '', '[]', 'infinity'),
                    ('acme', gen_random_uuid(), 't', '1e999', '4000-01-01 BC')",
        )
        .await;
    fixture.create_tasks(1).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = pending(&outbox, &lease).await;
    assert_eq!(facts.len(), 3, "no row is the fault of its batch");
    let bad = facts.iter().find(|fact| fact.task.tenant != "acme").expect("the row");
    assert!(block(&outbox, bad, Fault::Unreadable).await.is_parked);
    outbox.measure(&lease).await.expect("gauges");
    assert_eq!(pending(&outbox, &lease).await.len(), 2);
}

#[tokio::test]
async fn attempts_come_after_longer_and_longer_pauses() {
    let fixture = Fixture::new().await;
    fixture.create_tasks(1).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = pending(&outbox, &lease).await;
    for (failing_for, least, most) in [("0", 0.5, 1.0), ("20 s", 10.0, 20.1), ("1 h", 30.0, 60.0)] {
        block(&outbox, &facts[0], Fault::NotTaken).await;
        let age = format!(
            "UPDATE outbox_blocked_tasks SET first_failed_at = now() - '{failing_for}'::interval"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(age)).execute(&fixture.owner).await.expect("aged");
        block(&outbox, &facts[0], Fault::NotTaken).await;
        let pause = "SELECT extract(epoch FROM retry_at - last_failed_at)::text
            FROM outbox_blocked_tasks";
        let pause: f64 = fixture.look(pause).await.parse().expect("seconds");
        assert!((least..=most).contains(&pause), "{failing_for}: {pause}");
    }
}

#[tokio::test]
async fn what_another_queue_has_of_a_blocked_task_is_remembered() {
    let fixture = Fixture::new().await;
    fixture.two_tasks().await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = pending(&outbox, &lease).await;
    let queues = || "http://a/1,http://b/2".to_owned();
    let held: Vec<_> = facts[..2].iter().map(|fact| (fact.seq, queues())).collect();
    outbox.block(&[failure(&facts[0], Fault::Refused)], &held, 10).await.expect("blocked");

    // Another replica, which knows nothing, and has the shards now.
    outbox.release().await.expect("released");
    let other = fixture.outbox(LONG);
    let lease = other.lease().await.expect("a lease");
    fixture.retry_now().await;
    let due = pending(&other, &lease).await;
    let retry = due.iter().find(|fact| fact.is_retry).expect("the refused fact");
    assert_eq!(retry.published_to, ["http://a/1", "http://b/2"]);
    other.published(std::slice::from_ref(retry)).await.expect("recorded");
    let known: Vec<_> = pending(&other, &lease)
        .await
        .iter()
        .map(|fact| (fact.seq, fact.published_to.len()))
        .collect();
    assert_eq!(known, [(facts[1].seq, 2), (facts[2].seq, 0), (facts[3].seq, 0)]);
}
