//! A server that answers and takes no writes, as the old primary does after a fail-over.

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
async fn a_primary_is_writable() {
    Fixture::new().await.writer.check_writable().await.expect("it takes writes");
}
