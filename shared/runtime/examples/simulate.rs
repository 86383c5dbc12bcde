//! The consumer against a faulty queue, for many seeds: `cargo run -p runtime --example simulate
//! --features simulation -- --seeds 10000`. A seed that breaks a promise is printed with its trace
//! and ends the run; `--first SEED --seeds 1` runs it again.

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use runtime::sqs::simulation::{Report, simulate};

#[derive(Parser)]
struct CommandLine {
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// Print every seed's trace
    #[arg(long)]
    trace: bool,
}

#[expect(clippy::print_stdout, reason = "it is a tool for a terminal")]
fn main() -> anyhow::Result<ExitCode> {
    let CommandLine { first, seeds, trace } = CommandLine::parse();
    let begun = Instant::now();
    for seed in first..first.saturating_add(seeds) {
        let Report { trace: lines, broken } = run(seed)?;
        if trace || !broken.is_empty() {
            println!("{}", lines.join("\n"));
        }
        if !broken.is_empty() {
            println!("seed {seed}: {}", broken.join("; "));
            return Ok(ExitCode::FAILURE);
        }
    }
    println!("{seeds} seeds from {first} kept every promise, in {:?}", begun.elapsed());
    Ok(ExitCode::SUCCESS)
}

fn run(seed: u64) -> anyhow::Result<Report> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    Ok(runtime.enable_time().start_paused(true).build()?.block_on(simulate(seed)))
}
