//! A system of the run's own: a database with tasks, an issuer, and what starts programs on them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use local_stack::{ALL_SCOPES, AUDIENCE, Environment, Issuer, Program, TestDatabase, ports};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::functions::{Functions, PATIENCE};
use crate::servers::{Server, listening};

pub(crate) const TENANT: &str = "bench";
/// Tasks of the tenant.
const TASKS: usize = 1_000;
/// Of one request.
const BATCH: usize = 100;
/// Requests are counted, and none is refused.
const LIMITS: [(&str, &str); 6] = [
    ("RATE_LIMIT_READ_PER_MINUTE", "10000000"),
    ("RATE_LIMIT_READ_BURST", "1000000"),
    ("RATE_LIMIT_LIST_PER_MINUTE", "10000000"),
    ("RATE_LIMIT_LIST_BURST", "1000000"),
    ("RATE_LIMIT_BULK_PER_MINUTE", "10000000"),
    ("RATE_LIMIT_BULK_BURST", "1000000"),
];

/// What ours is measured beside, besides programs that do the least.
#[derive(Clone, Copy)]
pub(crate) enum Service {
    /// In JavaScript, with ioredis.
    Fastify,
    /// In Python, with redis-py.
    FastApi,
}

pub(crate) struct System {
    pub(crate) functions: Functions,
    services: PathBuf,
    pub(crate) database: TestDatabase,
    issuer: Issuer,
    client: reqwest::Client,
    /// A task of the tenant.
    pub(crate) task: String,
}

impl System {
    /// With a tenant that has some tasks.
    pub(crate) async fn start(bin_dir: &Path, services: &Path) -> Result<Self> {
        let functions = Functions::of(bin_dir)?;
        let issuer = Issuer::create(&functions.state)?;
        issuer.serve().await?;
        let mut system = Self {
            services: std::path::absolute(services)?,
            database: TestDatabase::create().await?,
            issuer,
            functions,
            client: reqwest::Client::builder().timeout(PATIENCE).build()?,
            task: String::new(),
        };
        system.task = system.fill().await?;
        Ok(system)
    }

    /// Creates the tasks; returns the last one.
    async fn fill(&self) -> Result<String> {
        let (url, writer) = self.function("task-writer", &self.database.writer_url, &[]).await?;
        let mut last = None;
        for batch in 0..TASKS / BATCH {
            let tasks: Vec<_> = (0..BATCH)
                .map(|number| json!({ "title": format!("Water plant {number} of room {batch}"), "tags": ["home"] }))
                .collect();
            let request = self.client.post(format!("{url}/v1/tasks/batch"));
            let request = request.bearer_auth(self.token()?).json(&json!({ "tasks": tasks }));
            let answer: Value = request.send().await?.error_for_status()?.json().await?;
            last = answer.pointer("/results/0/task/id").and_then(Value::as_str).map(str::to_owned);
            ensure!(last.is_some(), "a batch was answered without an identifier");
        }
        drop(writer);
        last.context("no task was created")
    }

    /// A token of the tenant, for as long as a run may take.
    pub(crate) fn token(&self) -> Result<String> {
        let token = self.issuer.token(TENANT, ALL_SCOPES, Duration::from_hours(12))?;
        Ok(token.expose_secret().to_owned())
    }

    /// A reader as it is deployed, with further settings.
    pub(crate) async fn reader(&self, settings: &[(&str, &str)]) -> Result<(String, Server)> {
        self.function("task-reader", &self.database.reader_url, settings).await
    }

    /// What a function is deployed with that logs in to a database in this way.
    pub(crate) fn environment(&self, login: &SecretString) -> Result<Environment> {
        let common = self.functions.environment();
        Ok(LIMITS
            .iter()
            .fold(common, |all, (name, value)| all.with(name, value))
            .with("AUTH_ISSUER", self.issuer.url())
            .with("AUTH_AUDIENCE", AUDIENCE)
            .with("AUTH_JWKS_URL", self.issuer.jwks_url())
            .with("HISTORY_TABLE", "bench-history")
            .with("OPERATIONS_TABLE", "bench-operations")
            .with(
                "COMMAND_QUEUE_URL",
                format!("{}/000000000000/bench.fifo", self.functions.aws.endpoint),
            )
            .with_secret("DATABASE_URL", login)
            .with_secret("CURSOR_KEY", &self.functions.state.secret("cursor-key")?))
    }

    /// A function that listens, as it is deployed, with further settings.
    pub(crate) async fn function(
        &self,
        name: &str,
        login: &SecretString,
        settings: &[(&str, &str)],
    ) -> Result<(String, Server)> {
        let address = ports::loopback(ports::free(None)?);
        let add = |all: Environment, (name, value): &(&str, &str)| all.with(name, value);
        let environment = self.environment(login)?.with("HTTP_ADDR", address.to_string());
        let environment = settings.iter().fold(environment, add);
        let server = self.functions.start(name, name, &environment).await?;
        Ok((format!("http://{address}"), server))
    }

    /// Another program, with arguments.
    pub(crate) async fn peer(&self, arguments: &[&str]) -> Result<(String, Server)> {
        let address = ports::loopback(ports::free(None)?);
        let executable = self.functions.bin_dir.join("peers");
        let mut program = Program::new("peer", executable, self.functions.folder());
        let listen = ["--listen".to_owned(), address.to_string()];
        let arguments = arguments.iter().map(|it| (*it).to_owned());
        program.arguments = listen.into_iter().chain(arguments).map(Into::into).collect();
        program.environment =
            program.environment.with_secret("DATABASE_URL", &self.database.owner_url);
        self.peer_at(program, address).await
    }

    /// A service as others would write it, which answers with the content of a file.
    pub(crate) async fn service(&self, service: Service, body: &str) -> Result<(String, Server)> {
        let address = ports::loopback(ports::free(None)?);
        let port = address.port().to_string();
        let (executable, folder, arguments) = match service {
            Service::Fastify => ("node".into(), self.services.join("fastify"), vec!["server.js"]),
            Service::FastApi => {
                let folder = self.services.join("fastapi");
                let listen = vec!["server:app", "--host", "127.0.0.1", "--port", &port];
                (folder.join("bin/uvicorn"), folder, listen)
            }
        };
        let mut program = Program::new("peer", executable, &folder);
        program.arguments = arguments.into_iter().map(Into::into).collect();
        program.environment = program
            .environment
            .with("BODY", body)
            .with("PORT", &port)
            .with("AUTH_ISSUER", self.issuer.url())
            .with("AUTH_AUDIENCE", AUDIENCE)
            .with("AUTH_JWKS_URL", self.issuer.jwks_url());
        self.peer_at(program, address).await
    }

    async fn peer_at(&self, mut program: Program, address: SocketAddr) -> Result<(String, Server)> {
        let redis_url = &self.functions.redis_url;
        program.environment = program.environment.with_secret("REDIS_URL", redis_url);
        program.log = Some(self.functions.state.log("peer"));
        Ok((format!("http://{address}"), listening(program, address).await?))
    }

    /// Writes a file for a peer; returns its path.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> Result<String> {
        let path = self.functions.folder().join(name);
        std::fs::write(&path, content)?;
        path.to_str().map(str::to_owned).context("a folder whose path is text")
    }

    /// What is answered to a GET.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>> {
        let request = self.client.get(url).bearer_auth(self.token()?);
        Ok(request.send().await?.error_for_status()?.bytes().await?.into())
    }
}
