//! A private AWS-compatible server. The rest of the system knows it only as
//! `AWS_ENDPOINT_URL`.

use std::time::Duration;

use anyhow::Result;
use futures::FutureExt as _;
use reqwest::RequestBuilder;

use crate::environment::Environment;
use crate::install::ministack;
use crate::ports::loopback;
use crate::process::Program;
use crate::server::{Launch, Server};
use crate::state::State;

/// The access key id and the secret access key that the server verifies signatures with.
pub(crate) const CREDENTIAL: &str = "test";

const READY_LIMIT: Duration = Duration::from_secs(30);
/// It writes its state at SIGTERM, and only then.
const STOP_LIMIT: Duration = Duration::from_secs(20);

impl Server {
    /// Starts an AWS-compatible server on `port`. It remembers its queues from a start to the next
    /// if it was stopped well: create what is missing.
    pub async fn aws(state: &State, port: u16) -> Result<Self> {
        let endpoint = format!("http://{}", loopback(port));
        let client = reqwest::Client::builder().timeout(Duration::from_secs(1)).build()?;
        let health = format!("{endpoint}/_ministack/health");
        let launch = Launch {
            title: "the AWS-compatible server",
            program: program(state, port),
            limit: READY_LIMIT,
            attempts: 1,
            ready: Box::new(move || healthy(client.get(&health)).boxed()),
        };
        Self::start(launch, endpoint.into()).await
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

async fn healthy(request: RequestBuilder) -> bool {
    request.send().await.is_ok_and(|response| response.status().is_success())
}
