//! One connection: hyper's, watched from both sides.
//!
//! Its socket notes what is read and written, its service which request is served; see
//! [`activity`](super::activity).

use std::{
    convert::Infallible,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, header::CONNECTION},
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    rt::{Read, ReadBufCursor, Write},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{rt::TokioIo, server::graceful::Watcher};
use metrics::counter;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::{
    activity::{Activity, Expired, Serving},
    framing, linger,
    listener::Shared,
    refused,
    server::Answer,
};
use crate::metrics::HTTP_CONNECTIONS_CLOSED;

/// Room for a request's head, and for what is read of its body at once.
const BUFFER_BYTES: usize = 128 * 1024;
/// So many headers more than the middleware allows are read, for it explains its refusal. Beyond them
/// hyper answers a bare 431.
const MORE_HEADERS: usize = 36;
/// Hyper's own limit. For another one it allocates with each request, also for a smaller one.
const USUAL_HEADERS: usize = 100;

/// Serves a connection until its end, which is early if the client lets it expire.
///
/// What may end it early is waited for by another task: all that a task waits for is looked at whenever something
/// of it happens, and here that is twice a request.
pub(super) async fn serve(
    stream: TcpStream,
    router: impl Answer,
    shared: Arc<Shared>,
    watcher: Watcher,
) {
    let activity = Activity::new();
    let served = requests(stream, router, Arc::clone(&shared), activity.clone(), watcher);
    let mut served = AbortOnDropHandle::new(tokio::spawn(served));
    tokio::select! {
        biased;
        ended = &mut served => {
            if let Ok(Err(error)) = ended {
                // The client's doing: it disconnected, or does not speak HTTP.
                debug!(%error, "a connection ended early");
                refused::by_hyper(&error, &activity);
            }
            return;
        }
        expired = activity.expired(shared.limits.timeouts, || shared.is_crowded()) => {
            close(expired);
            refused::expired(expired, &activity);
        }
        () = shared.cut_off.cancelled() => debug!("a connection was cut off"),
    }
    served.abort();
    let _ = served.await;
}

/// Answers the requests of a connection.
async fn requests(
    stream: TcpStream,
    router: impl Answer,
    shared: Arc<Shared>,
    activity: Activity,
    watcher: Watcher,
) -> hyper::Result<()> {
    let _ = stream.set_nodelay(true);
    let socket = Watched { stream: TokioIo::new(stream), activity: activity.clone() };
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (serving, router, shared) = (activity.serve(), &router, &shared);
        async move {
            let answer = |request| linger::linger(request, |request| router.answer(request));
            let mut response = framing::check(request.map(Body::new), answer).await;
            if shared.closes_connections() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| Served { body, _serving: serving }))
        }
    });
    // Hyper's own timeout of heads would end idle connections, too.
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(BUFFER_BYTES);
    let headers = usize::from(shared.limits.headers) + MORE_HEADERS;
    if headers > USUAL_HEADERS {
        http.max_headers(headers);
    }
    watcher.watch(http.serve_connection(socket, service)).await
}

/// By dropping it.
fn close(expired: Expired) {
    let reason = expired.as_str();
    debug!(reason, "a connection was closed");
    counter!(HTTP_CONNECTIONS_CLOSED, "reason" => reason).increment(1);
}

/// The socket.
struct Watched {
    stream: TokioIo<TcpStream>,
    activity: Activity,
}

impl Watched {
    fn note_write(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => self.activity.blocked(),
            Poll::Ready(Ok(bytes)) => self.activity.written(*bytes),
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.activity.is_blocked() {
            // Otherwise the kernel would keep what the client does not read.
            let _ = self.stream.inner().set_zero_linger();
        }
    }
}

impl Read for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        // At the end too, after which nothing is waited for.
        self.activity.received();
        Poll::Ready(read)
    }
}

impl Write for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.note_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        self.activity.flushed();
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A response's body; once hyper has dropped it, the next request may come.
struct Served {
    body: Body,
    _serving: Serving,
}

impl HttpBody for Served {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
