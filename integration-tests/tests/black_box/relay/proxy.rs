//! A network between the functions and Redis that can be cut, while Redis keeps what it has.

use std::net::SocketAddr;

use local_stack::ports;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Passes everything on, until it is cut.
pub(crate) struct Proxy {
    /// The server's URL, by way of the proxy.
    pub(crate) url: SecretString,
    address: SocketAddr,
    target: String,
    passing: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(server: &SecretString) -> Self {
        let (login, target) = server.expose_secret().rsplit_once('@').expect("a login");
        let address = ports::loopback(ports::free(None).expect("a free port"));
        Self {
            url: format!("{login}@{address}").into(),
            address,
            target: target.to_owned(),
            passing: pass(address, target.to_owned()).await,
        }
    }

    /// Closes every connection and takes no new one.
    pub(crate) fn cut(&mut self) {
        self.passing.abort();
    }

    pub(crate) async fn mend(&mut self) {
        self.passing = pass(self.address, self.target.clone()).await;
    }
}

async fn pass(address: SocketAddr, target: String) -> JoinHandle<()> {
    let listener = TcpListener::bind(address).await.expect("the port");
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let target = target.clone();
            connections.spawn(async move {
                if let Ok(mut server) = TcpStream::connect(target).await {
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    })
}
