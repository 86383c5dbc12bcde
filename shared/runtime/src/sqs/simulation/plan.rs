//! What a seed decides before anything happens.

use std::time::Duration;

use clap::Parser;

use super::{dice::Dice, faults::Rates};
use crate::sqs::{Config, queue::rules::Rules};

/// What happens in one seed's run.
pub(super) struct Plan {
    pub(super) config: Config,
    pub(super) rules: Rules,
    pub(super) rates: Rates,
    pub(super) behaviour: Behaviour,
    /// Whether the handler takes one message at a time.
    pub(super) single: bool,
    pub(super) messages: Vec<Planned>,
    /// How many processes are stopped or crash before the last one.
    pub(super) processes: u16,
}

/// How often a handler does what, in percent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    pub(super) retries: u32,
    pub(super) panics: u32,
    pub(super) hangs: u32,
    pub(super) miscounts: u32,
    /// It takes up to all of its timeout, which may be several visibility timeouts.
    pub(super) delays: u32,
    /// Since the start, its dependency is unavailable from the one until the other.
    pub(super) outage: (Duration, Duration),
}

/// A message and when it is sent after the one before it.
pub(super) struct Planned {
    pub(super) group: String,
    pub(super) body: String,
    pub(super) hopeless: bool,
    pub(super) after: Duration,
}

impl Plan {
    pub(super) fn draw(dice: &Dice) -> Self {
        let fifo = dice.chance(60);
        let outage = dice.millis(0..=60_000);
        Self {
            config: config(dice),
            rules: Rules { max_receive_count: dice.number(1..=12).into(), fifo },
            rates: rates(dice),
            behaviour: Behaviour {
                retries: dice.number(0..=30).into(),
                panics: dice.number(0..=10).into(),
                hangs: dice.number(0..=5).into(),
                miscounts: dice.number(0..=5).into(),
                delays: dice.number(0..=30).into(),
                outage: (outage, outage + dice.millis(0..=90_000)),
            },
            single: dice.chance(50),
            messages: messages(dice),
            processes: dice.number(1..=5),
        }
    }
}

/// The settings' defaults, as a command line.
#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    config: Config,
}

fn config(dice: &Dice) -> Config {
    let url = ["", "--queue-url", "https://sqs.region.amazonaws.com/1/queue"];
    Config {
        queue_batch_size: dice.number(1..=25),
        queue_batch_wait_ms: dice.number(0..=200),
        queue_concurrency: dice.number(1..=4),
        queue_receivers: dice.number(1..=4),
        queue_wait_seconds: dice.number(0..=20),
        queue_visibility_seconds: dice.number(2..=30),
        handler_timeout_seconds: dice.number(1..=60),
        backoff_base_ms: 1_000,
        backoff_max_seconds: dice.number(1..=20),
        ..Defaults::parse_from(url).config
    }
}

fn rates(dice: &Dice) -> Rates {
    let percent = |most| u32::from(dice.number(0..=most));
    Rates {
        call: percent(30),
        entry: percent(15),
        lie: percent(5),
        duplicate: percent(10),
        latency: dice.number(1..=60).into(),
    }
}

fn messages(dice: &Dice) -> Vec<Planned> {
    let groups = dice.number(1..=6);
    let message = |number: u16| {
        let group = format!("group-{}", dice.number(1..=groups));
        let kind = match dice.number(0..=19) {
            0 => "malformed",
            1 => "explosive",
            2 => "refused",
            _ => "good",
        };
        Planned {
            body: format!("{kind} {number:02} of {group}"),
            group,
            hopeless: kind != "good",
            after: if dice.chance(80) { Duration::ZERO } else { dice.millis(0..=10_000) },
        }
    };
    (0..dice.number(5..=40)).map(message).collect()
}
