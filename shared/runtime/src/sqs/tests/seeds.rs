//! Every promise, over many seeds. The example `simulate` runs more.

use tokio::runtime::Builder;

use crate::sqs::simulation::{Report, simulate};

const SEEDS: u64 = 1_000;
/// Seeds that are run twice.
const REPEATED: u64 = 50;

fn run(seed: u64) -> Report {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(simulate(seed))
}

#[test]
fn nothing_is_lost_acked_wrongly_or_out_of_order() {
    for seed in 0..SEEDS {
        let Report { trace, broken } = run(seed);
        assert!(broken.is_empty(), "seed {seed}: {broken:?}\n{}", trace.join("\n"));
    }
}

#[test]
fn a_seed_gives_the_same_trace_again() {
    for seed in 0..REPEATED {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
