//! Whatever ends a read of the page, what was received is visible again.

use std::time::Duration;

use reqwest::StatusCode;
use tokio::time::{Instant, sleep, timeout};

use super::server::Server;
use crate::dead_letters::fixture::{Fixture, stderr};
use crate::dead_letters::gateway::{Gateway, Later};
use crate::support::system::PATIENCE;

const COUNT: usize = 25;

/// A server whose reads take long, since each receive but the first does.
async fn slow() -> (Fixture, Gateway, Server) {
    let fixture = Fixture::standard().await;
    let messages: Vec<_> = (0..COUNT).map(|number| ("", number.to_string())).collect();
    fixture.fill(&messages).await;
    let later = Later::Delayed(Duration::from_millis(800));
    let gateway = Gateway::start(&fixture.aws.endpoint, later).await;
    let server = Server::start_at(&fixture, &gateway.url).await;
    (fixture, gateway, server)
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn until_received(gateway: &Gateway) {
    until("a receive", async || {
        gateway.exchanges().iter().any(|exchange| exchange.action == "ReceiveMessage")
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_releases_what_a_read_holds() {
    let (fixture, gateway, server) = slow().await;
    let read = server.request(&format!("api/queues/{}", fixture.name())).send();
    let read = tokio::spawn(read);
    until_received(&gateway).await;
    let end = server.end().await;
    assert_eq!(end.status.code(), Some(0), "{end:?}");
    assert_eq!(fixture.depth().await, (COUNT, 0), "{end:?}");
    let answer = read.await.expect("an end").expect("a response");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!stderr(&end).contains("error"), "{end:?}");
}

#[tokio::test]
async fn a_browser_that_leaves_ends_its_read() {
    let (fixture, gateway, server) = slow().await;
    let read = server.request(&format!("api/queues/{}", fixture.name())).send();
    let left = async {
        let _ = timeout(PATIENCE, read).await;
    };
    let left = tokio::spawn(left);
    until_received(&gateway).await;
    left.abort();
    // The next read has its turn once the messages of this one are visible again.
    let groups = server.read(&format!("api/queues/{}", fixture.name())).await;
    assert_eq!((&groups["read"], &groups["complete"]), (&COUNT.into(), &true.into()), "{groups}");
    assert_eq!(fixture.depth().await, (COUNT, 0));
}
