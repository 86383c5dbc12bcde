//! Clients that begin and do not go on.

use futures::future::join_all;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

use super::{read_to_end, send};
use crate::support::system::{Api, TestSystem, eventually};

/// More than the connections of a small pool, as one client can have them.
const SLOW: usize = 50;

/// Opens many connections that send `bytes` and then nothing, and is served beside them.
async fn hold_up(system: &TestSystem, api: &Api, bytes: &str) -> Vec<String> {
    let slow = join_all((0..SLOW).map(|_| send(api, bytes))).await;
    let url = format!("{}/v1/tasks", api.url);
    let served = system.client.put(url).send().await.expect("an answer beside the slow ones");
    assert_eq!(served.status(), 405);
    join_all(slow.into_iter().map(read_to_end)).await
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let system = TestSystem::new().await;
    let api = system.writer_with(&[("HTTP_HEADER_TIMEOUT_MS", "1000")]).await;
    let answers = hold_up(&system, &api, "POST /v1/tasks HTTP/1.1\r\nhost: t\r\nx:").await;
    for answer in answers {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let system = TestSystem::new().await;
    let api = system.writer_with(&[("HTTP_REQUEST_TIMEOUT_MS", "1000")]).await;
    let token = system.token("acme");
    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{\"title\":"
    );
    for answer in hold_up(&system, &api, &head).await {
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("urn:problem:timed-out"), "{answer}");
    }
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 0);
}

#[tokio::test]
async fn whoever_may_not_write_is_refused_before_the_body() {
    let system = TestSystem::new().await;
    let api = system.writer().await;
    let head = "POST /v1/tasks HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n\
                content-length: 1000\r\nconnection: close\r\n\r\n";
    let answer = read_to_end(send(&api, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

/// A client that requests far more than the kernel buffers for it, and reads none of it.
async fn request_and_not_read(api: &Api) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let address = api.url.trim_start_matches("http://").parse().expect("an address");
    let mut stream = socket.connect(address).await.expect("a connection");
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: t\r\n\r\n".repeat(200);
    stream.write_all(requests.as_bytes()).await.expect("requests that are sent");
    stream
}

#[tokio::test]
async fn responses_that_nobody_reads_are_cut_off() {
    let system = TestSystem::new().await;
    let environment = system
        .api_environment(&system.database.reader_url)
        .with("HTTP_MAX_CONNECTIONS", "8")
        .with("HTTP_WRITE_TIMEOUT_MS", "1000");
    let api = system.api("task-reader", environment).await;
    let deaf = join_all((0..8).map(|_| request_and_not_read(&api))).await;
    let metrics = api.function.health_url("metrics");
    eventually("connections are closed", async || {
        let metrics = system.client.get(&metrics).send().await.ok()?.text().await.ok()?;
        metrics.contains(r#"http_connections_closed_total{reason="write_timeout"} 8"#).then_some(())
    })
    .await;
    let served = system.client.get(format!("{}/openapi.json", api.url)).send().await;
    assert_eq!(served.expect("an answer after the deaf ones").status(), 200);
    drop(deaf);
}
