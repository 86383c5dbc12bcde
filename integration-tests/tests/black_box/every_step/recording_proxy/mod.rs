//! A network between a function and a dependency that fails at one message.

mod http;
mod postgresql;
mod redis;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::plan::{Fault, Plan, Step};

const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\naway";

/// What the client speaks.
#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Postgresql,
    Redis,
    /// Of AWS.
    Http,
}

/// A message of the client's, as it was sent.
struct Message {
    step: Step,
    bytes: Vec<u8>,
}

/// Cuts what a client says on one connection into messages.
trait Split: Send {
    /// Takes the next message out of `said`, if all of it is there.
    fn split(&mut self, said: &mut Vec<u8>) -> Option<Message>;
}

/// Passes on everything but what its plan says. Ends when dropped.
pub(crate) struct RecordingProxy {
    address: SocketAddr,
    _accepting: JoinSet<()>,
}

impl RecordingProxy {
    /// A proxy to the server that `url` names.
    pub(crate) async fn to(url: &str, protocol: Protocol, plan: &Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (_, server, _) = parts(url);
        let (server, plan) = (server.to_owned(), plan.clone());
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (server, plan) = (server.clone(), plan.clone());
                connections.spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        // The end of one is an end like another.
                        let _ = pass(client, server, protocol, &plan).await;
                    }
                });
            }
        });
        Self { address, _accepting: accepting }
    }

    /// The server's `url`, by way of this proxy.
    pub(crate) fn by_way(&self, url: &str) -> String {
        let (before, _, after) = parts(url);
        format!("{before}{}{after}", self.address)
    }

    /// The root of an HTTP server, by way of this proxy.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// What comes before a URL's host and port, these two, and what follows them.
fn parts(url: &str) -> (&str, &str, &str) {
    let (_, rest) = url.split_once("://").expect("a URL");
    let server = rest.split_once('@').map_or(rest, |(_login, server)| server);
    let server = server.split_once('/').map_or(server, |(server, _path)| server);
    let (before, after) = url.split_once(server).expect("a part of it");
    (before, server, after)
}

async fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    protocol: Protocol,
    plan: &Plan,
) -> std::io::Result<()> {
    let mut splitter: Box<dyn Split> = match protocol {
        Protocol::Postgresql => Box::<postgresql::Splitter>::default(),
        Protocol::Redis => Box::new(redis::Splitter),
        Protocol::Http => Box::new(http::Splitter),
    };
    let (mut said, mut answer) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        tokio::select! {
            length = client.read_buf(&mut said) => {
                if length? == 0 {
                    return Ok(());
                }
                while let Some(message) = splitter.split(&mut said) {
                    match plan.meet(message.step) {
                        None => server.write_all(&message.bytes).await?,
                        Some(Fault::Unheard) => return Ok(()),
                        Some(Fault::Unanswered) => {
                            server.write_all(&message.bytes).await?;
                            return server.read(&mut answer).await.map(drop);
                        }
                        Some(Fault::Refused(_)) => client.write_all(UNAVAILABLE).await?,
                    }
                }
            }
            length = server.read(&mut answer) => match length? {
                0 => return Ok(()),
                length => client.write_all(&answer[..length]).await?,
            },
        }
    }
}
