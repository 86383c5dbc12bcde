//! Every metric of the harness: names, units, labels.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | [`MESSAGES_RECEIVED`] | counter | `queue` |
//! | [`MESSAGES_SETTLED`] | counter | `queue`, `verdict` (`ack`, `retry`, `reject`, `release`), `reason` |
//! | [`MESSAGES_UNDELETED`] | counter | `queue` |
//! | [`MESSAGES_IN_FLIGHT`] | gauge | `queue` |
//! | [`CIRCUIT_BREAKER_STATE`] | gauge: 0 closed, 1 half-open, 2 open | `queue` |
//! | [`CIRCUIT_BREAKER_OPENED`] | counter | `queue`, `dependency` (a check's name, or a retry's reason) |
//! | [`QUEUE_AGE`] | histogram, seconds | `queue` |
//! | [`BATCH_SIZE`] | histogram, messages | `queue` |
//! | [`HANDLER_DURATION`] | histogram, seconds | `queue` |
//! | [`HTTP_REQUESTS`] | counter | `method`, `route`, `status` |
//! | [`HTTP_DURATION`] | histogram, seconds | `method`, `route`, `status` |
//! | [`HTTP_CONNECTIONS_CLOSED`] | counter | `reason` (`head_timeout`, `idle`, `write_timeout`) |
//! | [`SPANS_DROPPED`] | counter | |
//!
//! The `route` of a request that has none is `(none)`, and so is the `method` of one whose head could
//! not be read.
//!
//! Labels take few values: a queue's name, a reason's code, a route's template; never an id.
//! Functions add their own metrics through the `metrics` crate; they appear in the same place.
//!
//! The names are the same in both hosts. A pod shows them to Prometheus on `/metrics`. A Lambda has
//! nobody to scrape it: at the end of each invocation it writes them to its log in CloudWatch's
//! embedded metric format, in the namespace `METRICS_NAMESPACE`, with the labels and `function` as
//! dimensions. There a counter is what was counted since the invocation before.

mod emf;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

pub(crate) use emf::{flush, install as install_emf};

/// Messages handed out to this process.
pub const MESSAGES_RECEIVED: &str = "messages_received_total";
/// Messages by the verdict that they were given in the end. `reason` is empty for an ack.
pub const MESSAGES_SETTLED: &str = "messages_settled_total";
/// Messages that were done with and could not be deleted, since their receipt handles had expired or
/// the queue did not answer: they may be handed out again.
pub const MESSAGES_UNDELETED: &str = "messages_undeleted_total";
/// Messages received and not settled yet.
pub const MESSAGES_IN_FLIGHT: &str = "messages_in_flight";
/// The state of a consumer's circuit breaker: 0 closed, 1 half-open (one batch is tried), 2 open.
pub const CIRCUIT_BREAKER_STATE: &str = "circuit_breaker_state";
/// How often it opened because a dependency was unavailable.
pub const CIRCUIT_BREAKER_OPENED: &str = "circuit_breaker_opened_total";
/// From a message's sending to its receipt.
pub const QUEUE_AGE: &str = "queue_age_seconds";
/// Messages that the handler was given at once.
pub const BATCH_SIZE: &str = "handler_batch_size";
/// From the handler's start to its verdicts, also if it panicked or timed out.
pub const HANDLER_DURATION: &str = "handler_duration_seconds";
/// Requests by the status of their answer; 499 if the client was gone before there was one.
pub const HTTP_REQUESTS: &str = "http_requests_total";
/// From a request's head to its response's head.
pub const HTTP_DURATION: &str = "http_request_duration_seconds";
/// Connections that were closed because their clients sent or read too little.
pub const HTTP_CONNECTIONS_CLOSED: &str = "http_connections_closed_total";
/// Spans that could not be sent to the collector.
pub const SPANS_DROPPED: &str = "spans_dropped_total";

const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const AGES: [f64; 12] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3_600.0, 86_400.0];
const SIZES: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1_000.0];

/// Installs a pod's recorder and describes the metrics above.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let full = |name: &str| Matcher::Full(name.to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(full(HANDLER_DURATION), &SECONDS)?
        .set_buckets_for_metric(full(HTTP_DURATION), &SECONDS)?
        .set_buckets_for_metric(full(QUEUE_AGE), &AGES)?
        .set_buckets_for_metric(full(BATCH_SIZE), &SIZES)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    describe_counter!(MESSAGES_RECEIVED, "Messages handed out to this process");
    describe_counter!(MESSAGES_SETTLED, "Messages by the verdict that they were given");
    describe_counter!(MESSAGES_UNDELETED, "Messages that were done with and could not be deleted");
    describe_gauge!(MESSAGES_IN_FLIGHT, "Messages received and not settled yet");
    describe_gauge!(CIRCUIT_BREAKER_STATE, "0 closed, 1 half-open, 2 open");
    describe_counter!(CIRCUIT_BREAKER_OPENED, "How often the circuit breaker opened");
    describe_histogram!(QUEUE_AGE, Unit::Seconds, "From a message's sending to its receipt");
    describe_histogram!(BATCH_SIZE, "Messages that the handler was given at once");
    describe_histogram!(HANDLER_DURATION, Unit::Seconds, "From the handler's start to its end");
    describe_counter!(HTTP_REQUESTS, "Requests by the status of their answer");
    describe_histogram!(HTTP_DURATION, Unit::Seconds, "From a request's head to its response's");
    describe_counter!(
        HTTP_CONNECTIONS_CLOSED,
        "Connections closed for what their clients did not do"
    );
}
