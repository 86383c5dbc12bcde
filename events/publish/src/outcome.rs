//! What was sent, what was not, and why.

use events::DecodeError;
use serde::Serialize;

/// What became of the events of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many the queue took.
    pub sent: usize,
    /// The others, in their order.
    pub refused: Vec<Refused>,
}

/// An event that was not sent, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its place among the events that were given, from 0.
    pub position: usize,
    /// A stable code: of [`events::Reason`] if it breaks the contract, `held_back` if an event of its
    /// task before it was not taken, else the queue's.
    pub reason: String,
    /// Where it breaks the contract, as a JSON Pointer (RFC 6901); empty for the whole event.
    pub pointer: String,
    /// What was expected. It may quote the event.
    pub detail: String,
}

impl Refused {
    pub(crate) fn invalid(position: usize, error: DecodeError) -> Self {
        let DecodeError { reason, pointer, detail } = error;
        Self { position, reason: reason.code().to_owned(), pointer, detail }
    }

    pub(crate) fn declined(position: usize, reason: &str, detail: &str) -> Self {
        let (reason, detail) = (reason.to_owned(), detail.to_owned());
        Self { position, reason, pointer: String::new(), detail }
    }
}

/// The queue or the bucket takes nothing. Nothing was sent after that, so that no event overtakes
/// another; send all of them again.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{cause}\nThe queue took {sent} events before that; publish all of them again: repeats do nothing"
)]
pub struct SendError {
    /// How many events the queue had taken.
    pub sent: usize,
    /// What went wrong, for people.
    pub cause: String,
}
