//! `make bench`: what ships, measured beside what is known to be fast, on this machine, in this run.
//!
//! Absolute figures say more about a machine than about a program. So each work is measured for ours
//! and for another program in turn (ours, other, other, ours), several times, and what is reported is
//! the ratio of the two and its spread. Requests per second depend on what else the machine does at
//! that moment; processor time per request much less, so both are reported.

mod figures;
mod machine;
mod reads;
mod report;
mod servers;
mod system;
mod turns;
mod wrk;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

use report::Report;
use system::System;
use turns::Effort;

/// Measures what ships beside what is known to be fast
///
/// Run by `local-stack exec`, which gives it servers of its own.
#[derive(Parser)]
#[command(after_help = "Examples:\n  make bench               a minute and a half\n  \
                        make bench ARGS=--full   a quarter of an hour")]
struct Arguments {
    /// Ten seconds a turn and five rounds, instead of two and two
    #[arg(long)]
    full: bool,
    /// Where the release build of task-app and peers is
    #[arg(long, value_name = "FOLDER")]
    bin_dir: PathBuf,
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
    let effort = if arguments.full { Effort::FULL } else { Effort::QUICK };
    let system = System::start(&arguments.bin_dir).await?;
    let mut report = Report::new(machine::describe()?, arguments.full, effort);
    for work in [reads::Work::Local, reads::Work::Redis, reads::Work::CachedList, reads::Work::List]
    {
        show(&format!("measuring: {}", work.name()));
        report.add(reads::compare(&system, work, effort).await?);
    }
    let text = report.text()?;
    let folder = arguments.report.parent().context("a report has a folder")?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(&arguments.report, &text).context("writing the report")?;
    show(&format!("\n{text}\nwritten to {}", arguments.report.display()));
    Ok(())
}

#[expect(clippy::print_stderr, reason = "it is a command")]
fn show(line: &str) {
    eprintln!("{line}");
}
