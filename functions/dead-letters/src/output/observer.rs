//! Who watches a command that runs on no terminal: the web page.

use serde::Serialize;
use tokio::sync::watch::Sender;
use tokio::task_local;

/// Notes that are kept.
const MOST_NOTES: usize = 100;

task_local! {
    static OBSERVER: Sender<Observed>;
}

/// What was seen of a command so far.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Observed {
    /// So many of `length` are done.
    pub(crate) position: u64,
    pub(crate) length: u64,
    pub(crate) notes: Vec<String>,
}

/// Runs a command, which the observer watches.
pub(crate) async fn observed<T>(observer: Sender<Observed>, command: impl Future<Output = T>) -> T {
    OBSERVER.scope(observer, command).await
}

pub(super) fn note(text: &str) {
    change(|seen| {
        if seen.notes.len() < MOST_NOTES {
            seen.notes.push(text.to_owned());
        }
    });
}

pub(super) fn progress(position: u64, length: u64) {
    change(|seen| (seen.position, seen.length) = (position, length));
}

fn change(change: impl FnOnce(&mut Observed)) {
    // Mostly nobody watches.
    let _ = OBSERVER.try_with(|observer| observer.send_modify(change));
}
