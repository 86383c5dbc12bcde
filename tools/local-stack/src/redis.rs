//! A private Redis: own port on the loopback interface, a random password, nothing on disk,
//! since the cache may be lost at any time.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;

use crate::ports::loopback;
use crate::process::{Process, Program};
use crate::state::{State, write_private};

/// The server program, found by `PATH`.
pub(crate) const EXECUTABLE: &str = "redis-server";

const READY_LIMIT: Duration = Duration::from_secs(20);
const MAX_MEMORY: &str = "256mb";

/// How many databases it has, so that each of many tests may have one.
pub const DATABASES: u32 = 8_192;

/// The server; dropping it kills it.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    program: Program,
    port: u16,
    url: SecretString,
}

impl Redis {
    /// Starts an empty server and returns when it accepts connections. Must be called from a
    /// thread that lives as long as the server shall.
    pub async fn start(state: &State) -> Result<Self> {
        Self::start_with(state, "").await
    }

    /// Starts an empty node of a cluster, which knows no others yet; otherwise as [`start`](Self::start).
    pub async fn start_cluster_node(state: &State) -> Result<Self> {
        let bus = state.port("redis-bus")?;
        let settings =
            format!("cluster-enabled yes\ncluster-port {bus}\ncluster-node-timeout 1000\n");
        Self::start_with(state, &settings).await
    }

    async fn start_with(state: &State, settings: &str) -> Result<Self> {
        let password = state.secret("redis")?;
        let port = state.port("redis")?;
        let program = program(state, port, &password, settings)?;
        let url = format!("redis://default:{}@127.0.0.1:{port}", password.expose_secret()).into();
        let process = launch(&program, port).await?;
        Ok(Self { process, program, port, url })
    }

    /// Its URL, with the password.
    #[must_use]
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// The process, to watch it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Stops the server; what it held is gone.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.stop().await
    }

    /// Ends the server as a crash would.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill().await
    }

    /// Stops the server, if it still runs, and starts it again, empty, on the same port.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.process = launch(&self.program, self.port).await?;
        Ok(())
    }
}

fn program(state: &State, port: u16, password: &SecretString, further: &str) -> Result<Program> {
    let password = password.expose_secret();
    let settings = format!(
        "bind 127.0.0.1\nport {port}\ndatabases {DATABASES}\nrequirepass {password}\n\
         masterauth {password}\nsave \"\"\nappendonly no\nmaxmemory {MAX_MEMORY}\n\
         maxmemory-policy allkeys-lru\n{further}",
    );
    let file = state.path().join("secrets").join("redis.conf");
    write_private(&file, settings.as_bytes())?;
    let mut program = Program::new("redis", EXECUTABLE, state.path());
    program.log = Some(state.log("redis"));
    program.arguments = vec![file.into()];
    program.abandon_signal = Signal::SIGKILL;
    Ok(program)
}

async fn launch(program: &Program, port: u16) -> Result<Process> {
    let mut process = Process::start(program.clone())?;
    process
        .ready_when(READY_LIMIT, || async move { TcpStream::connect(loopback(port)).await.is_ok() })
        .await
        .context("Redis does not start")?;
    Ok(process)
}
