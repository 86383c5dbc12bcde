//! What an operator sees of parked facts, and what becomes of those that are retried or skipped.

use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use store::{Fault, ParkedFacts, ParkedFilter, PendingFact};

use crate::fixture::{Fixture, complete, create, incoming, new_task, of_tenant};
use crate::outbox::{LONG, pending};
use crate::outbox_blocked::block;

/// An outbox with a parked fact each of the tenants `acme` and `other`; that of `acme` holds another back.
async fn parked(fixture: &Fixture) -> (store::Outbox, store::Lease, Vec<PendingFact>) {
    let task = new_task();
    fixture
        .apply(vec![
            incoming("1", task, create("Refused")),
            of_tenant("other", "1", new_task(), create("Refused, too")),
            incoming("2", task, complete()),
        ])
        .await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = pending(&outbox, &lease).await;
    for fact in &facts[..2] {
        assert!(block(&outbox, fact, Fault::Unreadable).await.is_parked);
    }
    assert_eq!(pending(&outbox, &lease).await.len(), 0);
    (outbox, lease, facts)
}

#[tokio::test]
async fn parked_facts_are_listed_with_their_reason_and_what_they_hold_back() {
    let fixture = Fixture::new().await;
    let (outbox, lease, facts) = parked(&fixture).await;
    fixture.create_tasks(1).await;
    let retried = pending(&outbox, &lease).await;
    block(&outbox, &retried[0], Fault::Refused).await;

    let operator = ParkedFacts::new(fixture.operator.clone());
    let all = operator.list(&ParkedFilter::default(), false, 10).await.expect("a list");
    assert_eq!(all.iter().map(|one| one.fact).collect::<Vec<_>>(), [facts[0].id, facts[1].id]);
    assert_eq!((all[0].reason.as_str(), all[0].held_back), ("InvalidMessageContents", 1));
    let with_retried = operator.list(&ParkedFilter::default(), true, 10).await.expect("a list");
    assert_eq!(with_retried.len(), 3);
    for (fits, filter) in [
        (1, ParkedFilter { tenant: Some("other".to_owned()), ..ParkedFilter::default() }),
        (1, ParkedFilter { task: Some(facts[0].task.task), ..ParkedFilter::default() }),
        (1, ParkedFilter { facts: Some(vec![facts[1].id]), ..ParkedFilter::default() }),
        (2, ParkedFilter { queue: Some("facts.fifo".to_owned()), ..ParkedFilter::default() }),
        (0, ParkedFilter { reason: Some("Unknown".to_owned()), ..ParkedFilter::default() }),
    ] {
        let list = operator.list(&filter, false, 10).await.expect("a list");
        assert_eq!(list.len(), fits, "{filter:?}");
    }
    let data = operator.data(facts[0].id).await.expect("an answer").expect("data");
    assert!(data.contains("Refused"));
}

#[tokio::test]
async fn a_retried_fact_is_due_at_once_and_has_all_its_attempts() {
    let fixture = Fixture::new().await;
    let (outbox, lease, facts) = parked(&fixture).await;
    let operator = ParkedFacts::new(fixture.operator.clone());
    let acme = ParkedFilter { tenant: Some("acme".to_owned()), ..ParkedFilter::default() };
    assert_eq!(operator.retry(&acme).await.expect("retried"), 1);
    assert_eq!(operator.retry(&acme).await.expect("retried"), 0, "it is parked no longer");

    let due = pending(&outbox, &lease).await;
    assert_eq!(due.iter().map(|fact| fact.id).collect::<Vec<_>>(), [facts[0].id]);
    assert!(!block(&outbox, &due[0], Fault::Refused).await.is_parked);
    fixture.retry_now().await;
    outbox.published(&pending(&outbox, &lease).await).await.expect("recorded");
    let next = pending(&outbox, &lease).await;
    assert_eq!(next.iter().map(|fact| fact.id).collect::<Vec<_>>(), [facts[2].id]);
}

#[tokio::test]
async fn a_skipped_fact_is_gone_and_recorded_and_the_next_one_goes_on() {
    let fixture = Fixture::new().await;
    let (outbox, lease, facts) = parked(&fixture).await;
    let operator = ParkedFacts::new(fixture.operator.clone());
    let one = ParkedFilter { facts: Some(vec![facts[0].id]), ..ParkedFilter::default() };
    assert_eq!(operator.skip(&one, "ada", "nobody needs it").await.expect("skipped"), 1);

    let next = pending(&outbox, &lease).await;
    let next = if next.is_empty() { pending(&outbox, &lease).await } else { next };
    assert_eq!(next.iter().map(|fact| fact.id).collect::<Vec<_>>(), [facts[2].id]);
    assert_eq!(operator.skip(&one, "ada", "again").await.expect("skipped"), 0);
    let record = "SELECT concat_ws('|', tenant, reason, skipped_by, why, skipped_at <= now(),
        login LIKE 'test\\_operator%') FROM outbox_skipped_facts";
    assert_eq!(fixture.look(record).await, "acme|InvalidMessageContents|ada|nobody needs it|t|t");
    assert_eq!(fixture.look("SELECT count(*)::text FROM outbox_skipped_facts").await, "1");
}

#[tokio::test]
async fn an_operator_reads_and_removes_no_fact_that_is_being_published() {
    let fixture = Fixture::new().await;
    parked(&fixture).await;
    fixture.create_tasks(3).await;
    let url = fixture.database.operator_url.expose_secret();
    let operator = PgPool::connect(url).await.expect("a login");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(&operator)
        .await
        .expect("a count");
    assert_eq!(seen, 2 + 1, "two parked facts, and one that is held back");
    let deleted = sqlx::raw_sql("DELETE FROM outbox").execute(&operator).await.expect("deleted");
    assert_eq!(deleted.rows_affected(), 3);
    for sql in [
        "SELECT * FROM tasks",
        "UPDATE outbox SET data = '{}'",
        "UPDATE outbox_blocked_tasks SET reason = 'x'",
        "DELETE FROM outbox_blocked_tasks",
        "UPDATE outbox_skipped_facts SET why = 'x'",
        "DELETE FROM outbox_skipped_facts",
    ] {
        let error = sqlx::raw_sql(sql).execute(&operator).await.expect_err(sql);
        assert!(error.to_string().contains("permission denied"), "{sql}: {error}");
    }
}
