//! A private PostgreSQL server: own data folder, own port on the loopback interface, one
//! superuser with a random password, no Unix socket.

mod binaries;
mod cluster;

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

pub(crate) use binaries::is_installed;

use crate::process::{Process, Program};
use crate::state::State;

const USER: &str = "postgres";
const READY_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(20);
const MAX_CONNECTIONS: u16 = 300;
/// A killed server's workers hold its shared memory for a moment, which refuses the next start.
const START_ATTEMPTS: u32 = 10;
const START_PAUSE: Duration = Duration::from_millis(300);

/// What may be lost when the machine stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed: PostgreSQL's defaults.
    Durable,
    /// Everything: the data is deleted after use. A crash of the server alone loses nothing.
    Throwaway,
}

/// The server; dropping it ends it at once, as `immediate` shutdown does.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    program: Program,
    url: SecretString,
}

impl Postgres {
    /// Starts the server of `state`, whose data it creates at the first start. Returns when it
    /// answers. Must be called from a thread that lives as long as the server shall.
    pub async fn start(state: &State, durability: Durability) -> Result<Self> {
        let password = state.secret("postgres")?;
        let cluster = cluster::prepare(state, &password).await?;
        let port = state.port("postgres")?;
        let program = program(state, &cluster, port, durability);
        let url =
            format!("postgres://{USER}:{}@127.0.0.1:{port}/postgres", password.expose_secret());
        let url = SecretString::from(url);
        let process = launch(&program, &url).await?;
        Ok(Self { process, program, url })
    }

    /// The superuser's URL of the database `postgres`.
    #[must_use]
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// The process, to watch it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Stops the server; open connections are closed, committed work is kept.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.stop().await
    }

    /// Ends the server as a crash would: nothing is flushed.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill().await
    }

    /// Stops the server, if it still runs, and starts it again on the same port and data.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.process = launch(&self.program, &self.url).await?;
        Ok(())
    }
}

fn program(
    state: &State,
    cluster: &cluster::Cluster,
    port: u16,
    durability: Durability,
) -> Program {
    let executable = cluster.binaries.join("postgres");
    let mut program = Program::new("postgres", executable, &cluster.data);
    program.log = Some(state.log("postgres"));
    program.identity = cluster.identity.clone();
    program.stop_signal = Signal::SIGINT;
    program.abandon_signal = Signal::SIGQUIT;
    program.grace = STOP_LIMIT;
    program.arguments = vec!["-D".into(), cluster.data.clone().into()];
    for setting in settings(port, durability) {
        program.arguments.extend(["-c".into(), setting.into()]);
    }
    program
}

fn settings(port: u16, durability: Durability) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        // Its path could exceed the 107 bytes that a socket's address may have.
        "unix_socket_directories=".to_owned(),
        format!("max_connections={MAX_CONNECTIONS}"),
        "logging_collector=off".to_owned(),
    ];
    if durability == Durability::Throwaway {
        settings.extend(["fsync=off", "full_page_writes=off", "max_wal_size=4GB"].map(Into::into));
    }
    settings
}

async fn launch(program: &Program, url: &SecretString) -> Result<Process> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut process = Process::start(program.clone())?;
        match process.ready_when(READY_LIMIT, || answers(url)).await {
            Ok(()) => return Ok(process),
            Err(_) if attempt < START_ATTEMPTS && process.id().is_none() => {
                sleep(START_PAUSE).await;
            }
            Err(error) => return Err(error).context("PostgreSQL does not start"),
        }
    }
}

async fn answers(url: &SecretString) -> bool {
    match PgConnection::connect(url.expose_secret()).await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(_) => false,
    }
}
