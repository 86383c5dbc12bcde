//! A server that answers and takes no writes, as the old primary does after a fail-over.

use futures::future::join_all;
use store::ApplyError;

use crate::fixture::{Fixture, create, incoming, new_task, now};

#[tokio::test]
async fn a_read_only_server_answers_and_is_not_writable() {
    let fixture = Fixture::new().await;
    fixture.set_read_only(true).await;

    fixture.writer.ping().await.expect("an answer");
    fixture.writer.check_writable().await.expect_err("it takes no writes");
    let batch = vec![incoming("1", new_task(), create("Buy milk"))];
    let refused = fixture.writer.apply(batch, now()).await.expect_err("it takes no writes");
    assert!(matches!(refused, ApplyError::Unavailable(_)), "{refused:?}");
}

#[tokio::test]
async fn a_refused_write_ends_the_connections_to_a_read_only_server() {
    let fixture = Fixture::new().await;
    fixture.set_read_only(true).await;
    let pings = (0..4).map(|_| fixture.writer.ping());
    assert!(join_all(pings).await.iter().all(Result::is_ok));
    let batch = vec![incoming("1", new_task(), create("Buy milk"))];
    fixture.writer.apply(batch.clone(), now()).await.expect_err("it takes no writes");

    // The sessions that there are stay read-only: only new ones are of any use.
    fixture.set_read_only(false).await;
    for _ in 0..4 {
        fixture.writer.apply(batch.clone(), now()).await.expect("it takes writes");
    }
}

#[tokio::test]
async fn a_failed_check_ends_the_connections_to_a_read_only_server() {
    let fixture = Fixture::new().await;
    fixture.set_read_only(true).await;
    let checks = (0..4).map(|_| fixture.writer.check_writable());
    assert!(join_all(checks).await.iter().all(Result::is_err));

    fixture.set_read_only(false).await;
    fixture.writer.check_writable().await.expect("it takes writes");
}

#[tokio::test]
async fn of_connections_that_the_server_ends_one_fails() {
    let fixture = Fixture::new().await;
    let pings = (0..4).map(|_| fixture.writer.ping());
    assert!(join_all(pings).await.iter().all(Result::is_ok));
    let ended = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    fixture.look(ended).await;

    let batch = vec![incoming("1", new_task(), create("Buy milk"))];
    let _ = fixture.writer.apply(batch.clone(), now()).await;
    fixture.writer.apply(batch, now()).await.expect("a new connection");
}

#[tokio::test]
async fn a_primary_is_writable() {
    Fixture::new().await.writer.check_writable().await.expect("it takes writes");
}
