//! Lists, shows, replays, exports and purges the messages of any SQS dead-letter queue.
//!
//! It knows what `runtime` writes into a dead letter, and does without it: messages that SQS moved itself,
//! and those of any other system, are read as far as they say something.

mod arguments;
mod clock;
mod command;
mod dead_letter;
mod edit;
mod effects;
mod facts;
mod file;
mod filter;
mod identity;
mod ledger;
mod mistake;
mod output;
mod queue;
mod replay;
mod reservoir;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;
use arguments::Arguments;
use clap::Parser as _;

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// Runs the tool with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command_line: Vec<_> = command_line.into_iter().collect();
    let words =
        command_line.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let arguments = Arguments::parse_from(command_line);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .context("starting the async runtime")
        .and_then(|runtime| runtime.block_on(command::run(&arguments.command, words)));
    done.unwrap_or_else(|error| output::failure(&error))
}
