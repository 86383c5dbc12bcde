//! What a function is made of: the parts that run and the dependencies that make it ready.

use std::{pin::Pin, sync::Arc, time::Duration};

use anyhow::ensure;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{
    Host, SystemClock, aws,
    health::Health,
    http, lambda,
    shutdown::Stop,
    sqs::{self, AwsQueue, BatchHandler, Consumer, LambdaConsumer, Parts, Queue as _},
};

/// A wiring list. `wire` is given an empty one and returns it filled.
#[must_use]
pub struct Service {
    pub(crate) name: &'static str,
    host: Host,
    pub(crate) parts: Vec<Part>,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
    /// What is still running when a drain is over is cut off, and lets go of what it holds.
    pub(crate) cut_off: CancellationToken,
    /// Cancelled with `shutdown` if no load balancer has to notice.
    pub(crate) at_once: CancellationToken,
    /// What a drain should wait for, at least.
    pub(crate) longest_work: Duration,
    /// What the shutdown of HTTP takes, at most.
    pub(crate) http_shutdown: Duration,
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
    /// When it is cancelled; ending earlier is a failure.
    Server,
    /// When its work is done.
    Job,
}

impl Service {
    pub(crate) fn new(name: &'static str, host: Host) -> Self {
        let shutdown = CancellationToken::new();
        Self {
            name,
            host,
            parts: Vec::new(),
            health: Health::new(shutdown.clone()),
            shutdown,
            cut_off: CancellationToken::new(),
            at_once: CancellationToken::new(),
            longest_work: Duration::ZERO,
            http_shutdown: Duration::ZERO,
        }
    }

    /// Where the function runs: a Lambda serves one event at a time, and needs but one connection of
    /// a pool.
    #[must_use]
    pub fn host(&self) -> Host {
        self.host
    }

    /// Declares a dependency: `/readyz` is 503 while `check` fails or takes more than two seconds, and
    /// a consumer whose circuit breaker is open takes no work until it passes.
    ///
    /// The check should see what the handler would meet: of a database that is written to, whether it
    /// can be. It runs at every readiness probe, so it should be as cheap as a ping. Nobody probes a
    /// Lambda, but a handler that is cut off there has its dependencies checked, too.
    ///
    /// What only some of the work needs should not make the function unready: see
    /// [`depends_on`](Self::depends_on).
    pub fn ready_when<E, F>(
        self,
        dependency: &'static str,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        E: Into<anyhow::Error>,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.health.dependencies().declare(dependency, true, check);
        self
    }

    /// Declares a dependency of a consumer that its readiness does not need: while its circuit breaker
    /// is open it takes no work until `check` passes. As [`ready_when`](Self::ready_when) otherwise.
    pub fn depends_on<E, F>(
        self,
        dependency: &'static str,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        E: Into<anyhow::Error>,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.health.dependencies().declare(dependency, false, check);
        self
    }

    /// Serves `router` behind the limits, logs and metrics of [`http`]: in a pod on `HTTP_ADDR`, and
    /// fails if the port is taken; in a Lambda to API Gateway, load balancers and function URLs.
    pub async fn http(
        mut self,
        config: http::Config,
        router: axum::Router,
    ) -> anyhow::Result<Self> {
        let router = http::harden(router, &config);
        if self.host == Host::Lambda {
            let (is_binary, shutdown) = (config.http_rest_api_is_binary, self.shutdown.clone());
            self.add("http", Kind::Server, lambda::http::serve(router, is_binary, shutdown));
            return Ok(self);
        }
        self.http_shutdown = self.http_shutdown.max(config.shutdown());
        let listener = http::bind(config.http_addr, "HTTP_ADDR").await?;
        info!(address = %listener.local_addr()?, "serving HTTP");
        let serve = http::serve(listener, router, config.limits(), self.stop());
        self.add("http", Kind::Server, async {
            serve.await;
            Ok(())
        });
        Ok(self)
    }

    /// Consumes a queue with `handler`: in a pod by polling it, in a Lambda by what an event source
    /// mapping brings.
    ///
    /// Reads the queue's attributes first, and fails if the configuration contradicts itself, the queue
    /// cannot be reached, it has no dead-letter queue, or, in a Lambda, its visibility timeout is shorter
    /// than `HANDLER_TIMEOUT_SECONDS`. A handler that relies on the order of a group's messages has the
    /// configuration [`require_fifo`](sqs::Config::require_fifo).
    pub async fn sqs<H: BatchHandler>(
        mut self,
        config: sqs::Config,
        handler: H,
    ) -> anyhow::Result<Self> {
        config.check()?;
        let client = aws_sdk_sqs::Client::new(&aws::client_config().await);
        let queue = AwsQueue::open(client, &config, self.host).await?;
        info!(queue = config.queue_url, "consuming");
        let (clock, dependencies) = (Arc::new(SystemClock), self.health.dependencies().clone());
        queue.claim_checks().declare(&dependencies);
        let parts = Parts {
            queue,
            handler,
            config: &config,
            name: self.name,
            clock,
            dependencies,
            random: rand::make_rng(),
        };
        if self.host == Host::Lambda {
            let consumer = LambdaConsumer::new(parts);
            self.add("sqs", Kind::Server, lambda::sqs::serve(consumer, self.shutdown.clone()));
            return Ok(self);
        }
        let consumer = Consumer::new(parts);
        for pulse in consumer.pulses() {
            self.health.watch(pulse);
        }
        self.longest_work = self.longest_work.max(config.handler_timeout());
        let stop = self.stop();
        self.add("sqs", Kind::Server, consumer.run(stop));
        Ok(self)
    }

    /// Runs `job` to completion: in a pod once, in a Lambda at each invocation, whatever the event
    /// (a schedule's, say).
    ///
    /// When a pod's last job has ended, whatever else runs is drained and the process ends. A service
    /// of jobs alone opens no health port: nobody probes what ends.
    pub fn job<F>(mut self, job: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        match self.host {
            Host::Pod => self.add("job", Kind::Job, async move { job().await }),
            Host::Lambda => {
                let job = move |_| job();
                self.add("job", Kind::Server, lambda::job::serve(job, self.shutdown.clone()));
            }
        }
        self
    }

    /// Runs `work` in the background until its token is cancelled: in a pod for as long as the pod
    /// lives, and ending earlier is a failure; in a Lambda at each invocation, whatever the event (a
    /// schedule's, say), until a while before the invocation's deadline, and it may end earlier.
    /// [`host`](Self::host) says which. Once cancelled, it must end within the drain timeout.
    pub fn background<F>(
        mut self,
        name: &'static str,
        work: impl Fn(CancellationToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        if self.host == Host::Pod {
            self.add(name, Kind::Server, async move { work(shutdown).await });
            return self;
        }
        let stop = shutdown.clone();
        let job = move |deadline| {
            let stop = stop.child_token();
            lambda::job::stop_before(deadline, work(stop.clone()), stop)
        };
        self.add(name, Kind::Server, lambda::job::serve(job, shutdown));
        self
    }

    fn stop(&self) -> Stop {
        Stop {
            draining: self.shutdown.clone(),
            at_once: self.at_once.clone(),
            cut_off: self.cut_off.clone(),
        }
    }

    /// What the wiring must have come to: at least one part, and in a Lambda no more, for its
    /// events are of one kind.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let parts = self.parts.len();
        ensure!(parts > 0, "nothing to run: `wire` added no part to the service");
        ensure!(
            self.host == Host::Pod || parts == 1,
            "a Lambda runs exactly one of `http`, `sqs`, `job` and `background`, and `wire` added {parts}: \
             deploy a function for each"
        );
        Ok(())
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
