//! The consumer's promises, kept on a simulated queue and a paused clock.

mod circuit_breaker;
mod drain;
mod flow;
mod heartbeat;
mod last_delivery;
mod outages;
mod poison;
mod seeds;
mod single;
mod traces;
mod verdicts;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rand::{SeedableRng as _, rngs::SmallRng};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    SystemClock,
    health::{Dependencies, Pulse},
    shutdown::Stop,
    sqs::{
        BatchHandler, Config, Consumer, Delivery, Parts, Reject, Verdict,
        simulation::SimulatedQueue,
    },
};

type Respond = dyn Fn(Vec<String>) -> BoxFuture<'static, Vec<Verdict>> + Send + Sync;

/// Refuses the body `bad`, panics at `boom`, and acks every other.
struct Handler(Box<Respond>);

impl BatchHandler for Handler {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        match delivery.body() {
            "bad" => Err(Reject::new("malformed", "it is bad")),
            "boom" => panic!("decoding went wrong"),
            body => Ok(body.to_owned()),
        }
    }

    fn traceparent<'a>(&self, body: &'a String) -> Option<&'a str> {
        Some(body)
    }

    async fn handle(&self, batch: Vec<String>) -> Vec<Verdict> {
        (self.0)(batch).await
    }
}

struct Running {
    queue: SimulatedQueue,
    stop: Stop,
    pulses: Vec<Pulse>,
    consumer: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    fn start<F>(
        queue: &SimulatedQueue,
        config: &Config,
        respond: impl Fn(Vec<String>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Vec<Verdict>> + Send + 'static,
    {
        Self::start_with(queue, config, Handler(Box::new(move |batch| Box::pin(respond(batch)))))
    }

    fn start_with(queue: &SimulatedQueue, config: &Config, handler: impl BatchHandler) -> Self {
        Self::start_needing(queue, config, handler, Dependencies::default())
    }

    fn start_needing(
        queue: &SimulatedQueue,
        config: &Config,
        handler: impl BatchHandler,
        dependencies: Dependencies,
    ) -> Self {
        let queue = queue.clone();
        let consumer = Consumer::new(Parts {
            queue: queue.clone(),
            handler,
            config,
            name: "test",
            clock: Arc::new(SystemClock),
            dependencies,
            random: SmallRng::seed_from_u64(1),
        });
        let (stop, pulses) = (Stop::default(), consumer.pulses());
        let consumer = tokio::spawn(consumer.run(stop.clone()));
        Self { queue, stop, pulses, consumer }
    }

    async fn until(&self, done: impl Fn(&SimulatedQueue) -> bool) {
        let wait = async {
            while !done(&self.queue) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_hours(1), wait).await.expect("it should happen within an hour");
    }

    async fn stop(self) {
        self.stop.draining.cancel();
        self.consumer.await.unwrap().unwrap();
    }
}

fn standard(config: &Config) -> SimulatedQueue {
    SimulatedQueue::new(config, false, 3)
}

fn acks(batch: &[String]) -> Vec<Verdict> {
    batch.iter().map(|_| Verdict::Ack).collect()
}
