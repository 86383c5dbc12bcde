//! A way to a server that notes when it is asked for messages.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, Result};
use local_stack::ports;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The header that names the operation has it.
const OPERATION: &[u8] = b"AmazonSQS.ReceiveMessage";
const BUFFER: usize = 64 * 1024;

/// Passes everything on. Dropped, it passes nothing on any more.
pub(super) struct Watch {
    pub(super) address: SocketAddr,
    seen: watch::Receiver<Seen>,
    passing: JoinHandle<()>,
}

/// How often somebody asked, and when they did so last.
#[derive(Clone, Copy)]
struct Seen {
    count: u64,
    last: Instant,
}

impl Watch {
    pub(super) async fn start(server: SocketAddr) -> Result<Self> {
        let address = ports::loopback(ports::free(None)?);
        let listener = TcpListener::bind(address).await?;
        let (noted, seen) = watch::channel(Seen { count: 0, last: Instant::now() });
        let passing = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(server).await else { continue };
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server, noted.clone()));
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
            }
        });
        Ok(Self { address, seen, passing })
    }

    pub(super) fn count(&self) -> u64 {
        self.seen.borrow().count
    }

    /// Waits until somebody has asked more often.
    pub(super) async fn more_than(&self, count: u64) -> Result<Instant> {
        let mut seen = self.seen.clone();
        let more = seen.wait_for(|seen| seen.count > count).await;
        Ok(more.context("nothing passes any more")?.last)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, noted: watch::Sender<Seen>) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let part = buffer.get(..length).unwrap_or_default();
        // A client writes the head of a request in one piece.
        if part.windows(OPERATION.len()).any(|it| it == OPERATION) {
            let now = Instant::now();
            noted.send_modify(|seen| *seen = Seen { count: seen.count + 1, last: now });
        }
        if to.write_all(part).await.is_err() {
            return;
        }
    }
}
