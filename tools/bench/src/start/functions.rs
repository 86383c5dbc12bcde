//! The functions as they are deployed, and the servers that they need for it.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use local_stack::{Environment, create_queue, ports};
use secrecy::SecretString;

use super::launch::Start;
use super::{Case, Host};
use crate::part::Run;
use crate::queues::Queues;
use crate::system::System;

/// What the image has of certificates. Of this machine's others, functions here read none either.
pub(super) const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
const BUCKET: &str = "bench";
/// Deliveries of a message.
const DELIVERIES: u8 = 10;

/// Everything that functions start on.
pub(super) struct Servers {
    pub(super) system: System,
    pub(super) queue_server: SocketAddr,
    queue_url: String,
    standard_url: String,
    _queues: Queues,
}

impl Servers {
    pub(super) async fn start(run: &Run) -> Result<Self> {
        let system = System::start(&run.bin_dir, &run.services).await?;
        let queues = Queues::start(&system.functions).await?;
        let address = queues.endpoint.trim_start_matches("http://").parse();
        Ok(Self {
            system,
            queue_server: address.context("where the queues are")?,
            queue_url: queues.create("start").await?,
            standard_url: create_queue(&queues.client, "start", DELIVERIES).await?.url,
            _queues: queues,
        })
    }

    /// How a function is started, and where it listens for requests and for probes.
    pub(super) fn function(&self, run: &Run, name: &str) -> Result<(Start, SocketAddr)> {
        let health = ports::loopback(ports::free(None)?);
        let queue = if name == "attachment-worker" { &self.standard_url } else { &self.queue_url };
        let environment = self
            .system
            .environment(self.login(name))?
            .with("AWS_ENDPOINT_URL", format!("http://{}", self.queue_server))
            .with("HTTP_ADDR", ports::loopback(ports::free(None)?).to_string())
            .with("HEALTH_ADDR", health.to_string())
            .with("QUEUE_URL", queue)
            .with("FACT_QUEUE_URLS", &self.queue_url)
            .with("ATTACHMENT_BUCKET", BUCKET)
            .with("CLAIM_CHECK_BUCKET", BUCKET);
        let environment = as_in_the_image(environment);
        let (executable, arguments) = (run.bin_dir.join("task-app"), vec![name.to_owned()]);
        Ok((Start { executable, arguments, environment }, health))
    }

    fn login(&self, name: &str) -> &SecretString {
        let database = &self.system.database;
        match name {
            "task-reader" => &database.reader_url,
            "outbox-relay" => &database.relay_url,
            "attachment-worker" => &database.attachments_url,
            _ => &database.writer_url,
        }
    }
}

/// The empty program that a function is measured beside, and where it listens.
pub(super) fn empty(run: &Run, case: Case) -> Result<(Start, SocketAddr)> {
    let address = ports::loopback(ports::free(None)?);
    let (executable, arguments) = match case.host {
        Host::Pod => ("empty-http", vec![address.to_string()]),
        Host::Lambda => ("empty-lambda", Vec::new()),
    };
    let executable = run.bin_dir.join(executable);
    Ok((Start { executable, arguments, environment: Environment::default() }, address))
}

fn as_in_the_image(environment: Environment) -> Environment {
    let one_file = Path::new(CERTIFICATES).exists();
    if one_file { environment.with("SSL_CERT_FILE", CERTIFICATES) } else { environment }
}
