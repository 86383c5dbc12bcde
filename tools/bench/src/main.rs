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
mod writes;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};

use report::Report;
use system::System;
use turns::Effort;

/// Measures what ships beside what is known to be fast
///
/// Run by `local-stack exec`, which gives it servers of its own.
#[derive(Parser)]
#[command(after_help = "Examples:\n  make bench                      three minutes\n  \
                        make bench ARGS=--full          half an hour\n  \
                        make bench ARGS=--only=writes   a part of it")]
struct Arguments {
    /// Turns of many seconds and five rounds, instead of short ones and one or two
    #[arg(long)]
    full: bool,
    /// Only a part of it
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Where the release build of task-app, peers and writers is
    #[arg(long, value_name = "FOLDER")]
    bin_dir: PathBuf,
    /// Where the services in JavaScript and in Python are, each in a folder of its own
    #[arg(long, value_name = "FOLDER")]
    services: PathBuf,
    /// Where the report is written
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
}

impl Arguments {
    /// What made the report.
    fn command(&self) -> String {
        let only = self.only.and_then(|part| part.to_possible_value());
        let only = only.map(|part| format!("--only={}", part.get_name()));
        let arguments: Vec<_> =
            self.full.then(|| "--full".to_owned()).into_iter().chain(only).collect();
        match arguments.as_slice() {
            [] => "make bench".to_owned(),
            [one] => format!("make bench ARGS={one}"),
            more => format!("make bench ARGS=\"{}\"", more.join(" ")),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Reads,
    Writes,
}

/// Tasks in the database before the first turn of writes.
const QUICK_TASKS: usize = 20_000;
const FULL_TASKS: usize = 100_000;

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
    let folder = arguments.report.parent().context("a report has a folder")?;
    std::fs::create_dir_all(folder)?;
    let mut report = Report::new(&machine::describe()?, &arguments.command());
    if arguments.only != Some(Part::Writes) {
        report.push(&reads(arguments).await?);
    }
    if arguments.only != Some(Part::Reads) {
        report.push(&writes(arguments, folder).await?);
    }
    let text = report.text();
    std::fs::write(&arguments.report, text).context("writing the report")?;
    show(&format!("\n{text}\nwritten to {}", arguments.report.display()));
    Ok(())
}

async fn reads(arguments: &Arguments) -> Result<String> {
    let effort = if arguments.full { Effort::FULL } else { Effort::QUICK };
    let system = System::start(&arguments.bin_dir, &arguments.services).await?;
    let mut rows = Vec::new();
    for work in reads::Work::ALL {
        show(&format!("measuring: {}, beside {}", work.name(), work.beside()));
        rows.push(reads::compare(&system, work, effort).await?);
    }
    report::reads(&rows, effort)
}

async fn writes(arguments: &Arguments, folder: &Path) -> Result<String> {
    let (effort, tasks) = if arguments.full {
        (Effort::FULL_WRITES, FULL_TASKS)
    } else {
        (Effort::QUICK_WRITES, QUICK_TASKS)
    };
    let bin_dir = std::path::absolute(&arguments.bin_dir)?;
    let folder = std::path::absolute(folder)?;
    let bench = writes::Bench::start(bin_dir, &folder, tasks).await?;
    let rows = writes::compare(bench, effort, |name| show(&format!("measuring: {name}"))).await?;
    writes::table(&rows, effort, tasks)
}

#[expect(clippy::print_stderr, reason = "it is a command")]
fn show(line: &str) {
    eprintln!("{line}");
}
