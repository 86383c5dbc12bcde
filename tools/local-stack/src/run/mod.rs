//! `local-stack run`: the whole system, from nothing to one screen, until Ctrl-C.

mod binaries;
mod logs;
mod plan;
mod screen;
mod stack;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use resources::resources;

pub(crate) use binaries::Profile;

use crate::access::{AwsAccess, External};
use crate::console::Console;
use crate::folder::Folder;
use crate::install::install;
use crate::ports;
use crate::signals::Signals;
use crate::state::State;
use stack::Stack;

/// The tenant of the printed token and of the examples.
pub(crate) const TENANT: &str = "local";

/// How to run the stack.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Command workers to start
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    workers: u16,
    /// A queue that gets all facts, for a subscriber; FIFO if its name ends in `.fifo`. May be repeated
    #[arg(long = "fact-queue", value_name = "NAME", value_parser = queue_name)]
    fact_queues: Vec<String>,
    /// Port of the API on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    api_port: u16,
    /// Port of the AWS-compatible server on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 4566, value_parser = clap::value_parser!(u16).range(1..))]
    aws_port: u16,
    /// How to build the functions
    #[arg(long, value_enum, default_value_t = Profile::Local)]
    profile: Profile,
    /// Take `task-app`, the binary of all functions, from this folder instead of building it
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
    /// Log JSON lines also on a terminal
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    external: External,
}

/// Runs the stack until a signal, or until a part of it ends.
pub(crate) async fn run(options: Options, console: &Console) -> Result<ExitCode> {
    let state = State::open(options.folder.path())?;
    let _lock = state.lock()?;
    check_ports(&options)?;
    install(&mut |text| console.say(text))?;

    let mut signals = Signals::listen()?;
    let mut stack = Stack::new(state, &options);
    let outcome = tokio::select! {
        Err(error) = stack.run(&options, console) => Err(error),
        signal = signals.next() => {
            console.say(&format!("\n{}: stopping", signal.as_str()));
            Ok(())
        }
    };
    if let Err(error) = &outcome {
        console.say(&format!("local-stack: {error:#}"));
    }
    let stopped = stop(&mut stack, &mut signals, console).await;
    // After a failed start, how the others ended is of no interest.
    if let (Ok(()), Err(error)) = (&outcome, &stopped) {
        console.say(&format!("local-stack: {error:#}"));
    }
    Ok(if outcome.is_ok() && stopped.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Stops everything in order; at once at a second signal.
async fn stop(stack: &mut Stack, signals: &mut Signals, console: &Console) -> Result<()> {
    tokio::select! {
        stopped = stack.stop(console) => stopped,
        signal = signals.next() => bail!("{} again: killed what was left", signal.as_str()),
    }
}

/// As SQS wants it, with room for the name of the dead-letter queue.
fn queue_name(text: &str) -> Result<String, String> {
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    let is_name = |it: char| it.is_ascii_alphanumeric() || "-_".contains(it);
    let is_ours = resources().queues.all().into_iter().any(|queue| queue.name == text);
    if is_ours {
        Err("the stack has a queue of this name".to_owned())
    } else if stem.is_empty() || text.len() > 76 || !stem.chars().all(is_name) {
        Err("expected letters, digits, - and _, 76 at most, perhaps with .fifo at the end"
            .to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Finds out before anything starts, so that the message stands alone.
fn check_ports(options: &Options) -> Result<()> {
    ports::require(options.api_port, "the API", "--api-port")?;
    if AwsAccess::external(&options.external).is_none() {
        ports::require(options.aws_port, "the AWS-compatible server", "--aws-port")?;
    }
    Ok(())
}
