//! The command line.

use std::fs;
use std::io::{Write as _, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use secrecy::ExposeSecret as _;

use crate::console::Console;
use crate::exec::{self, exec};
use crate::folder::Folder;
use crate::install::install;
use crate::issuer::{ALL_SCOPES, Issuer, SUBJECT};
use crate::run::{self, run};
use crate::state::State;

const EXAMPLES: &str = "\
Examples:
  local-stack run --workers 3                 everything, with three command workers
  local-stack run --bin-dir target/release    a binary that is built already
  local-stack run --fact-queue billing.fifo   with a queue of a subscriber
  eval \"$(local-stack env billing.fifo)\"     the environment of that subscriber
  local-stack token --scopes tasks:read       a token that may only read
  local-stack token --subject bob             a token of another caller
  local-stack exec -- cargo nextest run       tests with servers of their own
  local-stack clean                           remove all data";

/// Everything on one machine.
///
/// Starts private PostgreSQL, Redis and AWS-compatible servers with their data in this
/// repository's `.local/`, on the loopback interface, and the functions on top of them. What
/// already runs on the machine is left alone.
#[derive(Debug, Parser)]
#[command(name = "local-stack", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything and show its logs until Ctrl-C
    Run(run::Options),
    /// Run a command with fresh servers, named in its environment, and stop them after it
    ///
    /// Sets `DATABASE_URL`, `REDIS_URL`, `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`
    /// and `AWS_SECRET_ACCESS_KEY`. Exits with the command's exit code.
    /// `POSTGRES_BIN_DIR` names the folder of the PostgreSQL to start, in place of the newest found.
    Exec(exec::Options),
    /// Print a token for the API of the stack
    Token(Token),
    /// Print the `DATABASE_URL` of an operator of the stack, as `dead-letters facts` takes it
    OperatorUrl(Folder),
    /// Print the environment of a function of the stack, or of a subscriber, as a shell reads it
    ///
    /// The function has a free port for its health endpoints, and for HTTP: stop the stack's own, or let
    /// both run.
    Env(Env),
    /// Delete tasks, messages, logs and secrets; refused while a stack runs
    Clean(Folder),
    /// Install what the machine lacks, and nothing else
    Install,
}

#[derive(Debug, Args)]
struct Env {
    #[command(flatten)]
    folder: Folder,
    /// The function as `run` lists it, such as `task-reader` or `command-worker-1`, or a queue of
    /// `--fact-queue`
    name: String,
}

#[derive(Debug, Args)]
struct Token {
    #[command(flatten)]
    folder: Folder,
    /// Whose tasks it opens
    #[arg(long, default_value = run::TENANT)]
    tenant: String,
    /// Whose it is: the caller's `sub`, to whom idempotency keys and limits of a caller belong
    #[arg(long, default_value = SUBJECT)]
    subject: String,
    /// What it allows, separated by spaces
    #[arg(long, default_value = ALL_SCOPES)]
    scopes: String,
    /// Seconds until it expires
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    ttl: u32,
}

/// Parses the command line and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let console = Console::new();
    match perform(Cli::parse().command, &console) {
        Ok(code) => code,
        Err(error) => {
            console.say(&format!("local-stack: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command, console: &Console) -> Result<ExitCode> {
    // One thread: children are signalled when the thread that started them ends.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        Command::Run(options) => runtime.block_on(run(options, console)),
        Command::Exec(options) => runtime.block_on(exec(options, console)),
        Command::Token(options) => print_token(&options).map(|()| ExitCode::SUCCESS),
        Command::OperatorUrl(folder) => print_operator_url(&folder).map(|()| ExitCode::SUCCESS),
        Command::Env(options) => print_environment(&options).map(|()| ExitCode::SUCCESS),
        Command::Clean(folder) => clean(&folder, console).map(|()| ExitCode::SUCCESS),
        Command::Install => {
            install(&mut |text| console.say(text))?;
            console.say("everything that the stack needs is installed");
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn print_token(options: &Token) -> Result<()> {
    let issuer = Issuer::open(&State::open(options.folder.path())?)?;
    let lifetime = Duration::from_secs(options.ttl.into());
    let Token { subject, tenant, scopes, .. } = options;
    let token = issuer.token_of(subject, tenant, scopes, lifetime)?;
    writeln!(stdout(), "{}", token.expose_secret())?;
    Ok(())
}

fn print_operator_url(folder: &Folder) -> Result<()> {
    let url = State::open(folder.path())?.operator_url()?;
    writeln!(stdout(), "{}", url.expose_secret())?;
    Ok(())
}

fn print_environment(options: &Env) -> Result<()> {
    let exports = State::open(options.folder.path())?.environment(&options.name)?;
    write!(stdout(), "{exports}")?;
    Ok(())
}

fn clean(folder: &Folder, console: &Console) -> Result<()> {
    let path = folder.path();
    if !path.join("lock").exists() {
        console.say(&format!("nothing to remove: no stack has run in {}", path.display()));
        return Ok(());
    }
    let _lock = State::open(&path)?.lock()?;
    fs::remove_dir_all(&path).with_context(|| format!("deleting {}", path.display()))?;
    console.say(&format!("removed: {}", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
