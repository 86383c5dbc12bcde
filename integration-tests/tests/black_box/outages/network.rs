//! A network between a function and a dependency that can refuse connections, or freeze.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Passes,
    /// Every connection is closed, and each new one, too.
    Refuses,
    /// Connections stay open, and nothing passes any more.
    Freezes,
}

/// Passes everything on while it works. Ends when dropped.
pub(crate) struct Network {
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    _accepting: JoinSet<()>,
}

impl Network {
    /// A network to `server`, a host and port.
    pub(crate) async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (state, seen) = watch::channel(State::Passes);
        let server = server.to_owned();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connect(client, server.clone(), seen.clone()));
            }
        });
        Self { address, state, _accepting: accepting }
    }

    pub(crate) fn becomes(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn connect(mut client: TcpStream, server: String, mut state: watch::Receiver<State>) {
    if *state.borrow_and_update() == State::Passes
        && let Ok(mut server) = TcpStream::connect(server).await
    {
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = state.changed() => {}
        }
        // Held, with both ends open, for as long as it is frozen.
        let _ = state.wait_for(|state| *state != State::Freezes).await;
        return;
    }
    let _ = state.wait_for(|state| *state != State::Freezes).await;
}
