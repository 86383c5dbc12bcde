//! The process of a jq program: it reads the program, then bodies, and answers each.
//!
//! It limits itself, so that it ends whatever the program does, also if the tool is killed.

use std::ffi::OsString;
use std::io::{stdin, stdout};
use std::process::ExitCode;
use std::thread::Builder;

use anyhow::{Context as _, Result};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};

use super::compile::compiled;
use super::evaluate::evaluated;
use super::{STACK, frame};

/// The first argument of the process.
pub(super) const ARGUMENT: &str = "jq-process";
/// Memory of the process.
pub(super) const MEMORY_MIB: u64 = 1_024;
/// Processor time for one body.
pub(super) const SECONDS: u64 = 2;

/// Whether this process is to run a jq program.
pub(crate) fn is_child(command_line: &[OsString]) -> bool {
    command_line.get(1).is_some_and(|argument| argument == ARGUMENT)
}

/// Runs a jq program until nobody sends bodies any more.
pub(crate) fn serve() -> ExitCode {
    let thread = Builder::new().name("jq".to_owned()).stack_size(STACK).spawn(work);
    let worked = thread.map(|thread| thread.join().is_ok_and(|worked| worked.is_ok()));
    if worked.unwrap_or_default() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work() -> Result<()> {
    let bytes = MEMORY_MIB << 20;
    setrlimit(Resource::RLIMIT_AS, bytes, bytes).context("limiting the memory")?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).context("no core file")?;
    limit_time()?;
    let (mut input, mut output) = (stdin().lock(), stdout().lock());
    let Some(text) = frame::read(&mut input)? else { return Ok(()) };
    let compiled = compiled(&text);
    let ready = compiled.as_ref().map(|_| String::new()).map_err(ToString::to_string);
    frame::write(&mut output, &frame::of_answer(&ready))?;
    let Ok(filter) = compiled else { return Ok(()) };
    while let Some(body) = frame::read(&mut input)? {
        limit_time()?;
        frame::write(&mut output, &frame::of_answer(&evaluated(&filter, &body)))?;
    }
    Ok(())
}

/// The process ends, by SIGXCPU, after more processor time than one body may take from now on.
fn limit_time() -> Result<()> {
    let used = getrusage(UsageWho::RUSAGE_SELF).context("the time that was used")?;
    let used = used.user_time().tv_sec() + used.system_time().tv_sec();
    // The limit has whole seconds: what is left of the last one comes on top.
    let limit = u64::try_from(used).unwrap_or_default() + 1 + SECONDS;
    let (_, most) = getrlimit(Resource::RLIMIT_CPU).context("the limit of the time")?;
    setrlimit(Resource::RLIMIT_CPU, limit.min(most), most).context("limiting the time")
}
