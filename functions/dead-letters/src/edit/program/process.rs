//! The process of a jq program, as seen from the tool.

use std::env::current_exe;
use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::child::{ARGUMENT, MEMORY_MIB, SECONDS};
use super::frame::{self, Answer};
use crate::NAME;
use crate::edit::{EditFailure, merge};

/// How long an answer is waited for. The process ends by itself long before, unless the machine is busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// Ends by force after which a program is not run again: it would fail for each of a million bodies.
const MOST_FAULTS: u32 = 3;

/// A program that runs in a process of its own, on one body at a time.
pub(crate) struct Program {
    text: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// It is started for the first body, and after a fault.
    process: Option<Process>,
    faults: u32,
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Program {
    pub(super) fn new(text: String) -> Self {
        Self { text, state: Mutex::default() }
    }

    pub(in crate::edit) async fn apply(&self, body: &str) -> Result<String, EditFailure> {
        // The same numbers and the same depth as for everybody else.
        serde_json::from_str::<Value>(body).map_err(EditFailure::NotJson)?;
        let refused = |cause: &str| EditFailure::Refused(format!("the jq program {cause}"));
        let mut state = self.state.lock().await;
        if state.faults == MOST_FAULTS {
            let cause = format!("was ended by force {MOST_FAULTS} times: it is not run again");
            return Err(refused(&cause));
        }
        let answered = timeout(PATIENCE, self.answer(&mut state, body)).await;
        let answer = match answered.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
            Ok(answer) => answer,
            Err(error) => {
                state.faults += 1;
                return Err(refused(&state.fault(&error).await));
            }
        };
        let output = answer.map_err(|cause| refused(&format!("fails: {cause}")))?;
        Ok(merge::by_value(body, &output))
    }

    async fn answer(&self, state: &mut State, body: &str) -> io::Result<Answer> {
        if state.process.is_none() {
            let process = state.process.insert(Process::spawn()?);
            // It was checked: this is never a refusal.
            frame::to_answer(&process.exchange(&self.text).await?)?.map_err(io::Error::other)?;
        }
        let process = state.process.as_mut().ok_or(ErrorKind::NotFound)?;
        frame::to_answer(&process.exchange(body).await?)
    }
}

impl State {
    /// Ends the process, and says what happened to it.
    async fn fault(&mut self, error: &io::Error) -> String {
        let Some(Process { mut child, .. }) = self.process.take() else {
            return format!("cannot be run: {error}");
        };
        let too_long = format!("takes longer than {SECONDS} s for a body");
        if error.kind() == ErrorKind::TimedOut {
            // It is killed when it is dropped.
            return too_long;
        }
        match child.wait().await.map(|status| status.signal()) {
            Ok(Some(signal)) if signal == Signal::SIGXCPU as i32 => too_long,
            Ok(Some(_)) => format!("calls itself too deeply, or needs more than {MEMORY_MIB} MiB"),
            _ => format!("ended by a fault: {error}"),
        }
    }
}

impl Process {
    fn spawn() -> io::Result<Self> {
        let mut command = Command::new(current_exe()?);
        command
            .arg0(NAME)
            .arg(ARGUMENT)
            .env_clear()
            // The allocator would reserve a GiB of addresses at once, and the process may have no more.
            .env("MIMALLOC_ARENA_RESERVE", "16MiB")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is for the tool, which waits for the answer.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        Ok(Self { child, input, output })
    }

    async fn exchange(&mut self, text: &str) -> io::Result<String> {
        frame::send(&mut self.input, text).await?;
        frame::receive(&mut self.output).await
    }
}
