//! What each command does.

mod cost;
mod groups;
mod ls;
mod manual;
mod queues;
mod read;
mod reservoir;
mod show;

use chrono::{DateTime, Utc};

pub(crate) use cost::CostArguments;

use crate::arguments::Command;
use crate::facts;
use crate::queue::client;

/// What every command has that uses queues.
struct Context {
    client: aws_sdk_sqs::Client,
    now: DateTime<Utc>,
}

pub(crate) async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Queues { all, json } => queues::run(&context().await?, *all, *json).await,
        Command::Ls { selection, json } => ls::run(&context().await?, selection, *json).await,
        Command::Groups { selection, json } => {
            groups::run(&context().await?, selection, *json).await
        }
        Command::Show { queue, id, json } => show::run(&context().await?, queue, id, *json).await,
        Command::Cost(arguments) => cost::run(&context().await?, arguments).await,
        Command::Facts(arguments) => facts::run(arguments).await,
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { folder } => manual::pages(folder),
    }
}

async fn context() -> anyhow::Result<Context> {
    Ok(Context { client: client().await?, now: now() })
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
