//! Lists facts that a queue refuses, with the reason, and has them retried or skipped.

mod arguments;
mod command;
mod print;

use std::process::ExitCode;

use anyhow::Context as _;
use arguments::Arguments;
use clap::Parser as _;
use store::{ParkedFacts, Store};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .context("starting the async runtime")
        .and_then(|runtime| runtime.block_on(run(&arguments)));
    done.unwrap_or_else(|error| print::failure(&error))
}

async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let facts = ParkedFacts::new(Store::connect(&arguments.store)?);
    command::run(&facts, &arguments.command).await
}
