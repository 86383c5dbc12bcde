//! A network between a client and Redis that fails in the ways of networks, while Redis keeps what it
//! has.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::ports::{free, loopback};

/// Passes everything on, until a test changes that.
#[derive(Debug)]
pub struct Proxy {
    url: SecretString,
    address: SocketAddr,
    target: Arc<Mutex<String>>,
    freezes: watch::Sender<()>,
    passing: JoinHandle<()>,
}

impl Proxy {
    /// A way to the server of that URL.
    pub async fn start(server: &SecretString) -> Result<Self> {
        let address = loopback(free(None)?);
        let (login, target) = parts(server)?;
        let target = Arc::new(Mutex::new(target.to_owned()));
        let freezes = watch::channel(()).0;
        let passing = pass(address, target.clone(), freezes.clone()).await?;
        Ok(Self { url: format!("{login}@{address}").into(), address, target, freezes, passing })
    }

    /// The server's URL, by way of the proxy.
    #[must_use]
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// Closes every connection and refuses new ones.
    pub fn cut(&self) {
        self.passing.abort();
    }

    /// Takes connections again.
    pub async fn mend(&mut self) -> Result<()> {
        self.passing = pass(self.address, self.target.clone(), self.freezes.clone()).await?;
        Ok(())
    }

    /// Freezes the connections that there are: nothing comes through any more, and nothing is closed.
    /// New ones are fine.
    pub fn freeze(&self) {
        self.freezes.send_replace(());
    }

    /// Leads new connections to another server with the same password, as a name does after a
    /// fail-over. Those that there are stay.
    pub fn lead_to(&self, server: &SecretString) -> Result<()> {
        let (_, target) = parts(server)?;
        target.clone_into(&mut self.target.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

fn parts(server: &SecretString) -> Result<(&str, &str)> {
    server.expose_secret().rsplit_once('@').context("a Redis without a login")
}

async fn pass(
    address: SocketAddr,
    target: Arc<Mutex<String>>,
    freezes: watch::Sender<()>,
) -> Result<JoinHandle<()>> {
    let listener = TcpListener::bind(address).await?;
    Ok(tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let target = target.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut frozen = freezes.subscribe();
            connections.spawn(async move {
                let Ok(mut server) = TcpStream::connect(target).await else { return };
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    _ = frozen.changed() => std::future::pending().await,
                }
            });
        }
    }))
}
