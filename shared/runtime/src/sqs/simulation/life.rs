//! A function's lives: started, drained or killed at any moment, and started again.

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
    actor::{Actor, Stage},
    connection::Connection,
    dice::Dice,
    faults::Faults,
    ledger::Ledger,
    plan::{Plan, Planned},
    queue::Simulation,
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

struct World {
    plan: Plan,
    dice: Dice,
    queue: Simulation,
    stage: Arc<Stage>,
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
}

/// One life of the function.
struct Life {
    stop: Stop,
    dead: CancellationToken,
    consumer: JoinHandle<anyhow::Result<()>>,
}

/// Runs one seed to its end. Call it on a current-thread runtime whose clock is paused.
pub async fn simulate(seed: u64) -> Report {
    let mut world = World::new(seed);
    let sending = tokio::spawn(send(world.queue.clone(), world.take_messages()));
    for _ in 0..world.plan.lives {
        world.live_and_end().await;
    }
    // Whatever is left, somebody gets to the end of it.
    if sending.await.is_err() {
        world.ledger.broken("the sender panicked");
    }
    world.queue.state().faults.cease();
    world.stage.calm.store(true, SeqCst);
    let life = world.start();
    let emptied = async {
        while !world.queue.is_empty() {
            sleep(Duration::from_millis(500)).await;
        }
    };
    if timeout(PATIENCE, emptied).await.is_err() {
        world.ledger.broken("the queue was never emptied");
    }
    world.drain(life).await;
    world.ledger.close()
}

impl World {
    fn new(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let plan = Plan::draw(&dice);
        let begun = Instant::now();
        let ledger = Arc::new(Ledger::new(plan.rules.fifo, plan.rules.max_receive_count));
        let faults = Faults::new(plan.rates, !seed);
        let queue = Simulation::faulty(&plan.config, plan.rules, faults, Arc::clone(&ledger));
        let stage = Arc::new(Stage {
            ledger: Arc::clone(&ledger),
            dice: Dice::new(seed.rotate_left(32)),
            habits: plan.habits,
            rules: plan.rules,
            timeout: plan.config.handler_timeout(),
            begun,
            calm: AtomicBool::new(false),
        });
        Self { plan, dice, queue, stage, ledger, clock: Arc::new(SimulatedClock(begun)) }
    }

    fn take_messages(&mut self) -> Vec<(Arc<Ledger>, Planned)> {
        let messages = std::mem::take(&mut self.plan.messages).into_iter();
        messages.map(|message| (Arc::clone(&self.ledger), message)).collect()
    }

    fn start(&self) -> Life {
        self.ledger.note("start");
        let dead = CancellationToken::new();
        let actor = Actor { stage: Arc::clone(&self.stage), dead: dead.clone() };
        if self.plan.single {
            self.start_with(Each::new(actor).at_a_time(3), dead)
        } else {
            self.start_with(actor, dead)
        }
    }

    fn start_with(&self, handler: impl BatchHandler, dead: CancellationToken) -> Life {
        let consumer = Consumer::new(Parts {
            queue: Connection { queue: self.queue.clone(), dead: dead.clone() },
            handler,
            config: &self.plan.config,
            name: "simulated",
            clock: Arc::clone(&self.clock),
            dependencies: Dependencies::default(),
            random: self.dice.fork(),
        });
        let stop = Stop::default();
        let consumer = tokio::spawn(consumer.run(stop.clone()));
        Life { stop, dead, consumer }
    }

    async fn live_and_end(&self) {
        let life = self.start();
        sleep(self.dice.millis(0..=40_000)).await;
        if self.dice.chance(50) {
            self.drain(life).await;
            return;
        }
        if self.dice.chance(50) {
            life.stop.draining.cancel();
            sleep(self.dice.millis(0..=3_000)).await;
        }
        self.ledger.note("die");
        life.dead.cancel();
        life.consumer.abort();
    }

    async fn drain(&self, life: Life) {
        self.ledger.note("drain");
        life.stop.draining.cancel();
        let cut_off = async {
            sleep(self.plan.config.handler_timeout() + SETTLING).await;
            self.ledger.note("cut off");
            life.stop.cut_off.cancel();
            sleep(SETTLING).await;
        };
        let ended = tokio::select! {
            ended = life.consumer => Ok(ended),
            () = cut_off => Err(()),
        };
        match ended {
            Ok(Ok(Ok(()))) => self.ledger.note("stopped"),
            Ok(Ok(Err(error))) => self.ledger.broken(&format!("a life failed: {error:#}")),
            Ok(Err(error)) => self.ledger.broken(&format!("a life panicked: {error}")),
            Err(()) => self.ledger.broken("a drain took too long"),
        }
    }
}

async fn send(queue: Simulation, messages: Vec<(Arc<Ledger>, Planned)>) {
    for (ledger, message) in messages {
        sleep(message.after).await;
        ledger.sent(&message.group, &message.body, message.hopeless);
        queue.send(&message.group, &message.body);
    }
}
