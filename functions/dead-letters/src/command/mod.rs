//! What each command does.

mod groups;
mod ls;
mod queues;
mod read;
mod reservoir;
mod show;

use chrono::{DateTime, Utc};

use crate::arguments::Command;
use crate::queue::client;

/// What every command has.
struct Context {
    client: aws_sdk_sqs::Client,
    now: DateTime<Utc>,
}

pub(crate) async fn run(command: &Command) -> anyhow::Result<()> {
    let context = Context { client: client().await?, now: now() };
    match command {
        Command::Queues { all, json } => queues::run(&context, *all, *json).await,
        Command::Ls { selection, json } => ls::run(&context, selection, *json).await,
        Command::Groups { selection, json } => groups::run(&context, selection, *json).await,
        Command::Show { queue, id, json } => show::run(&context, queue, id, *json).await,
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
