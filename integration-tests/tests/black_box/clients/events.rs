//! Producers and consumers of events that are not ours: what their libraries write is taken as it comes,
//! and they read what is published.

use tokio::process::Command;
use uuid::Uuid;

use super::generated::typescript;
use super::{run, stories, tool};
use crate::relay::{facts_queue, relay};
use crate::support::system::TestSystem;

#[tokio::test]
async fn cloudevents_sdks_produce_and_sqs_consumer_consumes() {
    let folder = typescript("events", "events.ts").await;
    let system = TestSystem::new().await;
    let facts = facts_queue(&system).await;
    let _functions = (system.worker().await, relay(&system, "relay", &[&facts.url]).await);
    let task = Uuid::now_v7().to_string();
    let environment = system.environment(&system.database.reader_url);
    let region = environment.iter().find(|(name, _)| *name == "AWS_REGION").expect("a region").1;
    let with_system = |mut program: Command| {
        program
            .envs(environment.iter())
            // boto3 knows this name only.
            .env("AWS_DEFAULT_REGION", region)
            .env("TASK", &task)
            .env("QUEUE_URL", &system.queue.url)
            .env("FACTS_URL", &facts.url);
        program
    };
    let mut python = Command::new(tool("cloudevents/bin/python"));
    python.arg(stories().join("cloudevents_producer.py"));
    run(&mut with_system(python)).await;
    let mut node = Command::new("node");
    node.arg(folder.join("out/events.js"));
    run(&mut with_system(node)).await;
}
