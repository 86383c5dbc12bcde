//! A failure at every step ends in the right final state.
//!
//! Each test runs its scenario once and writes down what the function says to a dependency, message
//! by message. Then it runs the scenario again for each of these steps, in a system of its own, with
//! a [`RecordingProxy`](recording_proxy::RecordingProxy) in between that fails at just that step, and looks at the final state.

mod final_state;
mod operations;
mod plan;
mod postgresql;
mod projector;
mod queues;
mod reads;
mod recording_proxy;
mod redis;
mod replays;
mod systems;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread;

use plan::{Fault, Plan, Step};
use tokio::runtime::Builder;

/// Runs of one test at a time. They wait more than they work.
const LANES: usize = 6;

/// Runs `scenario` undisturbed, then with each of `faults` at each step that `of_interest` admits.
///
/// A scenario starts its function behind a proxy that follows the plan, waits until the plan
/// [has happened](Plan::has_happened), and then asserts the final state.
fn every_step(
    faults: &[Fault],
    of_interest: impl Fn(&Step) -> bool,
    scenario: impl AsyncFn(Plan) + Sync,
) {
    let rehearsal = Plan::undisturbed();
    run(&scenario, &rehearsal);
    let mut steps = rehearsal.steps();
    steps.retain(of_interest);
    assert!(!steps.is_empty(), "the function said nothing");
    let plans = steps.iter().flat_map(|step| faults.iter().map(|fault| Plan::new(step, *fault)));
    let plans: Mutex<VecDeque<_>> = Mutex::new(plans.flatten().collect());
    let next = || plans.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let lane = || {
        while let Some(plan) = next() {
            let outcome = thread::scope(|scope| scope.spawn(|| run(&scenario, &plan)).join());
            assert!(outcome.is_ok(), "the final state is wrong (see above) after {plan}");
        }
    };
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(lane);
        }
    });
}

/// With a runtime of its own, for what is dropped in the end blocks its thread.
fn run(scenario: &impl AsyncFn(Plan), plan: &Plan) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(scenario(plan.clone()));
}

fn any(_: &Step) -> bool {
    true
}

/// Where the second of a kind teaches nothing, or does not always come.
fn first(step: &Step) -> bool {
    !step.again
}
