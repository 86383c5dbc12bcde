//! What was sent, what was not, and why.

use std::process::ExitCode;

use events::DecodeError;
use serde::Serialize;

use crate::input::Event;

/// Some events were not sent.
const INCOMPLETE: u8 = 3;

/// The summary of a run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Events that are valid; with `--dry-run` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid: Option<usize>,
    sent: usize,
    refused: Vec<Refused>,
}

#[derive(Debug, Serialize)]
struct Refused {
    place: String,
    reason: String,
    pointer: String,
    detail: String,
}

impl Report {
    pub(crate) fn sent(&self) -> usize {
        self.sent
    }

    pub(crate) fn valid(&mut self, count: usize) {
        self.valid = Some(count);
    }

    pub(crate) fn accept(&mut self, count: usize) {
        self.sent += count;
    }

    /// The event breaks the contract.
    pub(crate) fn refuse(&mut self, event: Event, error: DecodeError) {
        let DecodeError { reason, pointer, detail } = error;
        let reason = reason.code().to_owned();
        self.refused.push(Refused { place: event.place, reason, pointer, detail });
    }

    /// The queue did not take the event.
    pub(crate) fn decline(&mut self, place: &str, code: &str, message: &str) {
        self.refused.push(Refused {
            place: place.to_owned(),
            reason: code.to_owned(),
            pointer: String::new(),
            detail: message.to_owned(),
        });
    }

    /// Prints the summary.
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks so")]
    pub(crate) fn conclude(self, json: bool) -> ExitCode {
        if json {
            match serde_json::to_string(&self) {
                Ok(json) => println!("{json}"),
                Err(error) => return fail(&error.into()),
            }
        } else {
            for refused in &self.refused {
                let Refused { place, reason, pointer, detail } = refused;
                let at = if pointer.is_empty() { "" } else { " at " };
                eprintln!("{place}: {reason}{at}{pointer}: {detail}");
            }
            match self.valid {
                Some(valid) => println!("{valid} valid, {} refused", self.refused.len()),
                None => println!("{} sent, {} refused", self.sent, self.refused.len()),
            }
        }
        if self.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) }
    }
}

/// Prints why it could not run.
#[expect(clippy::print_stderr, reason = "a command line talks so")]
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("publish: {error:#}");
    ExitCode::FAILURE
}
