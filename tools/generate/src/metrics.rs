//! The list of metrics, for operators.

use std::fmt::Write as _;
use std::path::PathBuf;

use instruments::{Instrument, Kind};

use crate::Files;

/// What measures, and in which functions.
const GROUPS: [(&str, &[Instrument]); 10] = [
    ("Every function", runtime::metrics::INSTRUMENTS),
    ("The process of a pod", runtime::metrics::PROCESS_INSTRUMENTS),
    ("PostgreSQL and the cache: every function with a database", store::INSTRUMENTS),
    ("Redis: every function with a cache", redis_client::INSTRUMENTS),
    ("Rate limits: `task-reader`, `task-writer`", rate_limits::INSTRUMENTS),
    ("Authentication: `task-reader`, `task-writer`", http_support::auth::INSTRUMENTS),
    ("The outbox: `outbox-relay`", store::OUTBOX_INSTRUMENTS),
    ("Publishing: `outbox-relay`", outbox_relay::INSTRUMENTS),
    ("Attachments: `attachment-worker`", attachment_worker::INSTRUMENTS),
    ("Backups: `backup monitor`", backup::INSTRUMENTS),
];

/// What is asked first when something is wrong, and the query that answers it. A test runs each
/// against a Prometheus.
const QUESTIONS: [(&str, &str); 12] = [
    ("How many requests?", "sum by (route, method) (rate(http_requests_total[5m]))"),
    (
        "How many of them fail?",
        "sum(increase(http_server_errors_total[5m])) / sum(increase(http_requests_total[5m]))",
    ),
    (
        "How slow is the slowest percent, by route?",
        "histogram_quantile(0.99, sum by (route, le) (rate(http_request_duration_seconds_bucket[5m])))",
    ),
    ("How many requests are open?", "sum(http_requests_in_flight)"),
    (
        "How long do messages wait?",
        "histogram_quantile(0.99, sum by (queue, le) (rate(queue_age_seconds_bucket[5m])))",
    ),
    (
        "How long do handlers take?",
        "histogram_quantile(0.99, sum by (queue, le) (rate(handler_duration_seconds_bucket[5m])))",
    ),
    (
        "What becomes a dead letter, and why?",
        "sum by (queue, reason) (messages_settled_total{verdict=\"reject\"})",
    ),
    ("How late are facts?", "max(outbox_lag_seconds)"),
    (
        "How many reads does the cache answer?",
        "sum(rate(cache_reads_total{source!=\"database\"}[5m])) / sum(rate(cache_reads_total[5m]))",
    ),
    (
        "Are there connections to PostgreSQL left?",
        "sum(database_connections_in_use) / sum(database_connections_max)",
    ),
    ("Does Redis answer?", "sum by (cause) (increase(redis_errors_total[5m]))"),
    (
        "How much processor time and memory is used?",
        "sum(rate(process_cpu_seconds_total[5m])) or sum(process_resident_memory_bytes)",
    ),
];

const HEAD: &str = "<!-- Made by `make generate` from the `INSTRUMENTS` of the crates. Do not edit. -->
# Metrics

A pod serves these at `/metrics` of `HEALTH_ADDR`, for Prometheus. A Lambda writes them to its log in CloudWatch's
embedded metric format, without those of the process.

A counter whose labels are all known begins at 0, and so does each consumer's of its queue without other labels: the
first error is an increase, too. Times are in seconds, sizes in bytes. No label has an identifier of a person or a task.

## Twelve questions

";

pub(crate) fn files() -> anyhow::Result<Files> {
    let mut text = HEAD.to_owned();
    for (question, query) in QUESTIONS {
        write!(text, "{question}\n\n```promql\n{query}\n```\n\n")?;
    }
    text.push_str("## All of them\n");
    for (title, instruments) in GROUPS {
        write!(text, "\n### {title}\n\n| name | kind | labels | what |\n|---|---|---|---|\n")?;
        for Instrument { name, kind, labels, help } in instruments {
            let labels: Vec<_> = labels.iter().map(label).collect();
            writeln!(
                text,
                "| `{name}` | {} | {} | {help} |",
                self::kind(*kind),
                labels.join(", ")
            )?;
        }
    }
    Ok(Files::from([(PathBuf::from("docs/metrics.md"), text)]))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

fn label(label: &instruments::Label) -> String {
    let values: Vec<_> = label.values.iter().map(|value| format!("`{value}`")).collect();
    if values.is_empty() {
        format!("`{}`", label.name)
    } else {
        format!("`{}` ({})", label.name, values.join(", "))
    }
}
