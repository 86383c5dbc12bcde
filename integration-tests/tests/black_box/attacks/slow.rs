//! Clients that begin and do not go on.

use futures::future::join_all;

use super::{read_to_end, send};
use crate::world::{Api, World};

/// More than the connections of a small pool, as one client can have them.
const SLOW: usize = 50;

/// Opens many connections that send `bytes` and then nothing, and is served beside them.
async fn hold_up(world: &World, api: &Api, bytes: &str) -> Vec<String> {
    let slow = join_all((0..SLOW).map(|_| send(api, bytes))).await;
    let url = format!("{}/v1/tasks", api.url);
    let served = world.client.put(url).send().await.expect("an answer beside the slow ones");
    assert_eq!(served.status(), 405);
    join_all(slow.into_iter().map(read_to_end)).await
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let world = World::new().await;
    let api = world.writer_with(&[("HTTP_HEADER_TIMEOUT_MS", "1000")]).await;
    let answers = hold_up(&world, &api, "POST /v1/tasks HTTP/1.1\r\nhost: t\r\nx:").await;
    for answer in answers {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let world = World::new().await;
    let api = world.writer_with(&[("HTTP_REQUEST_TIMEOUT_MS", "1000")]).await;
    let token = world.token("acme");
    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{\"title\":"
    );
    for answer in hold_up(&world, &api, &head).await {
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("urn:problem:timed-out"), "{answer}");
    }
    assert_eq!(world.count("SELECT count(*) FROM tasks").await, 0);
}

#[tokio::test]
async fn whoever_may_not_write_is_refused_before_the_body() {
    let world = World::new().await;
    let api = world.writer().await;
    let head = "POST /v1/tasks HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n\
                content-length: 1000\r\nconnection: close\r\n\r\n";
    let answer = read_to_end(send(&api, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}
