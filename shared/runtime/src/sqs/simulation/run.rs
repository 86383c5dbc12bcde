//! One seed's run: the function's process is started, drained or killed at any moment, and started again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    connection::Connection,
    dice::Dice,
    faults::Faults,
    handler::{Shared, SimulatedHandler},
    ledger::Ledger,
    plan::{Plan, Planned},
    queue::SimulatedQueue,
    report::Report,
};
use crate::{
    Clock,
    health::Dependencies,
    shutdown::Stop,
    sqs::{BatchHandler, Consumer, Each, Parts},
};

/// Beyond the handler's timeout: what settling may take with every fault.
const SETTLING: Duration = Duration::from_mins(1);
/// By when a queue on which nothing fails any more is empty.
const PATIENCE: Duration = Duration::from_hours(12);

/// Starts when the simulation does.
struct SimulatedClock(Instant);

impl Clock for SimulatedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + self.0.elapsed()
    }
}

struct Run {
    plan: Plan,
    dice: Dice,
    queue: SimulatedQueue,
    shared: Arc<Shared>,
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
}

/// A process of the function.
struct Process {
    stop: Stop,
    crashed: CancellationToken,
    consumer: JoinHandle<anyhow::Result<()>>,
}

/// Runs one seed to its end. Call it on a current-thread runtime whose clock is paused.
pub async fn simulate(seed: u64) -> Report {
    let mut run = Run::new(seed);
    let sending = tokio::spawn(send(run.queue.clone(), run.take_messages()));
    for _ in 0..run.plan.processes {
        run.start_and_end().await;
    }
    // Without further faults, the queue is emptied.
    if sending.await.is_err() {
        run.ledger.broken("the sender panicked");
    }
    run.queue.state().faults.cease();
    run.shared.works.store(true, SeqCst);
    let process = run.start();
    let emptied = async {
        while !run.queue.is_empty() {
            sleep(Duration::from_millis(500)).await;
        }
    };
    if timeout(PATIENCE, emptied).await.is_err() {
        run.ledger.broken("the queue was never emptied");
    }
    run.drain(process).await;
    run.ledger.close()
}

impl Run {
    fn new(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let plan = Plan::draw(&dice);
        let begun = Instant::now();
        let ledger = Arc::new(Ledger::new(plan.rules.fifo, plan.rules.max_receive_count));
        let faults = Faults::new(plan.rates, !seed);
        let queue = SimulatedQueue::faulty(&plan.config, plan.rules, faults, Arc::clone(&ledger));
        let shared = Arc::new(Shared {
            ledger: Arc::clone(&ledger),
            dice: Dice::new(seed.rotate_left(32)),
            behaviour: plan.behaviour,
            rules: plan.rules,
            timeout: plan.config.handler_timeout(),
            begun,
            works: AtomicBool::new(false),
        });
        Self { plan, dice, queue, shared, ledger, clock: Arc::new(SimulatedClock(begun)) }
    }

    fn take_messages(&mut self) -> Vec<(Arc<Ledger>, Planned)> {
        let messages = std::mem::take(&mut self.plan.messages).into_iter();
        messages.map(|message| (Arc::clone(&self.ledger), message)).collect()
    }

    fn start(&self) -> Process {
        self.ledger.note("start");
        let crashed = CancellationToken::new();
        let handler =
            SimulatedHandler { shared: Arc::clone(&self.shared), crashed: crashed.clone() };
        if self.plan.single {
            self.start_with(Each::new(handler).at_a_time(3), crashed)
        } else {
            self.start_with(handler, crashed)
        }
    }

    fn start_with(&self, handler: impl BatchHandler, crashed: CancellationToken) -> Process {
        let consumer = Consumer::new(Parts {
            queue: Connection { queue: self.queue.clone(), crashed: crashed.clone() },
            handler,
            config: &self.plan.config,
            name: "simulated",
            clock: Arc::clone(&self.clock),
            dependencies: Dependencies::default(),
            random: self.dice.fork(),
        });
        let stop = Stop::default();
        let consumer = tokio::spawn(consumer.run(stop.clone()));
        Process { stop, crashed, consumer }
    }

    async fn start_and_end(&self) {
        let process = self.start();
        sleep(self.dice.millis(0..=40_000)).await;
        if self.dice.chance(50) {
            self.drain(process).await;
            return;
        }
        if self.dice.chance(50) {
            process.stop.draining.cancel();
            sleep(self.dice.millis(0..=3_000)).await;
        }
        self.ledger.note("crash");
        process.crashed.cancel();
        process.consumer.abort();
    }

    async fn drain(&self, process: Process) {
        self.ledger.note("drain");
        process.stop.draining.cancel();
        let cut_off = async {
            sleep(self.plan.config.handler_timeout() + SETTLING).await;
            self.ledger.note("cut off");
            process.stop.cut_off.cancel();
            sleep(SETTLING).await;
        };
        let ended = tokio::select! {
            ended = process.consumer => Ok(ended),
            () = cut_off => Err(()),
        };
        match ended {
            Ok(Ok(Ok(()))) => self.ledger.note("stopped"),
            Ok(Ok(Err(error))) => self.ledger.broken(&format!("a process failed: {error:#}")),
            Ok(Err(error)) => self.ledger.broken(&format!("a process panicked: {error}")),
            Err(()) => self.ledger.broken("a drain took too long"),
        }
    }
}

async fn send(queue: SimulatedQueue, messages: Vec<(Arc<Ledger>, Planned)>) {
    for (ledger, message) in messages {
        sleep(message.after).await;
        ledger.sent(&message.group, &message.body, message.hopeless);
        queue.send(&message.group, &message.body);
    }
}
