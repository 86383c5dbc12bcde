//! Whom a request is for, and where it ends: heads that leave this open are refused.
//!
//! Hyper refuses most of them by itself. What it lets pass is sound to it, but a proxy in front of it
//! may have read it differently, and then the next request on the connection is one that an attacker
//! hid in the body of this one (request smuggling; RFC 9112, sections 3.2 and 6.3).

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, Version,
        header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    },
    response::{IntoResponse as _, Response},
};

use super::{observe::observe, request_id, request_metrics::RequestMetrics, responses::unsound};

/// Middleware of a pod's server, outside of all others: gateways do this for a Lambda. What it refuses
/// has the id, the log line and the metrics of every request.
pub(super) async fn check<F: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    if is_sound(request.version(), request.headers()) {
        return next(request).await;
    }
    let metrics = RequestMetrics::new();
    let refuse = |_| async {
        ([(CONNECTION, HeaderValue::from_static("close"))], unsound()).into_response()
    };
    request_id::assign(request, |request| observe(&metrics, request, refuse)).await
}

fn is_sound(version: Version, headers: &HeaderMap) -> bool {
    let has_host = count(headers, &HOST) == 1 || version < Version::HTTP_11;
    let encoding = headers.get(TRANSFER_ENCODING);
    let is_chunked = encoding.is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"));
    let lengths = count(headers, &TRANSFER_ENCODING) + count(headers, &CONTENT_LENGTH);
    has_host && is_chunked && lengths <= 1
}

fn count(headers: &HeaderMap, name: &HeaderName) -> usize {
    headers.get_all(name).iter().count()
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Bytes, routing::post};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::super::tests::{Server, statuses_in};

    const HIDDEN: &str = "POST /hidden HTTP/1.1\r\nhost: t\r\n\r\n";
    const CHUNKED: &str = "4\r\nbody\r\n0\r\n\r\n";

    /// The statuses of what a request is answered with that has these lines in its head, `body`, and
    /// another request behind it.
    async fn statuses(server: &Server, lines: &str, body: &str) -> Vec<String> {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let sent = format!("POST /echo HTTP/1.1\r\n{lines}\r\n{body}{HIDDEN}");
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answers = Vec::new();
        // The server may reset a connection on which it leaves bytes unread.
        let _ = stream.read_to_end(&mut answers).await;
        statuses_in(&answers)
    }

    fn echo() -> Router {
        Router::new().route("/echo", post(|body: Bytes| async { body }))
    }

    #[tokio::test]
    async fn a_request_that_says_where_it_ends_is_followed_by_the_next() {
        let server = Server::start(echo()).await;
        for (lines, body) in [
            ("host: t\r\ncontent-length: 4\r\n", "body"),
            ("host: t\r\ncontent-length: 4\r\ncontent-length: 4\r\n", "body"),
            ("host: t\r\ntransfer-encoding: chunked\r\n", CHUNKED),
            ("host: t\r\nTransfer-Encoding: Chunked\r\n", CHUNKED),
        ] {
            assert_eq!(statuses(&server, lines, body).await, ["200", "404"], "{lines}");
        }
    }

    #[tokio::test]
    async fn a_request_that_leaves_its_end_open_smuggles_no_other() {
        let server = Server::start(echo()).await;
        for (lines, body) in [
            ("content-length: 4\r\ntransfer-encoding: chunked\r\n", CHUNKED),
            ("transfer-encoding: chunked\r\ncontent-length: 4\r\n", CHUNKED),
            ("content-length: 4\r\ncontent-length: 9\r\n", "body"),
            ("content-length: 4, 4\r\n", "body"),
            ("content-length: +4\r\n", "body"),
            ("content-length: -1\r\n", "body"),
            ("content-length: 0x4\r\n", "body"),
            ("transfer-encoding: identity, chunked\r\n", CHUNKED),
            ("transfer-encoding: chunked, identity\r\n", CHUNKED),
            ("transfer-encoding: xchunked\r\n", CHUNKED),
            ("transfer-encoding : chunked\r\n", CHUNKED),
            ("transfer-encoding: \u{b}chunked\r\n", CHUNKED),
            ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", CHUNKED),
            ("x: a\r\n transfer-encoding: chunked\r\n", CHUNKED),
            ("x: a\rtransfer-encoding: chunked\r\n", CHUNKED),
            ("x: a\0b\r\ncontent-length: 4\r\n", "body"),
            ("transfer-encoding: chunked\r\n", "0x4\r\nbody\r\n0\r\n\r\n"),
            ("transfer-encoding: chunked\r\n", "4;a=\nb\r\nbody\r\n0\r\n\r\n"),
            ("transfer-encoding: chunked\r\n", "fffffffffffffffff4\r\nbody\r\n0\r\n\r\n"),
            ("transfer-encoding: chunked\r\n", "4\nbody\n0\n\n"),
        ] {
            let lines = format!("host: t\r\n{lines}");
            let answers = statuses(&server, &lines, body).await;
            // Of a length and chunks hyper takes the chunks, and then closes the connection.
            let one = answers == ["400"] || answers == ["200"];
            assert!(one, "{lines:?} {body:?}: {answers:?}");
        }
    }

    #[tokio::test]
    async fn a_request_is_for_one_host() {
        let server = Server::start(echo()).await;
        for lines in ["", "host: a\r\nhost: b\r\n"] {
            let lines = format!("{lines}content-length: 4\r\n");
            assert_eq!(statuses(&server, &lines, "body").await, ["400"], "{lines:?}");
        }
    }
}
