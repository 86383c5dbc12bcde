//! Every metric of the harness: [`INSTRUMENTS`].
//!
//! The `route` of a request that has none is `(none)`, and so is the `method` of one whose head could
//! not be read. The `dependency` of a circuit breaker is a check's name, or a retry's reason.
//!
//! Labels take few values: a queue's name, a reason's code, a route's template; never an id.
//! Functions add their own metrics through the `metrics` crate; they appear in the same place.
//!
//! The names are the same in both hosts. A pod shows them to Prometheus on `/metrics`, with those of
//! its process. A Lambda has nobody to scrape it: at the end of each invocation it writes them to its
//! log in CloudWatch's embedded metric format, in the namespace `METRICS_NAMESPACE`, with the labels
//! and `function` as dimensions. There a counter is what was counted since the invocation before.

mod emf;

use instruments::{Instrument, Label, describe};
use metrics::{counter, gauge};
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
/// Requests that were answered with a status from 500 on.
pub const HTTP_SERVER_ERRORS: &str = "http_server_errors_total";
/// Requests that were begun and have not been answered.
pub const HTTP_IN_FLIGHT: &str = "http_requests_in_flight";
/// Messages that became dead letters.
pub const MESSAGES_DEAD_LETTERED: &str = "messages_dead_lettered_total";
/// 1, with the version that runs.
pub const BUILD_INFO: &str = "build_info";
/// Spans that could not be sent to the collector.
pub const SPANS_DROPPED: &str = "spans_dropped_total";

const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const AGES: [f64; 12] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3_600.0, 86_400.0];
const SIZES: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1_000.0];

const QUEUE: Label = Label::any("queue");
const VERDICT: Label = Label::of("verdict", &["ack", "retry", "reject", "release"]);
const REQUEST: &[Label] = &[Label::any("method"), Label::any("route"), Label::any("status")];
const CLOSED: Label = Label::of("reason", &["head_timeout", "idle", "write_timeout"]);

/// What a function measures in either host. Each counter whose labels are known begins at 0; of a
/// consumer, those of its queue.
pub const INSTRUMENTS: &[Instrument] = &[
    Instrument::gauge(BUILD_INFO, "1, with the function and the version that runs")
        .labelled(&[Label::any("function"), Label::any("version")]),
    Instrument::counter(MESSAGES_RECEIVED, "Messages handed out to this process")
        .labelled(&[QUEUE]),
    Instrument::counter(MESSAGES_SETTLED, "Messages by the verdict that they were given")
        .labelled(&[QUEUE, VERDICT, Label::any("reason")]),
    Instrument::counter(MESSAGES_DEAD_LETTERED, "Messages that became dead letters")
        .labelled(&[QUEUE]),
    Instrument::counter(
        MESSAGES_UNDELETED,
        "Messages that were done with and could not be deleted: they come again",
    )
    .labelled(&[QUEUE]),
    Instrument::gauge(MESSAGES_IN_FLIGHT, "Messages received and not settled yet")
        .labelled(&[QUEUE]),
    Instrument::gauge(CIRCUIT_BREAKER_STATE, "0 closed, 1 half-open, 2 open").labelled(&[QUEUE]),
    Instrument::counter(CIRCUIT_BREAKER_OPENED, "How often the circuit breaker opened")
        .labelled(&[QUEUE, Label::any("dependency")]),
    Instrument::histogram(QUEUE_AGE, "From a message's sending to its receipt").labelled(&[QUEUE]),
    Instrument::histogram(BATCH_SIZE, "Messages that the handler was given at once")
        .labelled(&[QUEUE]),
    Instrument::histogram(HANDLER_DURATION, "From the handler's start to its verdicts")
        .labelled(&[QUEUE]),
    Instrument::counter(HTTP_REQUESTS, "Requests by the status of their answer").labelled(REQUEST),
    Instrument::counter(HTTP_SERVER_ERRORS, "Requests answered with a status from 500 on"),
    Instrument::gauge(HTTP_IN_FLIGHT, "Requests that were begun and have not been answered"),
    Instrument::histogram(HTTP_DURATION, "From a request's head to its response's")
        .labelled(REQUEST),
    Instrument::counter(HTTP_CONNECTIONS_CLOSED, "Connections closed for what clients did not do")
        .labelled(&[CLOSED]),
    Instrument::counter(SPANS_DROPPED, "Spans that could not be sent to the collector"),
];

/// What a pod measures of its process.
pub const PROCESS_INSTRUMENTS: &[Instrument] = &[
    Instrument::counter("process_cpu_seconds_total", "Processor time that was used"),
    Instrument::gauge("process_resident_memory_bytes", "Memory that is in use"),
    Instrument::gauge("process_virtual_memory_bytes", "Memory that is reserved"),
    Instrument::gauge("process_virtual_memory_max_bytes", "Memory that may be reserved"),
    Instrument::gauge("process_open_fds", "Files and sockets that are open"),
    Instrument::gauge("process_max_fds", "Files and sockets that may be open"),
    Instrument::gauge("process_threads", "Threads"),
    Instrument::gauge("process_start_time_seconds", "When it started, in seconds since 1970"),
];

/// A pod's metrics, to be shown.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorded: PrometheusHandle,
    process: metrics_process::Collector,
}

impl Metrics {
    pub(crate) fn of(recorded: PrometheusHandle) -> Self {
        Self { recorded, process: metrics_process::Collector::default() }
    }

    /// In Prometheus's text format.
    pub(crate) fn render(&self) -> String {
        self.process.collect();
        self.recorded.render()
    }

    /// Folds the buffers, which bounds their memory between two scrapes.
    pub(crate) fn run_upkeep(&self) {
        self.recorded.run_upkeep();
    }
}

/// Installs a pod's recorder.
pub(crate) fn install() -> Result<Metrics, BuildError> {
    let suffix = |name: &str| Matcher::Suffix(name.to_owned());
    let recorded = PrometheusBuilder::new()
        .set_buckets_for_metric(suffix("_seconds"), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(QUEUE_AGE.to_owned()), &AGES)?
        .set_buckets_for_metric(Matcher::Full(BATCH_SIZE.to_owned()), &SIZES)?
        .install_recorder()?;
    describe(PROCESS_INSTRUMENTS);
    Ok(Metrics::of(recorded))
}

/// Describes the metrics of either host.
pub(crate) fn begin(function: &'static str) {
    describe(INSTRUMENTS);
    let version = env!("CARGO_PKG_VERSION");
    gauge!(BUILD_INFO, "function" => function, "version" => version).set(1.0);
}

/// Begins a consumer's counters at 0.
pub(crate) fn begin_queue(queue: &str) {
    for name in [MESSAGES_RECEIVED, MESSAGES_DEAD_LETTERED, MESSAGES_UNDELETED] {
        counter!(name, "queue" => queue.to_owned()).increment(0);
    }
}
