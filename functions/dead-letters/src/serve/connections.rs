//! Connections of browsers: bounded in number, in their heads and in their time.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::output;

/// At a time. Further ones wait.
const MOST_CONNECTIONS: usize = 64;
/// The longest head of a request, in bytes.
const MOST_HEAD_BYTES: usize = 32 * 1024;
/// In which a head arrives, also that of the next request: an idle connection is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// From the wish to end: a read that was interrupted releases its messages meanwhile.
const DRAIN: Duration = Duration::from_mins(2);
/// What `accept` fails with is mostly a lack of file descriptors, which passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`, and then completes the requests that have begun.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: &CancellationToken) {
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let connections = GracefulShutdown::new();
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &slots)).await {
        let Some((stream, slot)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MOST_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // The browser's doing: it disconnected, or does not speak HTTP.
            let _ = connection.await;
            drop(slot);
        });
    }
    drop(listener);
    if timeout(DRAIN, connections.shutdown()).await.is_err() {
        output::note("a browser did not end its connection");
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, slot))
}
