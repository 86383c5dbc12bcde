//! What the runtime costs by itself: it acknowledges each message and does nothing.

use std::process::ExitCode;

use runtime::sqs::{self, BatchHandler, Delivery, Reject, Verdict};
use runtime::{Function, Service};

struct Nothing;

impl BatchHandler for Nothing {
    type Message = ();

    fn decode(&self, _: &Delivery) -> Result<(), Reject> {
        Ok(())
    }

    async fn handle(&self, batch: Vec<()>) -> Vec<Verdict> {
        vec![Verdict::Ack; batch.len()]
    }
}

fn main() -> ExitCode {
    Function::new("empty-worker", "Acknowledges each message").run(wire)
}

async fn wire(queue: sqs::Config, service: Service) -> anyhow::Result<Service> {
    service.sqs(queue.require_fifo()?, Nothing).await
}
