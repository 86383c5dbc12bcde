//! Logs and spans: where they go and how they look.
//!
//! One line per event on standard output, which the platform collects; an error is logged once, at
//! the boundary that handles it. A line in JSON names its function, and if it belongs to a request or
//! a batch it has, in its `span`, the `trace_id` and the `span_id`.

mod json;

use std::{
    io::{self, IsTerminal as _},
    panic::{self, PanicHookInfo},
};

use anyhow::anyhow;
use tracing::{Level, Metadata, Subscriber, error, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, filter_fn},
    fmt,
    fmt::format::JsonFields,
    layer::SubscriberExt as _,
    registry,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use self::json::NamedLines;
use crate::{
    otlp,
    settings::{LogFormat, Settings},
};

/// Installs the process's subscriber; fails if there is one already. To be called within tokio.
pub(crate) fn init(settings: &Settings, function: &'static str) -> anyhow::Result<()> {
    // Empty means unset, by OpenTelemetry.
    let set = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let endpoint = set(&settings.otel_exporter_otlp_endpoint);
    let service = set(&settings.otel_service_name).unwrap_or_else(|| function.to_owned());
    let tracer = endpoint.map(|endpoint| otlp::start(&endpoint, service)).transpose();
    // If there is none, that must be logged.
    let (tracer, failed) = match tracer {
        Ok(tracer) => (tracer, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let filter = EnvFilter::try_new(&settings.log_level)?;
    registry()
        .with(lines(settings.log_format, function).with_filter(filter.and(filter_fn(is_discreet))))
        .with(tracer.map(spans))
        .try_init()
        .map_err(|error| anyhow!("cannot install the log subscriber: {error}"))?;
    panic::set_hook(Box::new(log_panic));
    failed
}

fn lines<S>(format: LogFormat, function: &str) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_writer(io::stdout);
    if readable(format) {
        lines.with_target(false).with_ansi(io::stdout().is_terminal()).boxed()
    } else {
        lines.fmt_fields(JsonFields::new()).event_format(NamedLines::of(function)).boxed()
    }
}

/// Whatever the log shows, spans are exported down to `INFO`; but not what the exporter says of
/// itself, which would never end.
pub(crate) fn spans<S>(tracer: opentelemetry_sdk::trace::Tracer) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let is_wanted = |metadata: &Metadata<'_>| {
        *metadata.level() <= Level::INFO && !metadata.target().starts_with("opentelemetry")
    };
    let filter = filter_fn(is_wanted).with_max_level_hint(LevelFilter::INFO);
    tracing_opentelemetry::layer().with_tracer(tracer).with_filter(filter)
}

fn readable(format: LogFormat) -> bool {
    match format {
        LogFormat::Auto => io::stdout().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Pretty => true,
    }
}

/// `lambda_runtime` logs events as traces, with bodies and tokens.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    *metadata.level() != Level::TRACE || !metadata.target().starts_with("lambda_runtime")
}

/// Only where it happened: the boundary that catches the panic logs what it says.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    error!(location, "a task panicked");
}
