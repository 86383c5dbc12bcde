//! Connections: accepting, bounding and draining them.
//!
//! A load balancer goes on sending for a while after it was to stop. So a server that shuts down
//! first goes on as before (the lame-duck period), but closes each connection with its next
//! response; then it accepts no more, and finishes the requests that have begun.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Router, extract::Request, response::Response};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;
use tower::Service as _;
use tracing::warn;

use super::{
    connection,
    listener::{Limits, Shared},
};
use crate::shutdown::Stop;

/// What `accept` fails with is mostly a lack of file descriptors, which passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers requests. Cheap to clone.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    /// The answer, whatever becomes of the request.
    fn answer(&self, request: Request) -> impl Future<Output = Response> + Send;
}

impl Answer for Router {
    async fn answer(&self, request: Request) -> Response {
        let Ok(response) = self.clone().call(request).await;
        response
    }
}

struct Server<A> {
    shared: Arc<Shared>,
    router: A,
    slots: Arc<Semaphore>,
    connections: GracefulShutdown,
    tasks: TaskTracker,
}

/// Listens on `address`, which the variable `setting` set.
pub(crate) async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; set {setting} to a free address"))
}

/// Serves until the shutdown, then for the lame-duck period, and then finishes the requests that
/// have begun.
pub(crate) async fn serve(listener: TcpListener, router: impl Answer, limits: Limits, stop: Stop) {
    let server = Server::new(router, limits, &stop);
    {
        let mut accepting = Box::pin(server.accept_all(listener));
        stop.draining.run_until_cancelled(&mut accepting).await;
        server.shared.drain();
        let lame_duck = timeout(limits.lame_duck, accepting);
        let lame_duck = stop.at_once.run_until_cancelled(lame_duck);
        stop.cut_off.run_until_cancelled(lame_duck).await;
    }
    server.drain().await;
}

impl<A: Answer> Server<A> {
    fn new(router: A, limits: Limits, stop: &Stop) -> Self {
        Self {
            shared: Arc::new(Shared::new(limits, stop)),
            router,
            slots: Arc::new(Semaphore::new(limits.max_connections.into())),
            connections: GracefulShutdown::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Accepts for ever; closes the listener when it is dropped.
    async fn accept_all(&self, listener: TcpListener) {
        loop {
            match self.accept(&listener).await {
                Ok((stream, slot)) => self.spawn(stream, slot),
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// One connection waits here for a slot, and others in the kernel's queue.
    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let (stream, _) = listener.accept().await?;
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok((stream, slot));
        }
        self.shared.set_crowded(true);
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(io::Error::other);
        self.shared.set_crowded(false);
        Ok((stream, slot?))
    }

    fn spawn(&self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        let (shared, router) = (Arc::clone(&self.shared), self.router.clone());
        let watcher = self.connections.watcher();
        self.tasks.spawn(async move {
            connection::serve(stream, router, shared, watcher).await;
            drop(slot);
        });
    }

    async fn drain(self) {
        let Self { shared, connections, tasks, .. } = self;
        if timeout(shared.limits.drain, connections.shutdown()).await.is_err() {
            warn!(connections = tasks.len(), "cut off connections that did not end");
            shared.cut_off.cancel();
        }
        tasks.close();
        tasks.wait().await;
    }
}
