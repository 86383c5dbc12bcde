//! The page's server, as a process of its own.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use std::process::Output;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::ChildStdout;

use crate::dead_letters::fixture::Fixture;
use crate::dead_letters::tool::Running;

pub(super) struct Server {
    process: Running,
    stdout: BufReader<ChildStdout>,
    /// With the token, as it was printed.
    pub(super) address: String,
    pub(super) url: String,
    pub(super) token: String,
    pub(super) client: Client,
}

impl Server {
    pub(super) async fn start(fixture: &Fixture) -> Self {
        Self::start_at(fixture, &fixture.aws.endpoint).await
    }

    /// The same, which finds SQS at `endpoint`.
    pub(super) async fn start_at(fixture: &Fixture, endpoint: &str) -> Self {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--interval", "5s"];
        Self::start_with(fixture, endpoint, &arguments).await
    }

    pub(super) async fn start_with(fixture: &Fixture, endpoint: &str, arguments: &[&str]) -> Self {
        let mut tool = fixture.command(endpoint, arguments);
        let mut process = tool.kill_on_drop().spawn().expect("a process");
        let mut stdout = BufReader::new(process.stdout.take().expect("its output"));
        let mut line = String::new();
        stdout.read_line(&mut line).await.expect("a line");
        let address = line.trim().to_owned();
        let (url, token) = address.split_once("#token=").expect("an address with a token");
        let (url, token) = (url.to_owned(), token.to_owned());
        Self { process, stdout, url, token, client: Client::new(), address }
    }

    /// A request with the token.
    pub(super) fn request(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub(super) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.request(path).send().await.expect("a response");
        let status = response.status();
        (status, response.json().await.expect("JSON"))
    }

    /// What is read, which must succeed.
    pub(super) async fn read(&self, path: &str) -> Value {
        let (status, value) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {value}");
        value
    }

    /// Ends it as Ctrl-C does.
    pub(super) async fn end(self) -> Output {
        self.end_by(Signal::SIGINT).await
    }

    pub(super) async fn end_by(mut self, signal: Signal) -> Output {
        let id = i32::try_from(self.process.id().expect("it runs")).expect("an id");
        kill(Pid::from_raw(id), signal).expect("a signal");
        self.process.stdout = Some(self.stdout.into_inner());
        self.process.wait_with_output().await.expect("an end")
    }
}
