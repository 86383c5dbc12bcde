//! Requests that end before their head is complete: malformed, too large, too slow, or given up.
//!
//! Hyper answers these by itself, if at all, and no middleware sees them. They have a log line and
//! the metrics of a request all the same, without a method or a route: a wave of them is an attack,
//! or a client or a proxy that is broken, and nothing else would show it.

use std::time::Duration;

use axum::http::StatusCode;

use tracing::info;

use super::{
    activity::{Activity, Expired},
    observe::{CLIENT_CLOSED, NO_ROUTE},
    request_metrics::RequestMetrics,
};

/// Hyper's error for a target of 64 KiB, which no method of it distinguishes.
const TARGET_TOO_LONG: &str = "URI too long";

/// Reports the request, if there is one, with which `error` ended a connection.
pub(super) fn by_hyper(error: &hyper::Error, activity: &Activity) {
    if error.is_parse() {
        let elapsed = activity.unfinished_head().unwrap_or_default();
        report(status(error).as_u16(), &error.to_string(), elapsed);
    } else if let Some(elapsed) = activity.unfinished_head() {
        report(CLIENT_CLOSED, "the connection ended within a head", elapsed);
    }
}

/// Reports the request, if there is one, whose head did not arrive in time.
pub(super) fn expired(expired: Expired, activity: &Activity) {
    if let (Expired::Head, Some(elapsed)) = (expired, activity.unfinished_head()) {
        report(StatusCode::REQUEST_TIMEOUT.as_u16(), expired.as_str(), elapsed);
    }
}

/// What hyper answers.
fn status(error: &hyper::Error) -> StatusCode {
    if !error.is_parse_too_large() {
        StatusCode::BAD_REQUEST
    } else if error.to_string() == TARGET_TOO_LONG {
        StatusCode::URI_TOO_LONG
    } else {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    }
}

/// `reason` is one of few constants, never what the client sent.
fn report(status: u16, reason: &str, elapsed: Duration) {
    let (method, route) = ("(none)", NO_ROUTE);
    let duration_ms = elapsed.as_secs_f64() * 1_000.0;
    info!(method, route, status, reason, duration_ms, "request");
    RequestMetrics::new().count(method, route, status, elapsed);
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        task::yield_now,
        time::timeout,
    };

    use super::super::tests::{Server, log::Observer, statuses_in};
    use super::Duration;

    async fn server() -> Server {
        let router = Router::new().route("/ok", get(|| async { "ok" }));
        Server::with(router, |config| config.http_keep_alive_timeout_ms = 60_000).await
    }

    /// Sends `bytes`, and nothing after them; the statuses of the answers.
    async fn send(server: &Server, bytes: &str) -> Vec<String> {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The server may have had enough before the end, and reset the connection.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let mut answers = Vec::new();
        let _ = stream.read_to_end(&mut answers).await;
        statuses_in(&answers)
    }

    /// The statuses of the log lines, once there are `count`.
    async fn logged(observer: &Observer, count: usize) -> Vec<String> {
        let all = async {
            while observer.requests().len() < count {
                yield_now().await;
            }
        };
        timeout(Duration::from_secs(30), all).await.expect("the lines");
        observer.requests().iter().map(|line| line["status"].to_string()).collect()
    }

    #[tokio::test]
    async fn whatever_is_refused_before_the_router_has_one_line_with_the_status_of_its_answer() {
        let headers = "name: value\r\n".repeat(600);
        let (secret, long) = ("/v1/tasks?q=secret", "x".repeat(70_000));
        let target = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: t\r\n\r\n");
        let head = |lines: &str| format!("GET {secret} HTTP/1.1\r\n{lines}\r\n");
        for (bytes, status) in [
            ("secret\r\n\r\n".to_owned(), "400"),
            (format!("GET {secret} HTTP/9.9\r\nhost: t\r\n\r\n"), "400"),
            (target("/secret thing"), "400"),
            (head("host: t\r\nx: se\0cret\r\n"), "400"),
            (head("host: t\r\ntransfer-encoding: secret\r\n"), "400"),
            (head("host: t\r\ncontent-length: secret\r\n"), "400"),
            (head(&format!("host: t\r\n{headers}")), "431"),
            (target(&format!("/{long}")), "414"),
            // By `framing`.
            (head(""), "400"),
            (head("host: a\r\nhost: b\r\n"), "400"),
        ] {
            let (observer, server) = (Observer::start(), server().await);
            let shown: String = bytes.chars().take(60).collect();
            assert_eq!(send(&server, &bytes).await, [status], "{shown:?}");
            assert_eq!(logged(&observer, 1).await, [status], "{shown:?}");
            assert!(!observer.text().contains("secret"), "{}", observer.text());
            let labels = format!(r#"route="(none)",status="{status}"}} 1"#);
            assert!(observer.metrics().contains(&labels), "{}", observer.metrics());
        }
    }

    #[tokio::test]
    async fn a_refusal_behind_an_answer_has_its_own_line() {
        let (observer, server) = (Observer::start(), server().await);
        let both = "GET /ok HTTP/1.1\r\nhost: t\r\n\r\nsecret\r\n\r\n";
        assert_eq!(send(&server, both).await, ["200", "400"]);
        assert_eq!(logged(&observer, 2).await, ["200", "400"]);
    }

    #[tokio::test]
    async fn a_head_that_is_not_completed_has_a_line_though_no_answer() {
        let (observer, server) = (Observer::start(), server().await);
        assert!(send(&server, "GET /secret HTTP/1.1\r\nhost:").await.is_empty());
        assert_eq!(logged(&observer, 1).await, ["408"]);
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /secret").await.unwrap();
        drop(stream);
        assert_eq!(logged(&observer, 2).await, ["408", "499"]);
        assert!(send(&server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.is_empty());
        assert_eq!(logged(&observer, 3).await, ["408", "499", "400"]);
        assert!(!observer.text().contains("secret"), "{}", observer.text());
    }

    #[tokio::test]
    async fn a_connection_without_a_request_has_no_line() {
        let (observer, server) = (Observer::start(), server().await);
        drop(TcpStream::connect(server.address).await.unwrap());
        assert!(send(&server, "").await.is_empty());
        let last = "GET /ok HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
        assert_eq!(send(&server, last).await, ["200"]);
        server.stop.draining.cancel();
        server.serving.await.unwrap();
        assert_eq!(logged(&observer, 1).await, ["200"]);
    }
}
