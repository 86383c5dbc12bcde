//! A subscriber of one's own, as docs/subscribers.md shows it.

use std::process::ExitCode;

use events::{FactEvent, FactPayload, FactType, decode_fact};
use runtime::sqs::{self, Delivery, Each, Handler, Reject, Verdict};
use runtime::{Function, Service};

/// Notices who has done how much.
struct Completions;

impl Handler for Completions {
    type Message = FactEvent;

    fn decode(&self, delivery: &Delivery) -> Result<FactEvent, Reject> {
        decode_fact(delivery.body())
            .map_err(|error| Reject::new(error.reason.code(), error.to_string()))
    }

    async fn handle(&self, fact: FactEvent) -> Verdict {
        if let (FactType::Task(domain::Fact::Completed), FactPayload::Task(task)) =
            (fact.kind, fact.payload)
        {
            tracing::info!(%task.id, task.version, "a task was completed");
        }
        Verdict::Ack
    }
}

async fn wire(queue: sqs::Config, service: Service) -> anyhow::Result<Service> {
    service.sqs(queue, Each::new(Completions)).await
}

fn main() -> ExitCode {
    Function::new("subscriber", "Notices which tasks are completed").run(wire)
}
