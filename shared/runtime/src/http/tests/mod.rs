//! The host's promises, against a real listener and raw connections.

mod connections;
pub(super) mod log;

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{Config, RequestId, bind, harden, serve};
use crate::shutdown::Stop;

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) stop: Stop,
    pub(super) serving: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(router: Router) -> Self {
        Self::with(router, |_| {}).await
    }

    pub(super) async fn with(router: Router, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::for_test();
        change(&mut config);
        let listener = bind(config.http_addr, "HTTP_ADDR").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::default();
        let router = harden(router, &config);
        let serving = tokio::spawn(serve(listener, router, config.limits(), stop.clone()));
        Self { address, stop, serving }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let url = format!("http://{}{path}", self.address);
        Client::new().request(method, url).body(body).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, "").await
    }
}

/// The statuses of the answers that came on a connection.
pub(super) fn statuses_in(answers: &[u8]) -> Vec<String> {
    let answers = String::from_utf8_lossy(answers).into_owned();
    let answers = answers.split("HTTP/1.1 ").skip(1);
    answers.filter_map(|answer| Some(answer.split_once(' ')?.0.to_owned())).collect()
}

async fn assert_problem(response: Response, status: StatusCode, slug: &str) {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], format!("urn:problem:{slug}"));
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["request_id"], id);
    assert!(problem["title"].is_string() && problem["detail"].is_string());
}

async fn assert_raw_problem(stream: &mut TcpStream, status: &str, slug: &str) {
    let answer = read_some(stream).await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    assert!(answer.contains("content-type: application/problem+json"), "{answer}");
    assert!(answer.contains(&format!("urn:problem:{slug}")), "{answer}");
}

fn echo() -> Router {
    Router::new().route("/echo", post(|body: Bytes| async { body }))
}

#[tokio::test]
async fn an_unknown_path_and_method_are_problems() {
    let server = Server::start(echo()).await;
    assert_problem(server.get("/nowhere").await, StatusCode::NOT_FOUND, "not-found").await;
    let refused = server.get("/echo").await;
    assert_eq!(refused.headers()["allow"], "POST");
    assert_problem(refused, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed").await;
}

#[tokio::test]
async fn a_body_has_a_limit_whether_it_says_its_length_or_not() {
    let server = Server::start(echo()).await;
    let fitting = server.send(Method::POST, "/echo", "0123456789abcdef").await;
    assert_eq!(fitting.text().await.unwrap(), "0123456789abcdef");

    let large = server.send(Method::POST, "/echo", "0123456789abcdefg").await;
    assert_problem(large, StatusCode::PAYLOAD_TOO_LARGE, "payload-too-large").await;

    let chunked = "POST /echo HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n\
                   11\r\n0123456789abcdefg\r\n0\r\n\r\n";
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(chunked.as_bytes()).await.unwrap();
    assert_raw_problem(&mut stream, "413", "payload-too-large").await;
}

/// A connection on which a request was sent, with these lines in its head.
async fn send_head(server: &Server, target: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("GET {target} HTTP/1.1\r\nhost: t\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

fn headers(count: usize) -> String {
    "name: value\r\n".repeat(count)
}

#[tokio::test]
async fn a_head_has_a_limit_of_headers_and_of_bytes() {
    let server = Server::start(Router::new().route("/", get(|| async { "ok" }))).await;
    let send = async |target: &str, headers: String| send_head(&server, target, &headers).await;
    let fitting = read_some(&mut send("/", headers(19)).await).await;
    assert!(fitting.starts_with("HTTP/1.1 200"), "{fitting}");
    assert_raw_problem(&mut send("/", headers(20)).await, "431", "head-too-large").await;
    let large = format!("h: {}\r\n", "x".repeat(1_024));
    assert_raw_problem(&mut send("/", large).await, "431", "head-too-large").await;
    let long = format!("/?{}", "x".repeat(1_024));
    assert_raw_problem(&mut send(&long, String::new()).await, "431", "head-too-large").await;

    let beyond_the_server = read_some(&mut send("/", headers(513)).await).await;
    assert!(beyond_the_server.starts_with("HTTP/1.1 431"), "{beyond_the_server}");
}

#[tokio::test]
async fn more_headers_than_hyper_takes_by_itself_can_be_allowed() {
    let router = Router::new().route("/", get(|| async { "ok" }));
    let server = Server::with(router, |config| {
        config.http_max_headers = 150;
        config.http_max_head_bytes = 16_384;
    });
    let server = server.await;
    let fitting = read_some(&mut send_head(&server, "/", &headers(149)).await).await;
    assert!(fitting.starts_with("HTTP/1.1 200"), "{fitting}");
    let mut refused = send_head(&server, "/", &headers(150)).await;
    assert_raw_problem(&mut refused, "431", "head-too-large").await;
}

#[tokio::test]
async fn a_slow_handler_is_given_up() {
    let never = Router::new().route("/", get(std::future::pending::<()>));
    let server = Server::start(never).await;
    let given_up = server.get("/").await;
    assert_eq!(given_up.headers()["retry-after"], "1");
    assert_problem(given_up, StatusCode::SERVICE_UNAVAILABLE, "timed-out").await;
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_next_request_works() {
    async fn panics() {
        panic!("secret insides")
    }
    let server = Server::start(echo().route("/panic", get(panics))).await;
    let failed = server.get("/panic").await;
    assert_problem(failed, StatusCode::INTERNAL_SERVER_ERROR, "internal").await;
    assert_eq!(server.send(Method::POST, "/echo", "on").await.text().await.unwrap(), "on");
}

#[tokio::test]
async fn a_request_id_is_taken_over_if_it_is_sane() {
    let id = || async { RequestId::current().unwrap().as_str().to_owned() };
    let server = Server::start(Router::new().route("/", get(id))).await;
    let send = async |given: &str| {
        let url = format!("http://{}/", server.address);
        let response = Client::new().get(url).header("x-request-id", given).send().await.unwrap();
        let header = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(response.text().await.unwrap(), header, "the handler sees the client's id");
        header
    };
    assert_eq!(send("abc-1_2.3").await, "abc-1_2.3");
    for insane in ["", "with space", "quote\"", &"x".repeat(65)] {
        let id = send(insane).await;
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{insane:?} became {id:?}");
    }
}

#[tokio::test]
async fn a_slow_head_closes_the_connection() {
    let server = Server::start(echo()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let answer = read_some(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let router = echo().route("/ok", get(|| async { "ok" }));
    let server = Server::with(router, |config| {
        config.http_max_connections = 1;
        config.http_header_timeout_ms = 60_000;
    })
    .await;
    let first = TcpStream::connect(server.address).await.unwrap();
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(b"GET /ok HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    let mut byte = [0];
    let waiting = tokio::time::timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(waiting.is_err(), "the second connection is not served next to the first");
    drop(first);
    assert!(read_some(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_drain_lets_a_running_request_finish_and_takes_no_new_one() {
    let (started, mut running) = mpsc::channel(1);
    let (finish, finished) = async_gate();
    let router = Router::new().route(
        "/",
        get(move || async move {
            started.send(()).await.unwrap();
            finished.cancelled().await;
            "finished"
        }),
    );
    let server = Server::with(router, |config| config.http_request_timeout_ms = 60_000).await;
    let url = format!("http://{}/", server.address);
    let request = tokio::spawn(async move { reqwest::get(url).await.unwrap().text().await });
    running.recv().await.unwrap();

    server.stop.draining.cancel();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.serving.is_finished(), "the running request holds the server up");
    finish.cancel();
    assert_eq!(request.await.unwrap().unwrap(), "finished");
    server.serving.await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_setting() {
    let server = Server::start(echo()).await;
    let error = bind(server.address, "HTTP_ADDR").await.unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains(&server.address.to_string()) && error.contains("HTTP_ADDR"), "{error}");
}

fn async_gate() -> (CancellationToken, CancellationToken) {
    let gate = CancellationToken::new();
    (gate.clone(), gate)
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 1024];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await;
    String::from_utf8_lossy(&buffer[..read.unwrap().unwrap_or(0)]).into_owned()
}
