//! `local-stack exec`: a command with servers of its own, which are gone afterwards.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, Result};
use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Pid, getuid};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::access::External;
use crate::console::Console;
use crate::environment::Environment;
use crate::identity::Identity;
use crate::install::install;
use crate::ports;
use crate::postgres::Durability;
use crate::servers::Servers;
use crate::signals::Signals;
use crate::state::{Lock, State, local_folder};

const PREFIX: &str = "exec-";
/// A file system in memory, which Linux has here.
const MEMORY: &str = "/dev/shm";
/// Bytes that a run of all tests may need, and as much again for another run.
const ROOM: u64 = 6 << 30;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    external: External,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs the command; its exit code is ours, 128 + N if signal N ended it.
pub(crate) async fn exec(options: Options, console: &Console) -> Result<ExitCode> {
    install(&mut |text| console.say(text))?;
    let mut signals = Signals::listen()?;
    let state = Scratch::create(console)?;
    let mut servers = Servers::new(options.external);
    let outcome = run(&mut servers, &state.state, &options.command, &mut signals, console).await;
    let stopped = servers.stop().await;
    let status = outcome?;
    stopped?;
    Ok(exit_code(status))
}

async fn run(
    servers: &mut Servers,
    state: &State,
    command: &[OsString],
    signals: &mut Signals,
    console: &Console,
) -> Result<ExitStatus> {
    let step = console.step("starting PostgreSQL, Redis and the AWS-compatible server");
    tokio::select! {
        started = servers.start(state, Durability::Throwaway, ports::free(None)?) => started?,
        signal = signals.next() => return Ok(ExitStatus::from_raw(signal as i32)),
    }
    step.done();
    let environment = Environment::whole()
        .and(&servers.environment()?)
        .with_secret("DATABASE_URL", &servers.database_url()?);
    let mut child = spawn(command, &environment)?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            signal = signals.next() => pass_on(signal, &child),
        }
    }
}

/// The command stays in our process group, so that it may read from the terminal.
fn spawn(command: &[OsString], environment: &Environment) -> Result<Child> {
    let (program, arguments) = command.split_first().context("no command")?;
    let command = Identity::Ours.command(Path::new(program), Signal::SIGTERM);
    Command::from(command)
        .args(arguments)
        .envs(environment.iter())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))
}

/// A terminal sends Ctrl-C to the command too, so that only other signals are passed on.
fn pass_on(signal: Signal, child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.filter(|_| signal != Signal::SIGINT) {
        // A command that is gone needs no signal.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A state folder that is deleted in the end.
struct Scratch {
    state: State,
    _lock: Lock,
    _folder: TempDir,
}

impl Scratch {
    fn create(console: &Console) -> Result<Self> {
        let parent = parent()?;
        // Another `exec` must not take a folder for abandoned before its lock is there.
        let _alone = Lock::wait(&parent.join("exec.lock"))?;
        delete_abandoned(&parent, console);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent)?;
        let state = State::open(folder.path())?;
        Ok(Self { _lock: state.lock()?, state, _folder: folder })
    }
}

/// Memory if there is plenty: PostgreSQL makes and deletes hundreds of files for each test's database,
/// which takes an eighth of the tests' time on a disk.
fn parent() -> Result<PathBuf> {
    let free = statvfs(MEMORY).map(|memory| memory.blocks_available() * memory.fragment_size());
    if !free.is_ok_and(|free| free >= ROOM) {
        return Ok(local_folder());
    }
    let folder = Path::new(MEMORY).join(format!("task-app-{}", getuid()));
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder)
}

/// Deletes the folders of runs that were killed.
fn delete_abandoned(parent: &Path, console: &Console) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let path = entry.path();
        let in_use = State::open(&path).and_then(|state| state.lock()).is_err();
        if !in_use && let Err(error) = fs::remove_dir_all(&path) {
            console.say(&format!("cannot delete {}: {error}", path.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_command() {
        assert_eq!(exit_code(ExitStatus::from_raw(7 << 8)), ExitCode::from(7));
        assert_eq!(exit_code(ExitStatus::from_raw(15)), ExitCode::from(143));
    }
}
