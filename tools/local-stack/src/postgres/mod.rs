//! A private PostgreSQL server: own data folder, own port on the loopback interface, one
//! superuser with a random password, no Unix socket.

mod binaries;
mod cluster;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use futures::FutureExt as _;
use nix::sys::signal::Signal;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection as _, PgConnection};

pub(crate) use binaries::is_installed;

use crate::process::Program;
use crate::server::{Launch, Server};
use crate::state::State;

const USER: &str = "postgres";
const READY_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(20);
const MAX_CONNECTIONS: u16 = 300;
/// A killed server's workers hold its shared memory for a moment, which refuses the next start.
const START_ATTEMPTS: u32 = 10;

/// What may be lost when the machine stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed: PostgreSQL's defaults.
    Durable,
    /// Everything: the data is deleted after use. A crash of the server alone loses nothing.
    Throwaway,
}

impl Server {
    /// Starts the PostgreSQL of `state`, whose data it creates at the first start.
    pub async fn postgres(state: &State, durability: Durability) -> Result<Self> {
        Self::postgres_of(state, durability, None).await
    }

    /// As [`Self::postgres`], by the programs of that folder.
    pub async fn postgres_of(
        state: &State,
        durability: Durability,
        binaries: Option<&Path>,
    ) -> Result<Self> {
        let password = state.secret("postgres")?;
        let cluster = cluster::prepare(state, &password, binaries).await?;
        let port = state.port("postgres")?;
        let password = password.expose_secret();
        let url =
            SecretString::from(format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres"));
        let checked = url.clone();
        let launch = Launch {
            title: "PostgreSQL",
            program: program(state, &cluster, port, durability),
            limit: READY_LIMIT,
            attempts: START_ATTEMPTS,
            ready: Box::new(move || answers(checked.clone()).boxed()),
        };
        Self::start(launch, url).await
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
        settings.extend(["fsync=off", "full_page_writes=off", "max_wal_size=1GB"].map(Into::into));
    }
    settings
}

async fn answers(url: SecretString) -> bool {
    match PgConnection::connect(url.expose_secret()).await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(_) => false,
    }
}
