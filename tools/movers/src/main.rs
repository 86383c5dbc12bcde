//! Dead letters for `make bench`: fills a queue with them, moves them as fast as three requests for ten
//! messages allow, and checks that each arrived once and whole.

mod check;
mod fill;
mod letters;
mod queue;
mod transfer;

use std::future::Future;

use anyhow::Result;
use aws_config::BehaviorVersion;
use aws_sdk_sqs::Client;
use clap::{Parser, Subcommand};
use futures::future::try_join_all;

/// Requests at a time, to fill and to check.
const CONNECTIONS: usize = 16;

#[derive(Parser)]
enum Arguments {
    /// Sends dead letters to a queue
    Fill {
        /// The URL of the dead-letter queue
        queue: String,
        /// The name of the queue that they were in
        #[arg(long)]
        source: String,
        #[arg(long)]
        messages: usize,
    },
    /// Moves so many messages: receives ten, sends them, deletes them
    Move {
        from: String,
        to: String,
        #[arg(long)]
        messages: usize,
        #[arg(long)]
        connections: usize,
    },
    /// Receives so many messages; fails if one of them is missing, is there twice or has changed
    Check {
        queue: String,
        #[arg(long)]
        messages: usize,
        #[command(subcommand)]
        state: State,
    },
}

/// How messages arrive.
#[derive(Clone, Copy, PartialEq, Eq, Subcommand)]
enum State {
    /// As their sender sent them
    Restored,
    /// With what their handler added when it gave them up
    Copied,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let client = Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    match arguments {
        Arguments::Fill { queue, source, messages } => {
            fill::fill(&client, &queue, &source, messages).await
        }
        Arguments::Move { from, to, messages, connections } => {
            transfer::all(&client, &from, &to, messages, connections).await
        }
        Arguments::Check { queue, messages, state } => {
            check::check(&client, &queue, messages, state).await
        }
    }
}

/// Does the same work so many times at once, each in a task of its own.
async fn at_once<F>(times: usize, work: impl Fn(usize) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let tasks = (0..times).map(|number| tokio::spawn(work(number)));
    try_join_all(tasks).await?.into_iter().collect()
}
