//! Connections that are idle, slow, or not read from; and their end.

use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use super::{Config, Server, statuses_in};

const REQUEST: &[u8] = b"GET /ok HTTP/1.1\r\nhost: t\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(30);
/// More than the kernel keeps for a client.
const MUCH: usize = 64 * 1024 * 1024;

fn router() -> Router {
    let much = get(|| async { vec![b'x'; MUCH] });
    Router::new().route("/ok", get(|| async { "ok" })).route("/much", much)
}

/// A server whose connections may be idle.
async fn patient(change: impl FnOnce(&mut Config)) -> Server {
    Server::with(router(), |config| {
        config.http_keep_alive_timeout_ms = 600_000;
        change(config);
    })
    .await
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.unwrap()
}

/// Sends a request and reads the answer to its end.
async fn exchange(stream: &mut TcpStream) -> String {
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok") {
        let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await.unwrap().unwrap();
        assert_ne!(read, 0, "closed after {}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8(answer).unwrap()
}

async fn ends(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // Which may be a reset.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
    answer
}

#[tokio::test]
async fn an_idle_connection_stays_open_beyond_the_timeout_of_a_head() {
    let server = patient(|config| config.http_header_timeout_ms = 100).await;
    let mut stream = connect(&server).await;
    for _ in 0..3 {
        assert!(!exchange(&mut stream).await.contains("connection: close"));
        sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_the_end_and_one_with_half_a_head_sooner() {
    let server = patient(|config| {
        config.http_header_timeout_ms = 60_000;
        config.http_keep_alive_timeout_ms = 100;
    })
    .await;
    let mut stream = connect(&server).await;
    exchange(&mut stream).await;
    assert!(ends(stream).await.is_empty());

    let server = patient(|config| config.http_header_timeout_ms = 100).await;
    let mut stream = connect(&server).await;
    exchange(&mut stream).await;
    stream.write_all(b"GET /ok HTTP/1.1\r\nhost:").await.unwrap();
    assert!(ends(stream).await.is_empty());
}

#[tokio::test]
async fn idle_connections_make_room_for_those_that_wait() {
    let server = patient(|config| {
        config.http_max_connections = 2;
        config.http_header_timeout_ms = 100;
    })
    .await;
    let mut idle = [connect(&server).await, connect(&server).await];
    for stream in &mut idle {
        exchange(stream).await;
    }
    exchange(&mut connect(&server).await).await;
}

#[tokio::test]
async fn clients_that_do_not_read_give_their_connections_back() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let server = patient(|config| config.http_header_timeout_ms = 600_000).await;
    let mut deaf = Vec::new();
    for _ in 0..8 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let mut stream = socket.connect(server.address).await.unwrap();
        stream.write_all(b"GET /much HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
        deaf.push(stream);
    }
    let closed = r#"http_connections_closed_total{reason="write_timeout"} 8"#;
    let all_closed = async {
        while !recorder.handle().render().contains(closed) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, all_closed).await.expect("closed connections");
    exchange(&mut connect(&server).await).await;
}

#[tokio::test]
async fn a_client_that_reads_gets_everything() {
    let server = Server::start(router()).await;
    let mut stream = connect(&server).await;
    let request = b"GET /much HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let answer = ends(stream).await;
    assert!(answer.len() > MUCH && answer.ends_with(b"xx"), "{} bytes", answer.len());
}

#[tokio::test]
async fn a_lame_duck_serves_on_and_closes_connections() {
    let server = patient(|config| config.http_lame_duck_seconds = 3_000).await;
    let (mut old, mut other) = (connect(&server).await, connect(&server).await);
    exchange(&mut old).await;
    exchange(&mut other).await;
    server.stop.draining.cancel();
    // Whoever closes the listener at once has closed it by then.
    sleep(Duration::from_millis(100)).await;
    for mut stream in [old, connect(&server).await] {
        assert!(exchange(&mut stream).await.contains("connection: close"));
        assert!(ends(stream).await.is_empty());
    }
    assert!(!server.serving.is_finished());
    server.stop.at_once.cancel();
    timeout(PATIENCE, server.serving).await.expect("an end").unwrap();
}

#[tokio::test]
async fn after_its_lame_duck_period_a_server_ends_whoever_is_connected() {
    let server = patient(|config| {
        config.http_lame_duck_seconds = 1;
        config.http_write_timeout_ms = 60_000;
    })
    .await;
    let mut idle = connect(&server).await;
    exchange(&mut idle).await;
    let mut deaf = connect(&server).await;
    deaf.write_all(b"GET /much HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    deaf.read_u8().await.unwrap();
    server.stop.draining.cancel();
    timeout(PATIENCE, server.serving).await.expect("an end").unwrap();
    assert!(ends(idle).await.is_empty());
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(statuses_in(&ends(deaf).await).len(), 0);
}

#[tokio::test]
async fn a_client_that_stops_within_its_body_is_answered_and_closed() {
    let read = get(|_: axum::body::Bytes| async { StatusCode::OK });
    let server = Server::start(Router::new().route("/", read)).await;
    let mut stream = connect(&server).await;
    let head = b"GET / HTTP/1.1\r\nhost: t\r\ncontent-length: 10\r\n\r\nhalf";
    stream.write_all(head).await.unwrap();
    assert_eq!(statuses_in(&ends(stream).await), ["503"]);
}
