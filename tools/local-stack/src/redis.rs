//! A private Redis: own port on the loopback interface, a random password, nothing on disk,
//! since the cache may be lost at any time.

use std::time::Duration;

use anyhow::Result;
use futures::FutureExt as _;
use nix::sys::signal::Signal;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;

use crate::ports::loopback;
use crate::process::Program;
use crate::server::{Launch, Server};
use crate::state::{State, write_private};

/// The server program, found by `PATH`.
pub(crate) const EXECUTABLE: &str = "redis-server";

const READY_LIMIT: Duration = Duration::from_secs(20);
const MAX_MEMORY: &str = "256mb";

/// How many databases it has, so that each of many tests may have one.
pub const DATABASES: u32 = 8_192;

impl Server {
    /// Starts an empty Redis.
    pub async fn redis(state: &State) -> Result<Self> {
        start(state, "").await
    }

    /// Starts an empty node of a Redis cluster, which knows no others yet.
    pub async fn redis_cluster_node(state: &State) -> Result<Self> {
        let bus = state.port("redis-bus")?;
        let settings =
            format!("cluster-enabled yes\ncluster-port {bus}\ncluster-node-timeout 1000\n");
        start(state, &settings).await
    }
}

async fn start(state: &State, settings: &str) -> Result<Server> {
    let password = state.secret("redis")?;
    let port = state.port("redis")?;
    let url = format!("redis://default:{}@127.0.0.1:{port}", password.expose_secret());
    let launch = Launch {
        title: "Redis",
        program: program(state, port, &password, settings)?,
        limit: READY_LIMIT,
        attempts: 1,
        ready: Box::new(move || accepts_connections(port).boxed()),
    };
    Server::start(launch, url.into()).await
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

async fn accepts_connections(port: u16) -> bool {
    TcpStream::connect(loopback(port)).await.is_ok()
}
