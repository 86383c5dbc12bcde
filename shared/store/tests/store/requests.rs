//! Commands that are one HTTP request: claimed while they are processed, and spoilt as a whole.

use std::time::Duration;

use domain::TenantId;
use futures::future::join_all;
use sqlx::Executor as _;
use store::{ApplyError, CommandKey, Incoming, Outcome, Receipt, RequestKey};
use tokio::time::sleep;

use crate::fixture::{Fixture, create, incoming, new_task, now, of_tenant, rename};

const APPLIED: Outcome = Outcome::Applied { version: 1 };

impl Fixture {
    async fn request(
        &self,
        tenant: &str,
        key: &str,
        commands: Vec<Incoming>,
    ) -> Result<Vec<Receipt>, ApplyError> {
        let tenant: TenantId = tenant.parse().expect("a tenant");
        let key = CommandKey { source: "/requests".to_owned(), id: key.to_owned() };
        let caller = commands.first().and_then(|command| command.caller.clone());
        let caller = caller.unwrap_or_else(|| "ann".parse().expect("a caller"));
        let key = RequestKey { key, caller };
        self.writer.apply_request(&tenant, Some(&key), commands, now()).await
    }
}

/// Creates under consecutive keys, as parts of the request with this digest.
fn parts(request: u8, titles: &[&str]) -> Vec<Incoming> {
    let part = |(index, title): (usize, &&str)| {
        let incoming = incoming(&index.to_string(), new_task(), create(title));
        Incoming { request: Some([request; 32]), ..incoming }
    };
    titles.iter().enumerate().map(part).collect()
}

#[tokio::test]
async fn a_request_whose_key_is_being_processed_is_in_flight_and_no_other_is() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("0", task, create("Buy milk"))]).await;
    let change = || vec![incoming("1", task, rename("Buy oat milk", None))];
    let mut holder = fixture.owner.begin().await.expect("a transaction");
    holder.execute("SELECT 1 FROM tasks FOR UPDATE").await.expect("a lock");
    let meanwhile = async {
        let claims = "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND database
            = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while fixture.look(claims).await == "0" {
            sleep(Duration::from_millis(10)).await;
        }
        let again = fixture.request("acme", "key", change()).await;
        assert!(matches!(again, Err(ApplyError::InFlight)), "{again:?}");
        let new = |tenant, id| vec![of_tenant(tenant, id, new_task(), create("X"))];
        for (tenant, key, id) in [("acme", "other", "2"), ("other", "key", "1")] {
            let receipts = fixture.request(tenant, key, new(tenant, id)).await;
            assert_eq!(receipts.expect("applied")[0].outcome, APPLIED, "{tenant} {key}");
        }
        fixture.apply(new("acme", "3")).await;
        holder.rollback().await.expect("a rollback");
    };
    let (first, ()) = tokio::join!(fixture.request("acme", "key", change()), meanwhile);
    let applied = Outcome::Applied { version: 2 };
    assert_eq!(first.expect("applied")[0].outcome, applied);
    let repeat = fixture.request("acme", "key", change()).await.expect("found");
    assert_eq!((&repeat[0].outcome, repeat[0].repeated), (&applied, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_takes_effect_and_the_others_are_in_flight_or_repeats() {
    const ROUNDS: usize = 20;
    let fixture = Fixture::new().await;
    let mut in_flight = 0;
    for round in 0..ROUNDS {
        let (key, task) = (round.to_string(), new_task());
        let all = join_all((0..8).map(|_| {
            fixture.request("acme", &key, vec![incoming(&key, task, create("Buy milk"))])
        }));
        let mut fresh = 0;
        for outcome in all.await {
            match outcome {
                Ok(receipts) => {
                    assert_eq!(receipts[0].outcome, APPLIED);
                    fresh += usize::from(!receipts[0].repeated);
                }
                Err(ApplyError::InFlight) => in_flight += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(fresh, 1);
    }
    assert!(in_flight > 0, "they never met");
    assert_eq!(fixture.look("SELECT count(*)::text FROM outbox").await, ROUNDS.to_string());
}

#[tokio::test]
async fn a_request_under_a_used_key_writes_nothing_even_where_its_parts_are_new() {
    let fixture = Fixture::new().await;
    let first = fixture.request("acme", "key", parts(1, &["a", "b"])).await.expect("applied");
    assert!(first.iter().all(|receipt| receipt.outcome == APPLIED && !receipt.repeated));
    let repeat = fixture.request("acme", "key", parts(1, &["a", "b"])).await.expect("found");
    let ids = |receipts: &[Receipt]| -> Vec<_> {
        receipts.iter().map(|receipt| receipt.task.as_ref().expect("a task").id).collect()
    };
    assert_eq!(ids(&repeat), ids(&first));
    assert!(repeat.iter().all(|receipt| receipt.repeated));

    // The same parts of a larger request, and a request with one new part.
    for other in [parts(2, &["a", "b"]), parts(2, &["a", "b", "c"]), parts(1, &["a", "x", "c"])] {
        let receipts = fixture.request("acme", "key", other.clone()).await.expect("an answer");
        assert_eq!(receipts.len(), other.len());
        assert!(receipts.iter().all(|receipt| receipt.outcome == Outcome::KeyReused));
        assert_eq!(fixture.look("SELECT count(*)::text FROM tasks").await, "2");
        assert_eq!(fixture.look("SELECT count(*)::text FROM inbox").await, "2");
        assert_eq!(fixture.look("SELECT count(*)::text FROM outbox").await, "2");
    }
}

#[tokio::test]
async fn a_refusal_spoils_no_other_part_of_a_request() {
    let fixture = Fixture::new().await;
    let missing = rename("X", None);
    let commands =
        vec![incoming("0", new_task(), missing), incoming("1", new_task(), create("Fits"))];
    let receipts = fixture.request("acme", "key", commands).await.expect("applied");
    assert!(matches!(receipts[0].outcome, Outcome::Refused(_)));
    assert_eq!(receipts[1].outcome, APPLIED);
}
