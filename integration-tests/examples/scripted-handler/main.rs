//! A function that does what each message scripts: the conformance tests need handlers that retry,
//! panic and hang when they should, and no real function does.
//!
//! A body is `{"id": "a", "steps": ["retry", "ack"]}`, with a step for each delivery.
//! What was begun and what it came to is appended to a file, in order.

mod effects;
mod script;

use std::{
    future::ready,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::anyhow;
use clap::ValueEnum;
use futures::future::join_all;
use runtime::{
    Function, Service,
    sqs::{self, BatchHandler, Delivery, Each, Handler, Reject, Verdict},
};

use effects::Effects;
use script::ScriptedMessage;

#[derive(Debug, clap::Args)]
#[group(skip)]
struct Config {
    #[command(flatten)]
    queue: sqs::Config,
    /// File to which the beginning and the end of each delivery's handling are appended
    #[arg(long, env = "EFFECTS_FILE")]
    effects_file: PathBuf,
    /// File without which a declared dependency is unavailable
    #[arg(long, env = "DEPENDENCY_FILE")]
    dependency_file: Option<PathBuf>,
    /// Which of the runtime's traits handles the messages
    #[arg(long, env = "HANDLER_SHAPE", value_enum, default_value = "each")]
    handler_shape: Shape,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    Each,
    Batch,
}

struct Scripted(Effects);

impl Scripted {
    /// `None` if no verdict is to be given.
    async fn take(&self, delivery: ScriptedMessage, batch: usize) -> Option<Verdict> {
        self.0.began(&delivery, batch);
        let verdict = delivery.step.take().await;
        self.0.ended(&delivery, batch, verdict.as_ref());
        verdict
    }
}

impl Handler for Scripted {
    type Message = ScriptedMessage;

    fn decode(&self, delivery: &Delivery) -> Result<ScriptedMessage, Reject> {
        ScriptedMessage::decode(delivery)
    }

    async fn handle(&self, delivery: ScriptedMessage) -> Verdict {
        self.take(delivery, 1).await.unwrap_or(Verdict::Ack)
    }
}

impl BatchHandler for Scripted {
    type Message = ScriptedMessage;

    fn decode(&self, delivery: &Delivery) -> Result<ScriptedMessage, Reject> {
        ScriptedMessage::decode(delivery)
    }

    async fn handle(&self, batch: Vec<ScriptedMessage>) -> Vec<Verdict> {
        let size = batch.len();
        let all = batch.into_iter().map(|delivery| self.take(delivery, size));
        join_all(all).await.into_iter().flatten().collect()
    }
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let scripted = Scripted(Effects::open(&config.effects_file)?);
    let service = match config.dependency_file {
        Some(file) => service.depends_on("file", move || needs(&file)),
        None => service,
    };
    match config.handler_shape {
        Shape::Each => service.sqs(config.queue, Each::new(scripted)).await,
        Shape::Batch => service.sqs(config.queue, scripted).await,
    }
}

fn needs(file: &Path) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
    let result = if file.exists() { Ok(()) } else { Err(anyhow!("{} is missing", file.display())) };
    ready(result)
}

fn main() -> ExitCode {
    Function::new("scripted-handler", "Does what each message scripts").run(wire)
}
