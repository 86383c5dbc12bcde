//! A child process that cannot outlive us: it is stopped in its own way, killed when that
//! takes too long, and ended by the kernel when we are killed ourselves.

use std::ffi::OsString;
use std::fs::{self, File};
use std::future::Future;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::environment::Environment;
use crate::identity::Identity;

const POLL: Duration = Duration::from_millis(50);
/// How often a drop looks whether the process has ended, before it kills it: for 3 seconds.
const DROP_POLLS: u32 = 60;
const AFTER_KILL: Duration = Duration::from_secs(10);
const LAST_LINES: usize = 15;
const LAST_BYTES: i64 = 16 * 1024;

/// How to start a program and how to end it.
#[derive(Debug, Clone)]
pub struct Program {
    /// What messages and the log file call it.
    pub name: String,
    /// The executable: a path, or a name that `PATH` finds.
    pub executable: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// All that it finds in its environment.
    pub environment: Environment,
    /// The folder in which it starts.
    pub folder: PathBuf,
    /// The file that takes what it prints, emptied at each start; without one it shares our
    /// output.
    pub log: Option<PathBuf>,
    /// Whom it runs as.
    pub identity: Identity,
    /// Ends it well.
    pub stop_signal: Signal,
    /// Ends it when nobody is left to wait for it: on drop, and when we die.
    pub abandon_signal: Signal,
    /// How long it may take to end well.
    pub grace: Duration,
}

impl Program {
    /// A program that ends on SIGTERM, within ten seconds.
    #[must_use]
    pub fn new(name: &str, executable: impl Into<PathBuf>, folder: &Path) -> Self {
        Self {
            name: name.to_owned(),
            executable: executable.into(),
            arguments: Vec::new(),
            environment: Environment::inherited(),
            folder: folder.to_owned(),
            log: None,
            identity: Identity::Ours,
            stop_signal: Signal::SIGTERM,
            abandon_signal: Signal::SIGTERM,
            grace: Duration::from_secs(10),
        }
    }

    fn command(&self) -> Result<Command> {
        let mut command =
            Command::from(self.identity.command(&self.executable, self.abandon_signal));
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            // A terminal's Ctrl-C must reach only us, who stop the children in order.
            .process_group(0);
        if let Some(path) = &self.log {
            let log = File::create(path).with_context(|| format!("creating {}", path.display()))?;
            command.stdout(log.try_clone()?).stderr(log);
        }
        Ok(command)
    }
}

/// A running [`Program`]. Dropping it sends the abandon signal, waits for 3 seconds at most, and
/// then kills it: a last resort that blocks, for what [`Self::stop`] did not reach.
///
/// On Linux the kernel sends that signal too when the **thread** that started the process
/// ends: start processes from a thread that lives as long as they shall.
#[derive(Debug)]
pub struct Process {
    program: Program,
    child: Child,
}

impl Process {
    /// Starts the program. Must be called inside a tokio runtime.
    pub fn start(program: Program) -> Result<Self> {
        let child = program.command()?.spawn().with_context(|| {
            format!("starting {} ({})", program.name, program.executable.display())
        })?;
        Ok(Self { program, child })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// Its log file, if it has one.
    #[must_use]
    pub fn log(&self) -> Option<&Path> {
        self.program.log.as_deref()
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends a signal; to a process that has ended, nothing.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        match self.pid() {
            Some(pid) => kill(pid, signal).with_context(|| format!("signalling {}", self.name())),
            None => Ok(()),
        }
    }

    /// Waits until `check` holds; fails at once when the process ends, and after `limit`.
    pub async fn ready_when<F: Future<Output = bool>>(
        &mut self,
        limit: Duration,
        mut check: impl FnMut() -> F,
    ) -> Result<()> {
        let end = Instant::now() + limit;
        while !check().await {
            self.assert_runs()?;
            if Instant::now() > end {
                bail!("{} is not ready after {limit:?}{}", self.name(), self.last_log_lines());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Fails if the process has ended, with how, and the last lines that it printed.
    pub fn assert_runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(anyhow!(
                "{} ended unexpectedly: {status}{}",
                self.name(),
                self.last_log_lines()
            )),
        }
    }

    /// Waits until the process ends by itself; fails, as [`Self::assert_runs`] does, if it does
    /// not end well.
    pub async fn success(&mut self) -> Result<()> {
        if self.wait().await?.success() { Ok(()) } else { self.assert_runs() }
    }

    /// Waits until the process ends by itself.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// Sends the stop signal and waits; kills the process when its grace is over.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.signal(self.program.stop_signal)?;
        match timeout(self.program.grace, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => self.kill().await,
        }
    }

    /// Ends the process and its group at once, as a crash would.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.signal_group(Signal::SIGKILL);
        timeout(AFTER_KILL, self.child.wait())
            .await
            .with_context(|| format!("{} survives SIGKILL", self.name()))?
            .map_err(Into::into)
    }

    /// The end of its log, as an addition to an error message.
    #[must_use]
    pub fn last_log_lines(&self) -> String {
        let Some(log) = self.log() else { return String::new() };
        let lines = last_lines(log, LAST_LINES).unwrap_or_default();
        format!("\n{lines}\nIts whole log: {}", log.display())
    }

    fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // A group that is gone is what we want.
            let _ = killpg(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        if ended(&mut self.child) {
            return;
        }
        self.signal_group(self.program.abandon_signal);
        for _ in 0..DROP_POLLS {
            if ended(&mut self.child) {
                return;
            }
            pause();
        }
        self.signal_group(Signal::SIGKILL);
    }
}

#[expect(clippy::disallowed_methods, reason = "a drop cannot await, and it is the last resort")]
fn pause() {
    std::thread::sleep(POLL);
}

fn last_lines(path: &Path, count: usize) -> Result<String> {
    let mut file = File::open(path)?;
    let length = i64::try_from(fs::metadata(path)?.len())?;
    file.seek(SeekFrom::End(-length.min(LAST_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(count));
    Ok(last.map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn shell(script: &str) -> (Program, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Program::new("shell", "sh", folder.path());
        program.arguments = vec!["-c".into(), script.into()];
        program.log = Some(folder.path().join("log"));
        (program, folder)
    }

    #[tokio::test]
    async fn an_unexpected_end_is_reported_with_its_last_lines() {
        let (program, folder) = shell("seq 100; echo broken >&2; exit 3");
        let error = Process::start(program).unwrap().success().await.unwrap_err().to_string();

        assert!(error.starts_with("shell ended unexpectedly: exit status: 3"), "{error}");
        assert!(error.contains("\n  100\n  broken\n"), "{error}");
        assert!(!error.contains("  50\n"), "{error}");
        assert!(error.contains(folder.path().join("log").to_str().unwrap()), "{error}");
    }

    #[tokio::test]
    async fn a_process_that_does_not_stop_is_killed() {
        let (mut program, folder) = shell("trap '' TERM; echo > deaf; while :; do sleep 1; done");
        program.grace = Duration::from_millis(100);
        let mut process = Process::start(program).unwrap();
        let deaf = || async { folder.path().join("deaf").exists() };
        process.ready_when(Duration::from_secs(10), deaf).await.unwrap();

        assert_eq!(process.stop().await.unwrap().to_string(), "signal: 9 (SIGKILL)");
        assert_eq!(process.id(), None);
    }

    #[tokio::test]
    async fn a_process_sees_only_the_environment_that_it_is_given() {
        let (mut program, folder) = shell("env | cut -d= -f1 | sort > names");
        program.environment = program.environment.with("GIVEN", "1");
        Process::start(program).unwrap().success().await.unwrap();

        let names = fs::read_to_string(folder.path().join("names")).unwrap();
        assert!(names.contains("GIVEN\n"), "{names}");
        assert!(!names.contains("CARGO"), "{names}");
    }
}
