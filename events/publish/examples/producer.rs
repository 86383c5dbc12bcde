//! Asks for a task of the queue that is its argument. `docs/producers.md` shows it.

use anyhow::{Context as _, ensure};
use aws_config::BehaviorVersion;
use publish::Producer;
use serde_json::json;
use uuid::Uuid;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let queue = std::env::args().nth(1).context("usage: producer QUEUE_URL")?;
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let producer = Producer::new(aws_sdk_sqs::Client::new(&sdk), queue);
    let event = json!({
        "specversion": "1.0",
        "id": "rust-1",
        "source": "/guide",
        "type": "dev.task-app.create-task.v1",
        "subject": Uuid::now_v7(),
        "time": "2026-01-31T09:30:00Z",
        "datacontenttype": "application/json",
        "tenant": "acme",
        "data": {"title": "Created in Rust"},
    });
    let report = producer.send(&[event.to_string()]).await?;
    ensure!(report.refused.is_empty(), "{:?}", report.refused);
    Ok(())
}
