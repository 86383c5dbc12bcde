//! Connections: accepting, bounding and draining them.
//!
//! `axum::serve` gives hyper no timer, and without one a client may take for ever over its head;
//! hence a server of our own, on hyper.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Router, middleware::from_fn};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{framing, linger};

/// Room for a request's head, and for what is read of its body at once.
const BUFFER_BYTES: usize = 128 * 1024;
/// Hyper answers a head with more by a bare 431; the middleware's limit, in `limits`, is lower.
const MOST_HEADERS: usize = 512;

/// What `accept` fails with is mostly a lack of file descriptors, which passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What one listener's connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_connections: u16,
    pub(crate) header_timeout: Duration,
}

/// Listens on `address`, which the variable `setting` set.
pub(crate) async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; set {setting} to a free address"))
}

/// Serves until `shutdown`, then finishes the requests that have begun.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let connections = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.max_connections.into()));
    let service = TowerToHyperService::new(
        router.layer(from_fn(linger::linger)).layer(from_fn(framing::check)),
    );
    while let Some(next) = shutdown.run_until_cancelled(accept(&listener, &slots)).await {
        match next {
            Ok((stream, slot)) => {
                let serving = connection(stream, service.clone(), limits, connections.watcher());
                tokio::spawn(async move {
                    serving.await;
                    drop(slot);
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// A slot first: a connection that cannot be served waits in the kernel's queue.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

async fn connection(
    stream: TcpStream,
    service: TowerToHyperService<Router>,
    limits: Limits,
    watcher: Watcher,
) {
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(BUFFER_BYTES)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        // The client's doing: it went away, was too slow, or does not speak HTTP.
        debug!(%error, "a connection ended early");
    }
}
