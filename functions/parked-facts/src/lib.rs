//! Lists facts that a queue refuses, with the reason, and has them retried or skipped.

mod arguments;
mod command;
mod print;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;
use arguments::Arguments;
use clap::Parser as _;
use store::{ParkedFacts, Store};

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// Runs the tool with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(command_line);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .context("starting the async runtime")
        .and_then(|runtime| runtime.block_on(execute(&arguments)));
    done.unwrap_or_else(|error| print::failure(&error))
}

async fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let facts = ParkedFacts::new(Store::connect(&arguments.store)?);
    command::run(&facts, &arguments.command).await
}
