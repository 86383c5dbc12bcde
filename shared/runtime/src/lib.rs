//! The harness of a function: write a handler, and this crate gives it a process, as a pod or as a
//! Lambda.
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
//!     sqs::{self, BatchHandler, Delivery, Reject, Verdict},
//! };
//!
//! struct Count;
//!
//! impl BatchHandler for Count {
//!     type Message = u64;
//!
//!     fn decode(&self, delivery: &Delivery) -> Result<u64, Reject> {
//!         delivery.body().parse().map_err(|_| Reject::new("not_a_number", "expected digits"))
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
//! # Two hosts
//!
//! The same binary is a pod and a Lambda. `AWS_LAMBDA_RUNTIME_API`, which Lambda sets, decides;
//! `FUNCTION_HOST` overrules it; [`Service::host`] says which it is. A pod has as many parts as `wire` adds, a
//! Lambda exactly one.
//!
//! | part | pod | Lambda |
//! |---|---|---|
//! | [`http`](Service::http) | listens on `HTTP_ADDR` | answers events of API Gateway (REST and HTTP APIs), application load balancers and function URLs |
//! | [`sqs`](Service::sqs) | polls, extends, deletes | takes an event source mapping's batches and answers which messages failed |
//! | [`job`](Service::job) | runs once, and exits | runs at each invocation |
//! | [`background`](Service::background) | runs until shutdown | runs at each invocation, until it is done or the deadline is near |
//!
//! Requests pass the same middleware, limits and errors, and messages the same decoding, verdicts,
//! backoff and dead-lettering. What differs, and why:
//!
//! | in a Lambda | because |
//! |---|---|
//! | work ends two seconds, or a quarter of the time, before the invocation does, if that is earlier than its own limit | its response must still be sent |
//! | batches are as large as the mapping makes them, and concurrent as it likes: `QUEUE_BATCH_SIZE` and the other settings of polling have no effect | Lambda polls |
//! | no heartbeat; the queue's own visibility timeout must be the function's timeout at least, and AWS advises six times that. One shorter than `HANDLER_TIMEOUT_SECONDS` fails the start | so AWS wants it |
//! | an outage does not stop receiving: each message waits for up to two minutes at a time | a function cannot stop its mapping |
//! | a batch of another queue than `QUEUE_URL` names fails before any of it is handled | its receipt handles and dead letters would go to the wrong queue |
//! | a message is deleted after the answer, by Lambda; what a claim check refers to is never deleted | if the answer is lost, the message comes again and needs it |
//! | a request's name is the client's, else the gateway's, else the invocation's | they have named it |
//! | a response is sent in one piece; the order of differently named query parameters is lost where the event holds them as a map (REST APIs, load balancers); a header sent twice to an HTTP API or function URL arrives joined by a comma | the events are so |
//! | connection limits, their timeouts and the lame-duck period have no effect, `/livez`, `/readyz` and `/metrics` do not exist | nothing listens |
//!
//! The mapping needs `ReportBatchItemFailures`: without it Lambda deletes failed messages. A start that
//! fails is reported to Lambda (`init/error`). An extension without events is registered, for Lambda sends
//! SIGTERM to no other function; a running invocation is finished then.
//!
//! # Verdicts
//!
//! | verdict | what happens |
//! |---|---|
//! | [`Ack`](sqs::Verdict::Ack) | deleted |
//! | [`Retry`](sqs::Verdict::Retry) | handed out again after a backoff with full jitter, or the wait that it names; on the last delivery that the queue allows, rejected |
//! | [`Reject`](sqs::Verdict::Reject) | copied to the dead-letter queue with its reason, then deleted |
//!
//! A panic, a timeout or a wrong number of verdicts retries its batch and no other (of an
//! [`Each`](sqs::Each), a panic or a timeout retries its message and no other). In a FIFO queue
//! whatever follows a retried message in its group is handed out again after it.
//!
//! A message at its last delivery is handled alone, and what follows it in its FIFO group one after
//! the other, in order, once it is done or dead-lettered: a poison message harms no other message.
//! (In a Lambda it may use half of what is left of the invocation while others wait behind it.) A
//! message that was not handled because of a shutdown, a lost visibility or the end of an invocation
//! is handed out again at once and is no dead letter of ours, whatever its delivery. A handler is
//! notified of messages at their last delivery, while the process has them
//! ([`BatchHandler::last_delivery`](sqs::BatchHandler::last_delivery)), and of what goes to the
//! dead-letter queue ([`BatchHandler::dead_lettered`](sqs::BatchHandler::dead_lettered)).
//!
//! A dead letter has the original body and attributes, and two more: `DeadLetterReason`, the reason's code, and
//! `DeadLetter`, a JSON object with `reason`, `detail`, `handler`, `attempts`, `first_received_at`,
//! `failed_at`, `message_id`, `trace_id` (if its sender is known) and `queue`. Attributes beyond the
//! ten that SQS allows are in its `attributes`, and are given back when the message comes again. What
//! the dead-letter queue refuses for its size is sent with less of ours: the detail goes first, then `DeadLetter`, and
//! at last `DeadLetterReason`, whose code then begins the deduplication id (in a standard queue it is
//! the group id). A dead-letter queue with a larger `MaximumMessageSize` has room for all of it.
//!
//! Delivery is at least once, always: make the effect idempotent.
//!
//! # One message at a time
//!
//! A handler of which each message is a matter of its own is simpler as a
//! [`Handler`](sqs::Handler). [`Each`](sqs::Each) runs it: messages side by side, ten for each of
//! `QUEUE_CONCURRENCY` unless configured otherwise, and those of a FIFO group in their order. Each
//! message has `HANDLER_TIMEOUT_SECONDS` of its own and is settled when it is done; the next one is
//! received when there is a place for it, so that what waits costs no delivery.
//!
//! ```no_run
//! use runtime::{
//!     Service,
//!     sqs::{self, Delivery, Each, Handler, Reject, Retry, Verdict},
//! };
//!
//! struct Greet;
//!
//! impl Handler for Greet {
//!     type Message = String;
//!
//!     fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
//!         Ok(delivery.body().to_owned())
//!     }
//!
//!     async fn handle(&self, name: String) -> Verdict {
//!         match greet(&name).await {
//!             Ok(()) => Verdict::Ack,
//!             Err(error) => Retry::unavailable("greeter_unavailable", error.to_string()).into(),
//!         }
//!     }
//! }
//!
//! # async fn greet(_: &str) -> std::io::Result<()> { Ok(()) }
//! async fn wire(queue: sqs::Config, service: Service) -> anyhow::Result<Service> {
//!     service.sqs(queue, Each::new(Greet).at_a_time(20)).await
//! }
//! ```
//!
//! # Long work
//!
//! A message is invisible to others for `QUEUE_VISIBILITY_SECONDS`. While it waits for a handler, and
//! while one has it, a heartbeat renews that at half time: a handler may take `HANDLER_TIMEOUT_SECONDS`
//! even if that is longer. Then it is cut off and its messages are retried. Nothing is renewed beyond
//! SQS's twelve hours from the receive. A heartbeat that fails is tried again; if it fails until others
//! may soon be handed the messages, the handler is cut off then (`visibility_lost`), so that no two
//! have a group. So is a handler that has a message for itself when SQS says that the message is gone;
//! a batch is cut off when all of its messages are gone, and in a FIFO queue when one is, for others
//! may have its group. In a Lambda there is no heartbeat: AWS demands that a queue's visibility timeout
//! is as long as the function's timeout at least.
//!
//! A pod holds no more messages than it has handlers for, and no more bytes of them than
//! `QUEUE_MEMORY_BYTES`: it receives only while there is room for the largest message, 1 MiB.
//!
//! # When a dependency is unavailable
//!
//! A handler says so by [`Retry::unavailable`](sqs::Retry::unavailable), and the function declares
//! its dependencies by [`Service::ready_when`] or [`Service::depends_on`]. Each consumer has a circuit breaker:
//!
//! | state | what happens | it ends when |
//! |---|---|---|
//! | closed | messages are received and handled | a batch of which nothing succeeded has an `unavailable` verdict; or one that is mixed has one, or a handler is cut off at its timeout, and a declared check then fails, or takes more than two seconds |
//! | open | nothing is received or handled; the declared checks run, after one second and then ever rarer, ten seconds apart at most, with jitter | all checks pass |
//! | half-open | one batch is handled | it has no `unavailable` verdict: closed; it has one: open again |
//!
//! What was received is kept meanwhile, invisible to others, and handled again, for six handler
//! timeouts; that costs no delivery. Then it is released, for 40 seconds at most, and not
//! received before the breaker lets it. So an outage of any length costs a message two deliveries. If
//! no check sees the fault, what is kept is the trial: with ten deliveries (see
//! [`sqs::MAX_RECEIVE_COUNT`]) a message outlasts half an hour. A message whose handler always hangs
//! opens nothing while the checks pass, and without declared dependencies no timeout does.
//!
//! A Lambda cannot stop its event source mapping. There a message whose dependency is unavailable
//! waits for 20 to 30 seconds after its first delivery and then for nearly two minutes each: ten
//! deliveries outlast a quarter of an hour, and work goes on within two minutes of its end. If the last
//! invocation found a dependency unavailable, the next one checks it before it handles anything.
//!
//! [`metrics::CIRCUIT_BREAKER_STATE`] shows the state, [`metrics::CIRCUIT_BREAKER_OPENED`] counts by
//! dependency, and each transition is logged with the dependency and its error.
//!
//! # Large bodies
//!
//! A body too large for the queue can wait in S3, and is fetched within bounds of size and memory: see
//! [`sqs::claim_check`].
//!
//! # Traces and logs
//!
//! Each request, each batch and each of its messages has a span. A request's parent is its caller,
//! by the header `traceparent`, else by `X-Amzn-Trace-Id`. A batch of one message is a child of the
//! message's sender; a batch of several is linked to all of them (OpenTelemetry keeps 128 links), and
//! each message to its own. Who that is, a message says in its body
//! ([`BatchHandler::traceparent`](sqs::BatchHandler::traceparent)), else in its attribute
//! `traceparent`, else in what AWS adds, `AWSTraceHeader`. What the sender does not sample is not
//! exported.
//!
//! In a Lambda each invocation has a span, too. Its parent is the one in Lambda's own trace header
//! (`Lambda-Runtime-Trace-Id`, X-Ray's) if that is sampled; one that is not is passed over, for Lambda
//! sends it wherever X-Ray is off. A request or a batch for which nobody else is named is a child of
//! the invocation.
//!
//! Every log line of a request or a batch has its `trace_id` under `span`; and, if spans are
//! exported, the `span_id`.
//!
//! Spans are exported by OTLP (http/protobuf) if `OTEL_EXPORTER_OTLP_ENDPOINT` is set, such as
//! `http://collector:4318`, and what is left is sent at shutdown and at the end of a Lambda's
//! invocation. Of the standard variables these are honoured, too: `OTEL_EXPORTER_OTLP_HEADERS`,
//! `OTEL_SERVICE_NAME` (else the function's name), `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`
//! with its `_ARG`, `OTEL_BSP_*` and `OTEL_SPAN_*_LIMIT`. Without an endpoint nothing is started. A
//! collector that does not answer costs an invocation one second, now and then, and a shutdown two;
//! spans that it does not take are dropped and counted ([`metrics::SPANS_DROPPED`]).
//!
//! # Health and shutdown
//!
//! `/livez` fails if a poller neither polls nor waits for a free handler, `/readyz` while draining or while a dependency
//! declared by [`Service::ready_when`] is down, `/metrics` has the [`metrics`]; all three are on
//! `HEALTH_ADDR`. SIGTERM or SIGINT drains: no new work, running work finishes, unstarted messages
//! are released, unless they are at their last delivery: those are handled. HTTP is served on for
//! `HTTP_LAME_DUCK_SECONDS` after SIGTERM, while `/readyz` fails and load balancers notice, and each
//! response closes its connection. After `DRAIN_TIMEOUT_SECONDS` (unless set: 25, or 5 more than
//! `HANDLER_TIMEOUT_SECONDS`), or at a second signal, what still runs is cut off, and its messages are released
//! within three seconds. See
//! [`Function::run`] for the exit codes.

pub mod aws;
pub mod backoff;
mod clock;
mod function;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod host;
pub mod http;
mod lambda;
pub mod metrics;
mod otlp;
mod panics;
mod service;
mod settings;
mod shutdown;
pub mod sqs;
mod supervisor;
mod telemetry;
mod trace;

pub use clock::{Clock, SystemClock};
pub use function::Function;
pub use host::Host;
pub use service::Service;

/// Compiles the handler that README.md shows.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
