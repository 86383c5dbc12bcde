//! Validates command events against the contract and sends them to the command queue.

mod arguments;
mod input;
mod report;
mod send;

use std::process::ExitCode;

use anyhow::Context as _;
use arguments::Arguments;
use clap::Parser as _;
use report::Report;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let published = runtime
        .context("starting the async runtime")
        .and_then(|runtime| runtime.block_on(publish(&arguments)));
    match published {
        Ok(report) => report.conclude(arguments.json),
        Err(error) => report::fail(&error),
    }
}

/// Validates everything before anything is sent, so that a mistake in a file can be mended without
/// wondering what went out already; then sends what is valid.
async fn publish(arguments: &Arguments) -> anyhow::Result<Report> {
    let events = input::read(&arguments.files)?;
    let mut report = Report::default();
    let mut valid = Vec::with_capacity(events.len());
    for event in events {
        match events::decode(&event.body) {
            Ok(decoded) => valid.push(send::Outgoing::new(event, &decoded)),
            Err(error) => report.refuse(event, error),
        }
    }
    if arguments.dry_run {
        report.valid(valid.len());
    } else {
        send::send(arguments, valid, &mut report).await?;
    }
    Ok(report)
}
