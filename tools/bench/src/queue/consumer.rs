//! A consumer that runs, of any kind.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use local_stack::{Process, Program};
use nix::sys::signal::Signal;

use super::Kind;
use super::lambda::Lambda;
use crate::part::Run;
use crate::pipeline::Pipeline;
use crate::servers::{Running, Server};

/// Long polls of a peer.
pub(super) const POLLERS: &str = "4";
/// How long it may take to work a queue off.
const PATIENCE: Duration = Duration::from_mins(2);

/// Dropped, it ends.
pub(super) enum Consumer {
    /// It polls the queue by itself.
    Polls(Server),
    /// It is invoked.
    Lambda(Lambda),
}

impl Consumer {
    pub(super) async fn start(
        run: &Run,
        pipeline: &Pipeline,
        kind: Kind,
        queue: &str,
    ) -> Result<Self> {
        let python = run.services.join("consumers");
        Ok(match kind {
            Kind::Ours => Self::Polls(pipeline.worker("command-worker", queue).await?),
            Kind::Empty => Self::Polls(pipeline.empty_worker(queue).await?),
            Kind::SqsConsumer => {
                let folder = run.services.join("sqs-consumer");
                Self::Polls(polls(pipeline, Path::new("node"), &folder, "consumer.js", queue)?)
            }
            Kind::Boto3 => {
                let executable = python.join("bin/python");
                Self::Polls(polls(pipeline, &executable, &python, "polls.py", queue)?)
            }
            Kind::OursAsLambda => Self::Lambda(Lambda::ours(pipeline, queue).await?),
            Kind::Powertools => Self::Lambda(Lambda::powertools(pipeline, &python).await?),
        })
    }

    /// Has it do nothing until [`Self::work_off`]: what it waits for can be prepared.
    pub(super) fn pause(&self) -> Result<()> {
        match self {
            Self::Polls(server) => server.signal(Signal::SIGSTOP),
            Self::Lambda(_) => Ok(()),
        }
    }

    /// Until the queue has no messages.
    pub(super) async fn work_off(&mut self, pipeline: &Pipeline, queue: &str) -> Result<()> {
        match self {
            Self::Polls(server) => {
                server.signal(Signal::SIGCONT)?;
                let consumers = std::slice::from_mut(server);
                pipeline.queues.emptied(queue, consumers, PATIENCE).await
            }
            Self::Lambda(lambda) => lambda.work_off(&pipeline.queues, queue, PATIENCE).await,
        }
    }

    pub(super) fn server(&self) -> &Server {
        match self {
            Self::Polls(server) => server,
            Self::Lambda(lambda) => &lambda.server,
        }
    }
}

/// A peer that polls the queue.
fn polls(
    pipeline: &Pipeline,
    executable: &Path,
    folder: &Path,
    script: &str,
    queue: &str,
) -> Result<Server> {
    let mut program = peer(pipeline, executable, folder);
    program.arguments = vec![script.into()];
    program.environment = program.environment.with("QUEUE_URL", queue).with("POLLERS", POLLERS);
    Server::new(Running::Other(Process::start(program)?))
}

/// It writes as the owner of the tables, whom no row-level security filters.
pub(super) fn peer(pipeline: &Pipeline, executable: &Path, folder: &Path) -> Program {
    let mut program = Program::new("peer", executable, folder);
    program.environment = program
        .environment
        .and(&pipeline.environment())
        // What boto3 reads; other SDKs read AWS_REGION.
        .with("AWS_DEFAULT_REGION", &pipeline.functions.aws.region)
        .with_secret("DATABASE_URL", &pipeline.database.owner_url)
        .with("STATEMENT", "create.sql")
        .with("SCHEMA", "create-task.schema.json");
    program.log = Some(pipeline.functions.state.log("peer"));
    program
}
