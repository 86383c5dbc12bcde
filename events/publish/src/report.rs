//! What is said at the end of a run.

use std::process::ExitCode;

use serde::Serialize;

use crate::Report;
use crate::input::Event;

/// Some events were not sent.
const INCOMPLETE: u8 = 3;

/// The summary of a run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
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

impl Summary {
    pub(crate) fn of(events: &[Event], Report { sent, refused }: Report) -> Self {
        let place = |refused: crate::Refused| {
            let place = events.get(refused.position).map(|event| event.place.clone());
            let crate::Refused { reason, pointer, detail, .. } = refused;
            Refused { place: place.unwrap_or_default(), reason, pointer, detail }
        };
        Self { valid: None, sent, refused: refused.into_iter().map(place).collect() }
    }

    pub(crate) fn of_dry_run(events: &[Event], refused: Vec<crate::Refused>) -> Self {
        let valid = events.len() - refused.len();
        Self { valid: Some(valid), ..Self::of(events, Report { sent: 0, refused }) }
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
