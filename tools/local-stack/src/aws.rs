//! A private AWS-compatible server. The rest of the system knows it only as
//! `AWS_ENDPOINT_URL`.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::environment::Environment;
use crate::install::ministack;
use crate::ports::loopback;
use crate::process::{Process, Program};
use crate::state::State;

/// The access key id and the secret access key that the server verifies signatures with.
pub(crate) const CREDENTIAL: &str = "test";

const READY_LIMIT: Duration = Duration::from_secs(30);
/// It writes its state at SIGTERM, and only then.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// The server; dropping it gives it little time to write its state.
#[derive(Debug)]
pub struct Aws {
    process: Process,
    program: Program,
    endpoint: String,
}

impl Aws {
    /// Starts the server on `port` and returns when it is healthy. It remembers its queues from
    /// a start to the next if it was stopped well: create what is missing. Must be called from
    /// a thread that lives as long as the server shall.
    pub async fn start(state: &State, port: u16) -> Result<Self> {
        let program = program(state, port);
        let endpoint = format!("http://{}", loopback(port));
        let process = launch(&program, &endpoint).await?;
        Ok(Self { process, program, endpoint })
    }

    /// The value of `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.endpoint
    }

    /// The process, to watch it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Stops the server, which writes its state.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.stop().await
    }

    /// Ends the server as a crash would: its queues and their messages are lost.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill().await
    }

    /// Stops the server, if it still runs, and starts it again on the same port.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.process = launch(&self.program, &self.endpoint).await?;
        Ok(())
    }
}

fn program(state: &State, port: u16) -> Program {
    let folder = state.path().join("aws");
    let mut program = Program::new("aws", ministack::python(), state.path());
    program.log = Some(state.log("aws"));
    program.arguments = vec!["-m".into(), "ministack".into()];
    program.grace = STOP_LIMIT;
    program.environment = Environment::inherited()
        .with("MINISTACK_HOST", "127.0.0.1")
        .with("BIND_HOST", "127.0.0.1")
        .with("GATEWAY_PORT", port.to_string())
        .with("AWS_ACCESS_KEY_ID", CREDENTIAL)
        .with("AWS_SECRET_ACCESS_KEY", CREDENTIAL)
        .with("LOG_LEVEL", "WARNING")
        .with("PYTHONUNBUFFERED", "1")
        .with("PERSIST_STATE", "1")
        .with("S3_PERSIST", "1")
        .with("STATE_DIR", folder.join("state"))
        .with("S3_DATA_DIR", folder.join("s3"));
    program
}

async fn launch(program: &Program, endpoint: &str) -> Result<Process> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(1)).build()?;
    let health = format!("{endpoint}/_ministack/health");
    let mut process = Process::start(program.clone())?;
    process
        .ready_when(READY_LIMIT, || {
            let request = client.get(&health).send();
            async { request.await.is_ok_and(|response| response.status().is_success()) }
        })
        .await
        .context("the AWS-compatible server does not start")?;
    Ok(process)
}
