//! What each command does.

mod cost;
mod dry_run;
mod export;
mod groups;
mod import;
mod ls;
mod manual;
mod purge;
mod queues;
mod runs;
mod schemas;
mod show;

pub(crate) use schemas::schemas;

use std::process::ExitCode;

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use command_line::now;

use crate::arguments::Command;
use crate::facts;
use crate::queue::{Interrupt, aws};
use crate::replay::replay;
use crate::serve;

/// What every command has that uses queues.
struct Context {
    aws: SdkConfig,
    client: aws_sdk_sqs::Client,
    now: DateTime<Utc>,
}

/// Runs a command. `words` are the command line without the program's name.
pub(crate) async fn run(command: &Command, words: Vec<String>) -> anyhow::Result<ExitCode> {
    match command {
        Command::Queues { all, json } => queues::run(&context().await?, *all, *json).await?,
        Command::Ls { selection, json } => ls::run(&context().await?, selection, *json).await?,
        Command::Groups { selection, json } => {
            groups::run(&context().await?, selection, *json).await?;
        }
        Command::Show { queue, id, no_fetch, json, ledger } => {
            show::run(&context().await?, queue, id, ledger, (!no_fetch, *json)).await?;
        }
        Command::Replay(arguments) if arguments.dry_run => {
            dry_run::run(&context().await?, arguments).await?;
        }
        Command::Replay(arguments) => {
            let context = context().await?;
            let mut interrupt = Interrupt::listen()?;
            let Context { aws, client, .. } = &context;
            let replayed = replay(aws, client, arguments, &words, &mut interrupt).await?;
            replayed.print(arguments.json)?;
            return Ok(replayed.exit_code);
        }
        Command::Runs { run, json, ledger } => {
            runs::run(&context().await?, run.as_deref(), ledger, *json).await?;
        }
        Command::Cost(arguments) => cost::run(&context().await?, arguments).await?,
        Command::Export(arguments) => export::run(&context().await?, arguments).await?,
        Command::Import(arguments) => import::run(&context().await?, arguments).await?,
        Command::Purge(arguments) => purge::run(&context().await?, arguments, words).await?,
        Command::Serve(arguments) => serve::run(aws().await?, now, arguments).await?,
        Command::Facts(arguments) => facts::run(arguments).await?,
        Command::Completions { shell } => manual::completions(*shell)?,
        Command::Man { folder } => manual::pages(folder)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn context() -> anyhow::Result<Context> {
    let aws = aws().await?;
    Ok(Context { client: aws_sdk_sqs::Client::new(&aws), aws, now: now() })
}
