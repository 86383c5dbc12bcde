//! An outage costs no message, with as many deliveries as a queue is shipped with: half an hour in a
//! pod, a quarter in a Lambda, whatever fails, and however many messages wait.

mod lambda;
mod pod;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::bail;
use tokio::{
    runtime::Builder,
    time::{Instant, sleep},
};

use crate::{
    health::Dependencies,
    sqs::{
        BatchHandler, Config, Delivery, Handler, Reject, Retry, Verdict, simulation::SimulatedQueue,
    },
};

/// Messages of one group.
const GROUP: usize = 5;

/// What becomes of a call during the outage.
#[derive(Debug, Clone, Copy)]
enum Call {
    Works,
    FailsAfter(Duration),
    Hangs,
}

/// How a dependency fails: what its check and what a handler meet.
#[derive(Debug, Clone, Copy)]
struct Fault {
    name: &'static str,
    check: Call,
    handler: Call,
}

const fn fails(millis: u64) -> Call {
    Call::FailsAfter(Duration::from_millis(millis))
}

/// Times are those of our clients: five seconds to get a connection of a pool, fifteen for a call to
/// AWS with its retries.
const FAULTS: [Fault; 12] = [
    Fault { name: "PostgreSQL refuses", check: fails(1), handler: fails(1) },
    Fault { name: "PostgreSQL hangs", check: Call::Hangs, handler: Call::Hangs },
    Fault { name: "PostgreSQL hangs within limits", check: Call::Hangs, handler: fails(5_000) },
    Fault { name: "PostgreSQL is read-only", check: fails(2), handler: fails(3) },
    Fault {
        name: "PostgreSQL has too many connections",
        check: Call::Hangs,
        handler: fails(5_000),
    },
    Fault {
        name: "PostgreSQL is full, which no check sees",
        check: Call::Works,
        handler: fails(3),
    },
    Fault { name: "DynamoDB refuses", check: fails(300), handler: fails(300) },
    Fault { name: "DynamoDB hangs", check: Call::Hangs, handler: fails(15_000) },
    Fault { name: "DynamoDB throttles writes", check: Call::Works, handler: fails(10_000) },
    Fault { name: "S3 refuses", check: fails(300), handler: fails(300) },
    Fault { name: "S3 hangs", check: Call::Hangs, handler: fails(10_000) },
    Fault { name: "S3 hangs for ever", check: Call::Hangs, handler: Call::Hangs },
];

impl Call {
    async fn make(self, until: Instant) -> anyhow::Result<()> {
        if Instant::now() >= until {
            return Ok(());
        }
        match self {
            Self::Works => Ok(()),
            Self::FailsAfter(time) => {
                sleep(time).await;
                bail!("unavailable")
            }
            Self::Hangs => pending().await,
        }
    }
}

/// Needs the dependency, and notes each message's effect.
#[derive(Clone)]
struct Needy {
    call: Call,
    back: Instant,
    effects: Arc<Mutex<Vec<(String, String)>>>,
}

impl Needy {
    fn read(delivery: &Delivery) -> (String, String) {
        (delivery.group_id().unwrap_or_default().to_owned(), delivery.body().to_owned())
    }

    async fn apply(&self, messages: Vec<(String, String)>) -> Vec<Verdict> {
        let count = messages.len();
        match self.call.make(self.back).await {
            Ok(()) => {
                sleep(Duration::from_millis(10)).await;
                self.effects.lock().unwrap().extend(messages);
                vec![Verdict::Ack; count]
            }
            Err(error) => vec![Retry::unavailable("unavailable", error.to_string()).into(); count],
        }
    }
}

impl BatchHandler for Needy {
    type Message = (String, String);

    fn decode(&self, delivery: &Delivery) -> Result<Self::Message, Reject> {
        Ok(Self::read(delivery))
    }

    async fn handle(&self, batch: Vec<Self::Message>) -> Vec<Verdict> {
        self.apply(batch).await
    }
}

impl Handler for Needy {
    type Message = (String, String);

    fn decode(&self, delivery: &Delivery) -> Result<Self::Message, Reject> {
        Ok(Self::read(delivery))
    }

    async fn handle(&self, message: Self::Message) -> Verdict {
        self.apply(vec![message]).await.remove(0)
    }
}

/// What the outage came to: dead letters, what was not applied in time, the most deliveries of a
/// message that is left, and groups out of order.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    dead: Vec<(String, String)>,
    /// Messages without an effect: SQS itself may have moved them.
    missing: usize,
    left: usize,
    most_deliveries: u32,
    disordered: Vec<String>,
}

impl Outcome {
    fn of(queue: &SimulatedQueue, messages: usize, effects: &Mutex<Vec<(String, String)>>) -> Self {
        let counts = queue.receive_counts();
        let applied: BTreeSet<_> = effects.lock().unwrap().iter().cloned().collect();
        Self {
            dead: queue.dead_letters(),
            missing: messages - applied.len(),
            left: counts.len(),
            most_deliveries: counts.into_iter().max().unwrap_or_default(),
            disordered: disordered(&effects.lock().unwrap()),
        }
    }
}

/// The groups whose messages took effect in another order, or not once each.
fn disordered(effects: &[(String, String)]) -> Vec<String> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (group, body) in effects {
        groups.entry(group).or_default().push(body);
    }
    let wrong = |(group, bodies): (&String, Vec<&String>)| {
        (!bodies.is_sorted_by(|before, after| before < after)).then(|| group.clone())
    };
    groups.into_iter().filter_map(wrong).collect()
}

/// A FIFO queue with so many messages, which hands each out so often.
fn queue(config: &Config, messages: usize, deliveries: u32) -> SimulatedQueue {
    let queue = SimulatedQueue::new(config, true, deliveries);
    for number in 0..messages {
        queue.send(&format!("group-{}", number / GROUP), &format!("{number:05}"));
    }
    queue
}

/// The handler, and what its function declares, during an outage until `back`.
fn needy(fault: Fault, back: Instant) -> (Needy, Dependencies) {
    let dependencies = Dependencies::default();
    dependencies.declare("dependency", false, move || fault.check.make(back));
    (Needy { call: fault.handler, back, effects: Arc::default() }, dependencies)
}

/// Runs an outage on a paused clock; it must have cost nothing.
fn check(what: &str, fault: Fault, messages: usize, outage: impl Future<Output = Outcome>) {
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let outcome = runtime.block_on(outage);
    assert_eq!(outcome, Outcome::default(), "{}: {messages} messages, {what}", fault.name);
}
