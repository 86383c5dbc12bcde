//! What a function is made of: the parts that run and the dependencies that make it ready.

use std::{pin::Pin, sync::Arc};

use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{
    SystemClock, aws,
    health::Health,
    http,
    sqs::{self, AwsQueue, BatchHandler, Consumer},
};

/// A wiring list. `wire` is given an empty one and returns it filled.
#[must_use]
pub struct Service {
    pub(crate) name: &'static str,
    pub(crate) parts: Vec<Part>,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
}

/// Something that runs until shutdown ([`Kind::Server`]) or until its work is done ([`Kind::Job`]).
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) run: Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>,
}

/// When a part is meant to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// When it is told to; ending earlier is a failure.
    Server,
    /// When its work is done.
    Job,
}

impl Service {
    pub(crate) fn new(name: &'static str) -> Self {
        let shutdown = CancellationToken::new();
        Self { name, parts: Vec::new(), health: Health::new(shutdown.clone()), shutdown }
    }

    /// Declares a dependency: `/readyz` is 503 while `check` fails or takes more than two seconds.
    ///
    /// The check runs at every probe, so it should be as cheap as a ping.
    pub fn ready_when<E, F>(
        mut self,
        dependency: &'static str,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        E: Into<anyhow::Error>,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.health.check(dependency, check);
        self
    }

    /// Serves `router` behind the limits, logs and metrics of [`http`]. Fails if the port is taken.
    pub async fn http(
        mut self,
        config: http::Config,
        router: axum::Router,
    ) -> anyhow::Result<Self> {
        let listener = http::bind(config.http_addr, "HTTP_ADDR").await?;
        info!(address = %listener.local_addr()?, "serving HTTP");
        let router = http::harden(router, &config);
        let serve = http::serve(listener, router, config.limits(), self.shutdown.clone());
        self.add("http", Kind::Server, async {
            serve.await;
            Ok(())
        });
        Ok(self)
    }

    /// Consumes a queue with `handler`.
    ///
    /// Reads the queue's facts first, and fails if the configuration contradicts itself, the queue
    /// cannot be reached, or it has no dead-letter queue.
    pub async fn sqs<H: BatchHandler>(
        mut self,
        config: sqs::Config,
        handler: H,
    ) -> anyhow::Result<Self> {
        config.check()?;
        let client = aws_sdk_sqs::Client::new(&aws::client_config().await);
        let queue = AwsQueue::open(client, &config).await?;
        info!(queue = config.queue_url, "consuming");
        let consumer = Consumer::new(queue, handler, &config, self.name, Arc::new(SystemClock));
        for pulse in consumer.pulses() {
            self.health.watch(pulse);
        }
        self.add("sqs", Kind::Server, consumer.run(self.shutdown.clone()));
        Ok(self)
    }

    /// Runs `job` to completion; when the last job has ended, whatever else runs is drained and the
    /// process ends. A service of jobs alone opens no health port: nobody probes what ends.
    pub fn job(mut self, job: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> Self {
        self.add("job", Kind::Job, job);
        self
    }

    pub(crate) fn add(
        &mut self,
        name: &'static str,
        kind: Kind,
        run: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.parts.push(Part { name, kind, run: Box::pin(run) });
    }
}
