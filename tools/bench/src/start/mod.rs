//! Starts: from exec to the first sign of work, beside a program that is empty. And what a function that
//! waits takes of memory, and what ships of a disk.

mod footprint;
mod functions;
mod launch;
mod report;
mod watch;

use anyhow::Result;
use fake_lambda::LambdaApi;
use local_stack::State;

use crate::part::Run;
use crate::show;

use functions::{Servers, empty};
use launch::{Sign, Start};
use watch::Watch;

/// Each with two starts of both.
const QUICK_ROUNDS: u32 = 5;
const FULL_ROUNDS: u32 = 40;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    Pod,
    Lambda,
}

/// Where a start ends.
#[derive(Clone, Copy)]
enum Until {
    /// A path of the port for probes is answered with 200.
    Answers(&'static str),
    Polls,
    AsksNext,
}

/// What is measured of a function.
#[derive(Clone, Copy)]
struct Case {
    function: &'static str,
    host: Host,
    until: Until,
}

const fn pod(function: &'static str, until: Until) -> Case {
    Case { function, host: Host::Pod, until }
}

const fn lambda(function: &'static str) -> Case {
    Case { function, host: Host::Lambda, until: Until::AsksNext }
}

/// Lambdas are those that manifests have.
const CASES: [Case; 13] = [
    pod("task-reader", Until::Answers("/livez")),
    pod("task-reader", Until::Answers("/readyz")),
    pod("task-writer", Until::Answers("/livez")),
    pod("task-writer", Until::Answers("/readyz")),
    pod("command-worker", Until::Polls),
    pod("history-projector", Until::Polls),
    pod("attachment-worker", Until::Polls),
    pod("outbox-relay", Until::Answers("/readyz")),
    lambda("task-reader"),
    lambda("task-writer"),
    lambda("command-worker"),
    lambda("history-projector"),
    lambda("attachment-worker"),
];

/// Milliseconds of starts, ours and those of the empty program.
struct Row {
    case: Case,
    ours: Vec<f64>,
    empty: Vec<f64>,
}

/// Measures starts, and then what is there when they are over.
pub(crate) async fn measure(run: &Run) -> Result<String> {
    let servers = Servers::start(run).await?;
    let folder = tempfile::tempdir()?;
    let state = State::open(folder.path())?;
    let rounds = run.choose(FULL_ROUNDS, QUICK_ROUNDS);
    let mut rows = Vec::new();
    for case in CASES {
        show(&format!("  {case}"));
        rows.push(compare(run, &servers, case, rounds, &state).await?);
    }
    show("  memory and sizes");
    let memory = footprint::memory(run, &servers, &state).await?;
    let sizes = footprint::sizes(&run.bin_dir, folder.path()).await?;
    Ok(report::starts(&rows, rounds)? + &report::footprint(&memory, &sizes)?)
}

/// Starts both in turn.
async fn compare(
    run: &Run,
    servers: &Servers,
    case: Case,
    rounds: u32,
    state: &State,
) -> Result<Row> {
    let api = LambdaApi::start().await;
    let of_host = |(mut start, address): (Start, _)| {
        if case.host == Host::Lambda {
            let add = |all: local_stack::Environment, (name, value)| all.with(name, value);
            start.environment = api.environment().into_iter().fold(start.environment, add);
        }
        (start, address)
    };
    let ours = of_host(servers.function(run, case.function)?);
    let other = of_host(empty(run, case)?);
    let mut asked = 0;
    let mut row = Row { case, ours: Vec::new(), empty: Vec::new() };
    for _ in 0..rounds {
        for is_ours in [true, false, false, true] {
            asked += 1;
            let (start, address) = if is_ours { &ours } else { &other };
            let watch;
            let sign = match case.until {
                Until::AsksNext => Sign::AsksNext(&api, asked),
                Until::Polls if is_ours => {
                    watch = Watch::start(servers.queue_server).await?;
                    Sign::Polls(&watch)
                }
                // What is empty has no queue: it is there when it answers.
                Until::Polls => Sign::Answers(*address, "/"),
                Until::Answers(path) => Sign::Answers(*address, path),
            };
            let time = start.time(sign, state).await?.as_secs_f64() * 1e3;
            if is_ours { &mut row.ours } else { &mut row.empty }.push(time);
        }
    }
    Ok(row)
}
