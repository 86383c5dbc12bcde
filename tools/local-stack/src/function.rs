//! One of the system's functions as a process of its own: the very binary that ships, configured
//! by its environment.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::Signal;

use crate::environment::Environment;
use crate::ports::loopback;
use crate::process::{Process, Program};
use crate::state::State;

/// How long a function may take to finish what it has begun: what `DRAIN_TIMEOUT_SECONDS` is by
/// default beside the default of `HANDLER_TIMEOUT_SECONDS`.
pub const DRAIN_SECONDS: u64 = 35;

const BEYOND_DRAIN: Duration = Duration::from_secs(5);
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// A function that was started.
#[derive(Debug)]
pub struct Function {
    process: Process,
    health: SocketAddr,
    client: reqwest::Client,
}

impl Function {
    /// Starts `binary` with `environment` (and `PATH`, `HOME`, `TMPDIR`), its health endpoints
    /// on a free port, its log in `state` under `name`. Must be called inside a tokio runtime,
    /// from a thread that lives as long as the function shall.
    pub fn start(
        binary: &Path,
        name: &str,
        environment: &Environment,
        state: &State,
    ) -> Result<Self> {
        Self::start_with(binary, &[], name, environment, state)
    }

    /// As [`Self::start`], with arguments.
    pub fn start_with(
        binary: &Path,
        arguments: &[&str],
        name: &str,
        environment: &Environment,
        state: &State,
    ) -> Result<Self> {
        let health = loopback(state.port(name)?);
        let mut program = Program::new(name, binary, state.path());
        program.arguments = arguments.iter().map(Into::into).collect();
        program.log = Some(state.log(name));
        // There is no load balancer that must notice.
        program.abandon_signal = Signal::SIGINT;
        program.grace = Duration::from_secs(DRAIN_SECONDS) + BEYOND_DRAIN;
        program.environment =
            program.environment.with("HEALTH_ADDR", health.to_string()).and(environment);
        let client = reqwest::Client::builder().timeout(PROBE_LIMIT).build()?;
        Ok(Self { process: Process::start(program)?, health, client })
    }

    /// Waits until it is ready to work; fails at once when it ends, and after `limit`.
    pub async fn ready(&mut self, limit: Duration) -> Result<()> {
        let url = self.health_url("readyz");
        let Self { process, client, .. } = self;
        process
            .ready_when(limit, || {
                let request = client.get(&url).send();
                async { request.await.is_ok_and(|response| response.status().is_success()) }
            })
            .await
    }

    /// The URL of `livez`, `readyz` or `metrics`.
    #[must_use]
    pub fn health_url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.health)
    }

    /// The process: its name, its log, its signals.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Has it drain, as a pod's end does, and waits; kills it when that takes too long.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.stop().await
    }

    /// Ends it at once, as a lost node does.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill().await
    }
}
