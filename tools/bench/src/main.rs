//! `make bench`: what ships, measured beside what is known to be fast, on this machine, in this run.
//!
//! Absolute figures say more about a machine than about a program. So each work is measured for ours
//! and for another program in turn (ours, other, other, ours), several times, and what is reported is
//! the ratio of the two and its spread. Requests per second depend on what else the machine does at
//! that moment; processor time per request much less, so both are reported.

mod commands;
mod figures;
mod functions;
mod growth;
mod lag;
mod latency;
mod machine;
mod part;
mod pipeline;
mod plot;
mod postgresql;
mod published;
mod queue;
mod queues;
mod reads;
mod replay;
mod report;
mod scaling;
mod servers;
mod start;
mod system;
mod turns;
mod writes;
mod wrk;

use std::path::{PathBuf, absolute};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

use part::{Part, Run};
use report::Report;

/// Measures what ships beside what is known to be fast
///
/// Run by `local-stack exec`, which gives it servers of its own.
#[derive(Parser)]
#[command(after_help = "Examples:\n  make bench                      seven minutes\n  \
                        make bench ARGS=--full          two and a half hours\n  \
                        make bench ARGS=--only=writes   a part of it, or several: --only=reads,writes")]
struct Arguments {
    /// Turns of many seconds and five rounds, instead of short ones and one or two
    #[arg(long)]
    full: bool,
    /// Only parts of it; the others stay in the report as they were
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Where the release build of task-app, latency, movers, peers, queue-server and writers is
    #[arg(long, value_name = "FOLDER")]
    bin_dir: PathBuf,
    /// Where the services in JavaScript and in Python are, each in a folder of its own
    #[arg(long, value_name = "FOLDER")]
    services: PathBuf,
    /// Where the report is written
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let report = Report::at(&arguments.report)?;
    let folder = arguments.report.parent().context("a report has a folder")?;
    let run = Run {
        bin_dir: absolute(&arguments.bin_dir)?,
        services: absolute(&arguments.services)?,
        folder: absolute(folder)?,
        full: arguments.full,
    };
    let parts = if arguments.only.is_empty() { &Part::ALL[..] } else { &arguments.only };
    for part in parts {
        let text = part.measure(&run).await?;
        report.write(*part, &text)?;
        show(&format!("\n{text}"));
    }
    show(&format!("written to {}", arguments.report.display()));
    Ok(())
}

#[expect(clippy::print_stderr, reason = "it is a command")]
fn show(line: &str) {
    eprintln!("{line}");
}
