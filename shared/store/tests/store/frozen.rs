//! A PostgreSQL that is gone without closing its connections: whatever waits for it gives up, and as soon as one is
//! there that answers, everything goes on. Without deadlines of our own, each of these hangs.

use std::time::Duration;

use domain::{AttachmentKey, TaskId};
use futures::future::join_all;
use local_stack::TestDatabase;
use secrecy::SecretString;
use store::{
    ApplyError, Attached, Freshness, Incoming, Outbox, ReadError, Receipt, RequestKey, Store,
};
use tokio::time::{sleep, timeout};

use crate::attachments::{file, key};
use crate::fixture::{Fixture, called_by, connect_with, create, incoming, new_task, now};
use crate::outbox::LONG;
use crate::proxy::Proxy;

/// As many connections as the pool may have.
const CONNECTIONS: usize = 3;
/// Much longer than anything here takes: what takes longer hangs.
const HANGS: Duration = Duration::from_secs(45);

async fn through_a_proxy(url: &SecretString) -> (Proxy, Store) {
    let proxy = Proxy::to(url).await;
    let settings = ["--database-statement-timeout-ms=500", "--database-max-connections=3"];
    let store = connect_with(&proxy.url, &settings);
    (proxy, store)
}

async fn ends<T>(work: impl Future<Output = T>) -> T {
    timeout(HANGS, work).await.expect("it hangs")
}

/// Makes all connections: each ping begins before one has ended.
async fn connect_all(store: &Store) {
    let pings = async || join_all((0..CONNECTIONS).map(|_| store.ping())).await;
    ends(async { while pings().await.iter().any(Result::is_err) {} }).await;
}

/// Whether the task is there.
async fn read(store: &Store, task: TaskId) -> Result<bool, ReadError> {
    let tenant = "acme".parse().expect("a tenant");
    Ok(store.read(&tenant, task, Freshness::Current).await?.0.is_some())
}

#[tokio::test]
async fn a_command_is_applied_once_wherever_its_transaction_froze() {
    let fixture = Fixture::new().await;
    // Whether it is committed by then. What is a transaction by itself is prepared, and then run with its
    // values.
    let steps = [
        ("a request", "BEGIN", false),
        ("a request", "FOR NO KEY UPDATE OF tasks", false),
        ("a request", "INSERT INTO tasks", false),
        ("a request", "COMMIT", true),
        ("a caller", "to_json", false),
        ("a caller", "INSERT INTO tasks", false),
        ("a caller", "Buy milk", true),
        ("a producer", "INSERT INTO tasks", false),
        ("a producer", "Buy milk", true),
    ];
    join_all(steps.map(async |(sender, step, is_committed)| {
        let (proxy, store) = through_a_proxy(&fixture.database.writer_url).await;
        let task = new_task();
        let command = incoming(&task.to_string(), task, create("Buy milk"));
        let is_producer = sender == "a producer";
        let batch = vec![if is_producer { command } else { called_by("ann", command) }];
        let key = (sender == "a request").then(|| RequestKey {
            key: batch[0].key.clone(),
            caller: "ann".parse().expect("a caller"),
        });
        proxy.freeze_after(step);
        let lost = ends(apply(&store, &batch, key.as_ref())).await.expect_err("no answer came");
        assert!(matches!(lost, ApplyError::Unavailable(_)), "{sender}: {step}: {lost:?}");
        proxy.is_frozen().await;
        proxy.thaw();
        let receipts = until_applied(&store, &batch, key.as_ref()).await;
        assert_eq!(receipts[0].task.as_ref().map(|task| task.version), Some(1), "{sender}: {step}");
        assert_eq!(receipts[0].repeated, is_committed, "{sender}: {step}");
    }))
    .await;
    assert_eq!(fixture.look("SELECT count(*)::text FROM tasks").await, steps.len().to_string());
}

async fn apply(
    store: &Store,
    batch: &[Incoming],
    key: Option<&RequestKey>,
) -> Result<Vec<Receipt>, ApplyError> {
    match key {
        Some(_) => {
            let tenant = &batch[0].command.tenant;
            store.apply_request(tenant, key, batch.to_vec(), now()).await
        }
        None => store.apply(batch.to_vec(), now()).await,
    }
}

/// A transaction that was cut off may hold its locks until PostgreSQL ends it.
async fn until_applied(
    store: &Store,
    batch: &[Incoming],
    key: Option<&RequestKey>,
) -> Vec<Receipt> {
    ends(async {
        loop {
            match apply(store, batch, key).await {
                Ok(receipts) => return receipts,
                Err(ApplyError::Unavailable(_) | ApplyError::InFlight) => {
                    sleep(Duration::from_millis(100)).await;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    })
    .await
}

#[tokio::test]
async fn reads_go_on_after_every_connection_froze_within_a_statement() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("1", task, create("Buy milk"))]).await;
    let (proxy, store) = through_a_proxy(&fixture.database.reader_url).await;

    connect_all(&store).await;
    proxy.freeze();
    let reads = ends(join_all((0..CONNECTIONS).map(|_| read(&store, task)))).await;
    assert!(reads.iter().all(Result::is_err), "{reads:?}");
    ends(read(&store, task)).await.expect_err("a new connection gets no answer either");
    proxy.thaw();
    assert!(ends(read(&store, task)).await.expect("an answer"));
}

#[tokio::test]
async fn reads_go_on_after_every_connection_froze_while_it_was_idle() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("1", task, create("Buy milk"))]).await;
    let (proxy, store) = through_a_proxy(&fixture.database.reader_url).await;
    connect_all(&store).await;
    proxy.freeze();
    // Idle for so long, they are checked before their next use.
    sleep(Duration::from_millis(1_100)).await;
    proxy.thaw();
    let reads = ends(join_all((0..CONNECTIONS).map(|_| read(&store, task)))).await;
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    assert!(ends(read(&store, task)).await.expect("an answer"));
}

#[tokio::test]
async fn callers_that_give_up_leave_no_connection_frozen() {
    let fixture = Fixture::new().await;
    let (proxy, store) = through_a_proxy(&fixture.database.reader_url).await;
    connect_all(&store).await;
    proxy.freeze();
    let task = new_task();
    let reads = join_all((0..CONNECTIONS).map(|_| read(&store, task)));
    timeout(Duration::from_millis(100), reads).await.expect_err("no answer came");
    proxy.thaw();
    ends(async { while store.ping().await.is_err() {} }).await;
}

#[tokio::test]
async fn attachments_go_on() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("1", task, create("Buy milk"))]).await;
    let key: AttachmentKey = key("acme", task);
    for step in ["BEGIN", "COMMIT"] {
        let (proxy, store) = through_a_proxy(&fixture.database.writer_url).await;
        proxy.freeze_after(step);
        ends(store.attach(key.clone(), None, file("a.txt"), now()))
            .await
            .expect_err("no answer came");
        proxy.thaw();
        let attached = ends(async {
            loop {
                if let Ok(attached) = store.attach(key.clone(), None, file("a.txt"), now()).await {
                    return attached;
                }
            }
        })
        .await;
        let is_there = matches!(attached, Attached::New(_) | Attached::Known(_));
        assert!(is_there, "{step}: {attached:?}");
    }
}

#[tokio::test]
async fn a_relay_is_notified_of_facts_again() {
    let database = TestDatabase::create().await.expect("a test database");
    let (proxy, relay) = through_a_proxy(&database.relay_url).await;
    let owner = connect_with(&database.writer_url, &[]);
    let outbox = Outbox::new(relay, LONG);
    let listener = outbox.listener();
    outbox.lease().await.expect("a lease");
    outbox.set_sleeping(true).await.expect("asleep");
    let notified = async || {
        let write = async {
            loop {
                let task = new_task();
                let batch = vec![incoming(&task.to_string(), task, create("Buy milk"))];
                owner.apply(batch, now()).await.expect("applied");
                sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            () = ends(listener.wait()) => {}
            () = write => {}
        }
    };
    notified().await;
    proxy.freeze();
    ends(outbox.lease()).await.expect_err("no answer came");
    proxy.thaw();
    ends(async { while outbox.lease().await.is_err() {} }).await;
    // What was notified before counts once.
    tokio::select! {
        () = listener.wait() => {}
        () = sleep(Duration::ZERO) => {}
    }
    notified().await;
}
