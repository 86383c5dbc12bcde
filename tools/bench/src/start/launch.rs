//! A start: a process from before it exists to the first sign of its work.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use fake_lambda::LambdaApi;
use local_stack::{Environment, Process, Program, State};
use tokio::task::spawn_blocking;

use super::watch::Watch;

/// No start may take longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two attempts to connect: what a measured time may be too long by.
const BETWEEN: Duration = Duration::from_micros(100);
const ANSWER: Duration = Duration::from_secs(3);

/// What is waited for.
#[derive(Clone, Copy)]
pub(super) enum Sign<'a> {
    /// A path of an address is answered with 200.
    Answers(SocketAddr, &'static str),
    /// It asks a queue for messages, by this way.
    Polls(&'a Watch),
    /// It asks the Lambda Runtime API for an invocation, which so many have done with this one.
    AsksNext(&'a LambdaApi, usize),
}

/// A program to start.
pub(super) struct Start {
    pub(super) executable: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Environment,
}

impl Start {
    /// Starts it, waits for the sign, and says how long both took. The process runs on.
    pub(super) async fn until(&self, sign: Sign<'_>, state: &State) -> Result<(Duration, Process)> {
        let name = self.arguments.first().map_or("start", String::as_str);
        let mut program = Program::new(name, &self.executable, state.path());
        program.arguments = self.arguments.iter().map(Into::into).collect();
        program.environment = program.environment.and(&self.environment).and(&sign.environment());
        program.log = Some(state.log("start"));
        let begin = Instant::now();
        let mut process = Process::start(program)?;
        tokio::select! {
            seen = sign.wait() => return Ok((seen?.duration_since(begin), process)),
            ended = process.wait() => { ended?; }
            () = tokio::time::sleep(PATIENCE) => {}
        }
        process.assert_runs()?;
        bail!("{name} gives no sign of its work within {PATIENCE:?}")
    }

    /// The same, ended at once.
    pub(super) async fn time(&self, sign: Sign<'_>, state: &State) -> Result<Duration> {
        let (time, mut process) = self.until(sign, state).await?;
        process.kill().await?;
        Ok(time)
    }
}

impl Sign<'_> {
    /// What the program needs for it.
    fn environment(self) -> Environment {
        let none = Environment::default();
        match self {
            Self::Polls(watch) => {
                none.with("AWS_ENDPOINT_URL", format!("http://{}", watch.address))
            }
            Self::AsksNext(..) | Self::Answers(..) => none,
        }
    }

    /// When it is seen.
    async fn wait(self) -> Result<Instant> {
        match self {
            Self::Answers(address, path) => spawn_blocking(move || answers(address, path)).await?,
            Self::Polls(watch) => watch.first().await,
            Self::AsksNext(api, times) => {
                api.fetches(times).await;
                Ok(Instant::now())
            }
        }
    }
}

/// Connects until somebody listens, and asks until the answer is 200.
fn answers(address: SocketAddr, path: &str) -> Result<Instant> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        // Nobody listens yet, or what listens is not ready yet.
        if TcpStream::connect(address).is_ok_and(|connection| is_ok(connection, path)) {
            return Ok(Instant::now());
        }
        pause();
    }
    bail!("nothing answers on {address} within {PATIENCE:?}")
}

fn is_ok(mut connection: TcpStream, path: &str) -> bool {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut status = [0; 12];
    let asked = connection
        .set_read_timeout(Some(ANSWER))
        .and_then(|()| connection.write_all(request.as_bytes()))
        .and_then(|()| connection.read_exact(&mut status));
    asked.is_ok() && status == *b"HTTP/1.1 200"
}

#[expect(clippy::disallowed_methods, reason = "a thread of its own: tokio counts milliseconds")]
fn pause() {
    std::thread::sleep(BETWEEN);
}
