//! What ends a command early: it is listened to, since what is held is to be released first.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The wish that a command ends.
pub(crate) enum Interrupt {
    /// Ctrl-C and what else ends a process. Until it is listened to, these signals end it at once.
    Signals { ctrl_c: Signal, terminate: Signal, hangup: Signal },
    /// The end of the time that a command has.
    At(Instant),
    /// What a server decides, which may go on.
    Token(CancellationToken),
}

impl Interrupt {
    /// Listens from now on: none of these signals ends the process by itself any more.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("listening to signals");
        Ok(Self::Signals {
            ctrl_c: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// At a time.
    pub(crate) fn at(time: Instant) -> Self {
        Self::At(time)
    }

    /// Waits for the wish.
    pub(crate) async fn wait(&mut self) {
        match self {
            Self::Signals { ctrl_c, terminate, hangup } => tokio::select! {
                _ = ctrl_c.recv() => (),
                _ = terminate.recv() => (),
                _ = hangup.recv() => (),
            },
            Self::At(time) => sleep_until(*time).await,
            Self::Token(token) => token.cancelled().await,
        }
    }
}
