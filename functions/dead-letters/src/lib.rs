//! Lists, shows, replays, exports and purges the messages of any SQS dead-letter queue.
//!
//! It knows what `runtime` writes into a dead letter, and does without it: messages that SQS moved itself,
//! and those of any other system, are read as far as they say something.

mod arguments;
mod claimed_body;
mod command;
mod dead_letter;
mod edit;
mod effects;
mod facts;
mod file;
mod filter;
mod identity;
mod lambda;
mod ledger;
mod mistake;
mod output;
mod queue;
mod ready;
mod replay;
mod report;
mod reservoir;
mod serve;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;
use arguments::Arguments;
use clap::Parser as _;
use tokio::runtime::Runtime;

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// The JSON Schema of the event that the tool takes as a Lambda.
#[must_use]
pub fn event_schema() -> serde_json::Value {
    lambda::schema()
}

/// The JSON Schemas of what the tool prints with `--json`, by the names of their files.
#[must_use]
pub fn json_schemas() -> Vec<(&'static str, serde_json::Value)> {
    command::schemas()
}

/// Runs the tool with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command_line: Vec<_> = command_line.into_iter().collect();
    if edit::is_child(&command_line) {
        return edit::serve();
    }
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tokio = tokio.context("starting the async runtime");
    let served = |tokio: Runtime| tokio.block_on(lambda::serve()).map(|()| ExitCode::SUCCESS);
    if lambda::is_host() {
        return tokio.and_then(served).unwrap_or_else(|error| output::failure(&error));
    }
    let words =
        command_line.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let arguments = Arguments::parse_from(command_line);
    let done = tokio.and_then(|tokio| tokio.block_on(command::run(&arguments.command, words)));
    done.unwrap_or_else(|error| output::failure(&error))
}
