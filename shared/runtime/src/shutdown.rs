//! The signals that stop a function, and how its parts are stopped.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

/// The signal that a terminal sends: no load balancer is in front.
pub(crate) const TERMINAL: &str = "SIGINT";

/// The names of the signals as they come.
pub(crate) type Signals = mpsc::Receiver<&'static str>;

/// The two steps of a shutdown. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// No new work is begun.
    pub(crate) draining: CancellationToken,
    /// No load balancer has to notice: HTTP has no lame-duck period.
    pub(crate) at_once: CancellationToken,
    /// What still runs is cut off, and its messages are released.
    pub(crate) cut_off: CancellationToken,
}

/// Takes over SIGTERM, which the platform sends, and SIGINT, which a terminal sends: from now on
/// they no longer end the process by themselves.
pub(crate) fn signals() -> io::Result<Signals> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => TERMINAL,
            };
            if sender.send(name).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
