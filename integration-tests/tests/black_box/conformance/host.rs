//! The scripted function, in either host.

use std::process::ExitStatus;
use std::time::Duration;

use fake_lambda::LambdaApi;
use local_stack::{Environment, Function};

use super::fixture::Fixture;
use crate::support::event_source_mapping::Mapping;
use crate::support::system::{PATIENCE, binary};

/// Its name, and its log's.
pub(crate) const NAME: &str = "scripted-handler";

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Host {
    Pod,
    Lambda,
}

/// A function that runs, and what feeds it if it is a Lambda.
pub(crate) struct Running {
    host: Host,
    environment: Environment,
    function: Function,
    _mapping: Option<Mapping>,
}

impl Host {
    /// Starts the function. `limit` is how long a handler may take: in a pod its own setting, in a
    /// Lambda the function's timeout.
    pub(crate) async fn start(
        self,
        fixture: &Fixture,
        settings: &[(&str, &str)],
        limit: Duration,
    ) -> Running {
        let add = |all: Environment, (name, value): &(&str, &str)| all.with(name, value);
        let environment = settings.iter().fold(fixture.environment(), add);
        match self {
            Self::Pod => {
                let limit = limit.as_secs().to_string();
                let environment = environment.with("HANDLER_TIMEOUT_SECONDS", limit);
                Running::start(self, fixture, environment).await
            }
            Self::Lambda => {
                let api = LambdaApi::start().await;
                let lambda = api.environment();
                let lambda = lambda.iter().map(|(name, value)| (*name, value.as_str()));
                let environment = lambda.fold(environment, |all, setting| add(all, &setting));
                let running = Running::start(self, fixture, environment).await;
                let (sqs, url) = (fixture.system.sqs.clone(), fixture.system.queue.url.clone());
                let mapping = Mapping::start(sqs, url, api, limit);
                Running { _mapping: Some(mapping), ..running }
            }
        }
    }
}

impl Running {
    async fn start(host: Host, fixture: &Fixture, environment: Environment) -> Self {
        let function = launch(host, fixture, &environment).await;
        Self { host, environment, function, _mapping: None }
    }

    /// Asks the function to drain, and waits for its end.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.function.stop().await.expect("an end")
    }

    /// Starts the function again.
    pub(crate) async fn restart(&mut self, fixture: &Fixture) {
        self.function = launch(self.host, fixture, &self.environment).await;
    }

    pub(crate) fn health_url(&self, path: &str) -> String {
        self.function.health_url(path)
    }
}

async fn launch(host: Host, fixture: &Fixture, environment: &Environment) -> Function {
    let binary = binary(&format!("examples/{NAME}"));
    let started = Function::start(&binary, NAME, environment, &fixture.system.state);
    let mut function = started.expect("a process");
    match host {
        Host::Pod => function.ready(PATIENCE).await.expect("a function that is ready"),
        Host::Lambda => {
            fixture.system.logged(NAME, |line| line["message"] == "consuming").await;
        }
    }
    function
}
