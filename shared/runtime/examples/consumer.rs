//! A complete consumer: `QUEUE_URL=... cargo run -p runtime --example consumer` sleeps for as many
//! milliseconds as each message says, and dead-letters what is no number.

use std::{process::ExitCode, time::Duration};

use runtime::{
    Function, Service,
    sqs::{self, BatchHandler, Delivery, Reject, Verdict},
};

struct Sleeper;

impl BatchHandler for Sleeper {
    type Message = Duration;

    fn decode(&self, delivery: &Delivery) -> Result<Duration, Reject> {
        let millis =
            delivery.body().parse().map_err(|_| Reject::new("not_a_number", "digits only"))?;
        Ok(Duration::from_millis(millis))
    }

    async fn handle(&self, batch: Vec<Duration>) -> Vec<Verdict> {
        for sleep in &batch {
            tokio::time::sleep(*sleep).await;
        }
        vec![Verdict::Ack; batch.len()]
    }
}

async fn wire(queue: sqs::Config, service: Service) -> anyhow::Result<Service> {
    service.sqs(queue, Sleeper).await
}

fn main() -> ExitCode {
    Function::new("sleeper", "Sleeps as each message says").run(wire)
}
