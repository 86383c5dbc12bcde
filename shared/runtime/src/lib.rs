//! The harness of a function: write a handler, and this crate gives it a process.
//!
//! A function is a small binary that serves HTTP, consumes a queue, or does a job. What surrounds
//! that is the same every time, and is here: configuration, logs, metrics, health, limits, and a
//! shutdown that loses nothing. The crate knows nothing of what its handlers are about.
//!
//! # A consumer
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use runtime::{
//!     Function, Service,
//!     sqs::{self, BatchHandler, Record, Reject, Verdict},
//! };
//!
//! struct Count;
//!
//! impl BatchHandler for Count {
//!     type Message = u64;
//!
//!     fn decode(&self, record: &Record) -> Result<u64, Reject> {
//!         record.body().parse().map_err(|_| Reject::new("not_a_number", "expected digits"))
//!     }
//!
//!     async fn handle(&self, batch: Vec<u64>) -> Vec<Verdict> {
//!         batch.iter().map(|_| Verdict::Ack).collect()
//!     }
//! }
//!
//! async fn wire(queue: sqs::Config, service: Service) -> anyhow::Result<Service> {
//!     service.sqs(queue, Count).await
//! }
//!
//! fn main() -> ExitCode {
//!     Function::new(env!("CARGO_PKG_NAME"), "Counts what it is sent").run(wire)
//! }
//! ```
//!
//! `wire` takes any [`clap::Args`]: flatten [`sqs::Config`], [`http::Config`] and the
//! configurations of your own crates into one struct, and `--help` lists every setting with its
//! environment variable. (A struct that others flatten needs `#[group(skip)]`: clap names a group
//! after each struct, and two that are called `Config` would clash.)
//!
//! ```no_run
//! use runtime::{Service, http};
//!
//! #[derive(clap::Args)]
//! struct Config {
//!     #[command(flatten)]
//!     http: http::Config,
//!     /// Whom to greet
//!     #[arg(long, env = "GREETED")]
//!     greeted: String,
//! }
//!
//! async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
//!     let greeting = format!("Hello, {}!", config.greeted);
//!     let router = axum::Router::new().route("/", axum::routing::get(move || async { greeting }));
//!     service.ready_when("nothing", || async { anyhow::Ok(()) }).http(config.http, router).await
//! }
//! ```
//!
//! # What becomes of a message
//!
//! | verdict | what happens |
//! |---|---|
//! | [`Ack`](sqs::Verdict::Ack) | deleted |
//! | [`Retry`](sqs::Verdict::Retry) | handed out again after a backoff with full jitter, or the wait that it asks for; on the last delivery that the queue allows, rejected |
//! | [`Reject`](sqs::Verdict::Reject) | copied to the dead-letter queue with its reason, then deleted |
//!
//! A panic, a timeout or a wrong number of verdicts retries its batch and no other. In a FIFO queue
//! whatever follows a retried message in its group is handed out again after it. A dead letter has
//! the original body and attributes, and two more: `DeadLetterReason`, the reason's code, and
//! `DeadLetter`, a JSON object with `reason`, `detail`, `handler`, `attempts`, `first_received_at`,
//! `failed_at`, `message_id` and `queue`.
//!
//! Delivery is at least once, always: make the effect idempotent.
//!
//! # Health and shutdown
//!
//! `/livez` fails if a poller has stopped turning, `/readyz` while draining or while a dependency
//! declared by [`Service::ready_when`] is down, `/metrics` has the [`metrics`]; all three are on
//! `HEALTH_ADDR`. SIGTERM or SIGINT drains: no new work, running work finishes, unstarted messages
//! are given back. After `DRAIN_TIMEOUT_SECONDS`, or at a second signal, the rest is cut off. See
//! [`Function::run`] for the exit codes.

pub mod aws;
mod clock;
mod function;
mod health;
pub mod http;
pub mod metrics;
mod panics;
mod service;
mod settings;
mod shutdown;
pub mod sqs;
mod supervisor;
mod telemetry;

pub use clock::{Clock, SystemClock};
pub use function::Function;
pub use service::Service;
