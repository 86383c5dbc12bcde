//! An answer that the client gets, though its request was not read to the end.
//!
//! A connection is closed when a body is left on it. To a client that still sends, or has sent its next
//! request already, that is a broken connection instead of, say, the 413 that explains it. So what is
//! left of a body is read and discarded before the answer, within bounds.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header::EXPECT,
    response::Response,
};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Frame, SizeHint};
use tokio::{sync::oneshot, time::timeout};

/// Most bytes that are discarded.
const MOST: usize = 1024 * 1024;
/// Longest time that is spent on it.
const LONGEST: Duration = Duration::from_secs(1);

/// Middleware of a pod's server: gateways do this for a Lambda.
pub(super) async fn linger<F: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    // A client that waits for `100 Continue` does not send the body.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return next(request).await;
    }
    let (given_back, mut left) = oneshot::channel();
    let lend = |body| Body::new(Lent { body, given_back: Some(given_back) });
    let response = next(request.map(lend)).await;
    if let Ok(body) = left.try_recv() {
        // Whatever comes of it, the answer is the same.
        let _ = timeout(LONGEST, Limited::new(body, MOST).collect()).await;
    }
    response
}

/// A body that comes back when its reader is done with it before its end.
struct Lent {
    body: Body,
    given_back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = frame {
            self.given_back = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(given_back) = self.given_back.take() {
            // Nothing waits for it if the request was given up.
            let _ = given_back.send(std::mem::take(&mut self.body));
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode, routing::post};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::super::tests::{Server, statuses_in};

    #[tokio::test]
    async fn a_client_that_is_still_sending_gets_its_answer_and_may_send_again() {
        let refuse = Router::new().route("/", post(|| async { StatusCode::CONFLICT }));
        let server = Server::with(refuse, |config| {
            config.http_max_body_bytes = 400_000;
            config.http_header_timeout_ms = 60_000;
            config.http_request_timeout_ms = 60_000;
        })
        .await;
        for (size, status) in [(10, "409"), (300_000, "409"), (800_000, "413")] {
            let body = "x".repeat(size);
            let request = |more: &str| {
                format!("POST / HTTP/1.1\r\nhost: t\r\n{more}content-length: {size}\r\n\r\n{body}")
            };
            let twice = request("") + &request("connection: close\r\n");
            let (mut reader, mut writer) =
                TcpStream::connect(server.address).await.unwrap().into_split();
            // The half is given back, for to drop it is to hang up.
            let sending =
                tokio::spawn(
                    async move { writer.write_all(twice.as_bytes()).await.map(|()| writer) },
                );
            let mut answers = Vec::new();
            reader.read_to_end(&mut answers).await.unwrap();
            sending.await.unwrap().unwrap();
            assert_eq!(statuses_in(&answers), [status, status], "{size} bytes");
        }
    }
}
