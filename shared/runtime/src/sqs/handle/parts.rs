//! What a consumer is made of, in a pod and in a Lambda.

use std::sync::Arc;

use rand::rngs::SmallRng;

use crate::{
    Clock, Host,
    backoff::Jitter,
    health::Dependencies,
    metrics,
    sqs::{
        BatchHandler, Config,
        handle::worker::Worker,
        queue::Queue,
        receive::circuit_breaker::CircuitBreaker,
        settle::{
            Settler,
            backoff::{Backoff, Unavailable},
        },
    },
};

/// What a consumer is made of.
pub(crate) struct Parts<'a, H, Q> {
    pub(crate) queue: Q,
    pub(crate) handler: H,
    pub(crate) config: &'a Config,
    /// The function's name: dead letters have it.
    pub(crate) name: &'static str,
    pub(crate) clock: Arc<dyn Clock>,
    /// What the circuit breaker checks.
    pub(crate) dependencies: Dependencies,
    /// For all that is chosen by chance.
    pub(crate) random: SmallRng,
}

impl<H: BatchHandler, Q: Queue> Parts<'_, H, Q> {
    /// Makes the worker of a consumer on `host`.
    pub(crate) fn worker(self, host: Host) -> Worker<H, Q> {
        let Self { queue, handler, config, name, clock, dependencies, random } = self;
        metrics::begin_queue(queue.attributes().name());
        let jitter = Jitter::new(random);
        let breaker = CircuitBreaker::new(queue.attributes().name(), dependencies, jitter.clone());
        let (unavailable, deletes) = match host {
            Host::Pod => (Unavailable::IN_A_POD, true),
            Host::Lambda => (Unavailable::IN_A_LAMBDA, false),
        };
        let backoff = Backoff::new(config, unavailable, jitter);
        Worker {
            handler: Arc::new(handler),
            settler: Settler { queue: Arc::new(queue), backoff, clock, handler: name, deletes },
            timeout: config.handler_timeout(),
            visibility: config.visibility(),
            retry_window: config.retry_window(),
            breaker: Arc::new(breaker),
        }
    }
}
