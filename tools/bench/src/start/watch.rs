//! A way to a server that notes when it is first asked for messages. Each start has one of its own: what a process
//! before it asked, and is read only now, must not count as its first sign.

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
    asked: watch::Receiver<Option<Instant>>,
    passing: JoinHandle<()>,
}

impl Watch {
    pub(super) async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(ports::loopback(0)).await?;
        let address = listener.local_addr()?;
        let (first, asked) = watch::channel(None);
        let passing = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(server).await else { continue };
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server, first.clone()));
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
            }
        });
        Ok(Self { address, asked, passing })
    }

    /// When somebody asked first; waits until somebody does.
    pub(super) async fn first(&self) -> Result<Instant> {
        let mut asked = self.asked.clone();
        let first = *asked.wait_for(Option::is_some).await?;
        first.context("nobody asked")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    first: watch::Sender<Option<Instant>>,
) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let part = buffer.get(..length).unwrap_or_default();
        // A client writes the head of a request in one piece.
        if part.windows(OPERATION.len()).any(|it| it == OPERATION) {
            let now = Instant::now();
            first.send_modify(|first| *first = first.or(Some(now)));
        }
        if to.write_all(part).await.is_err() {
            return;
        }
    }
}
