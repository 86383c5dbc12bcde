//! A way to PostgreSQL that freezes: nothing comes through any more, and nothing is closed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Open, until this is sent to PostgreSQL, which still gets it.
    Until(&'static str),
    Frozen,
}

/// Connections that were there in the cold stay frozen for ever; those that are made afterwards are not.
pub(crate) struct Proxy {
    /// The given URL, by way of the proxy.
    pub(crate) url: SecretString,
    state: watch::Sender<State>,
    target: Arc<Mutex<String>>,
}

impl Proxy {
    pub(crate) async fn to(url: &SecretString) -> Self {
        let (login, target, database) = parts(url);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (state, _) = watch::channel(State::Open);
        let target = Arc::new(Mutex::new(target.to_owned()));
        tokio::spawn(accept(listener, Arc::clone(&target), state.clone()));
        Self { url: format!("{login}@127.0.0.1:{port}/{database}").into(), state, target }
    }

    /// Leads new connections to another server, as a name does after a fail-over. Those that there are
    /// stay.
    pub(crate) fn lead_to(&self, url: &SecretString) {
        let (_, target, _) = parts(url);
        target.clone_into(&mut self.target.lock().expect("a target"));
    }

    pub(crate) fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// Freezes once this is sent: PostgreSQL gets it, and its answer is lost.
    pub(crate) fn freeze_after(&self, sent: &'static str) {
        self.state.send_replace(State::Until(sent));
    }

    pub(crate) async fn is_frozen(&self) {
        let frozen = async |mut state: watch::Receiver<State>| {
            state.wait_for(|state| *state == State::Frozen).await.expect("a state");
        };
        let frozen = frozen(self.state.subscribe());
        tokio::time::timeout(Duration::from_secs(30), frozen).await.expect("it was sent");
    }

    pub(crate) fn thaw(&self) {
        self.state.send_replace(State::Open);
    }
}

fn parts(url: &SecretString) -> (&str, &str, &str) {
    let (login, rest) = url.expose_secret().split_once('@').expect("a login");
    let (target, database) = rest.split_once('/').expect("a database");
    (login, target, database)
}

async fn accept(listener: TcpListener, target: Arc<Mutex<String>>, state: watch::Sender<State>) {
    loop {
        let (client, _) = listener.accept().await.expect("a client");
        let target = target.lock().expect("a target").clone();
        tokio::spawn(connect(client, target, state.clone()));
    }
}

/// The server's side is closed by the frost, as when its host is gone: only the client is left waiting.
async fn connect(mut client: TcpStream, target: String, state: watch::Sender<State>) {
    let mut cold = state.subscribe();
    let cold = async {
        let _ = cold.wait_for(|state| *state == State::Frozen).await;
    };
    let open = async {
        // A server that is down refuses the client, too.
        let Ok(mut server) = TcpStream::connect(target).await else { return };
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        tokio::select! {
            () = pass(from_client, to_server, Some(&state)) => {}
            () = pass(from_server, to_client, None) => {}
        }
    };
    tokio::select! {
        biased;
        () = cold => std::future::pending().await,
        () = open => {}
    }
}

/// Passes on what comes, until the end or the frost.
async fn pass(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, state: Option<&watch::Sender<State>>) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let sent = &bytes[..length];
        if to.write_all(sent).await.is_err() {
            return;
        }
        state.inspect(|state| freeze_if_sent(state, sent));
    }
}

fn freeze_if_sent(state: &watch::Sender<State>, sent: &[u8]) {
    state.send_if_modified(|state| {
        let State::Until(text) = state else { return false };
        let is_sent = sent.windows(text.len()).any(|window| window == text.as_bytes());
        if is_sent {
            *state = State::Frozen;
        }
        is_sent
    });
}
