//! Replay of dead letters: ours, with its ledger, beside programs that only move messages.
//!
//! Each turn fills a dead-letter queue, has a program empty it, and checks what arrived: a message that is
//! missing, is there twice or has changed makes the measurement fail.

mod mover;
mod report;
mod turn;

use anyhow::{Context as _, Result};

use crate::part::Run;
use crate::show;

use mover::Mover;
use turn::Bench;

/// Dead letters of a turn.
const QUICK: usize = 5_000;
const FULL: usize = 100_000;
/// Each is two turns of each program.
const QUICK_ROUNDS: u32 = 1;
const FULL_ROUNDS: u32 = 2;

/// What was measured of a program, by turn.
#[derive(Default)]
struct Measured {
    /// Messages a second, from the start of the program until the last message was moved.
    rates: Vec<f64>,
    /// The program's seconds of processor time for 10,000 messages.
    own: Vec<f64>,
    /// The queue server's.
    server: Vec<f64>,
}

/// Measures all of them in turn.
pub(crate) async fn measure(run: &Run) -> Result<String> {
    let (messages, rounds) = run.choose((FULL, FULL_ROUNDS), (QUICK, QUICK_ROUNDS));
    let bench = Bench::start(run).await?;
    let mut all: Vec<_> = Mover::ALL.into_iter().map(|it| (it, Measured::default())).collect();
    for round in 1..=rounds {
        for index in (0..all.len()).chain((0..all.len()).rev()) {
            let (mover, measured) = all.get_mut(index).context("one for each")?;
            show(&format!("  round {round} of {rounds}: {}", mover.name()));
            bench.turn(*mover, measured, messages).await?;
        }
    }
    report::table(&all, messages, rounds)
}
