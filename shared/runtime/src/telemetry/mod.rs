//! Logs and spans: where they go and how they look.
//!
//! One line per event on standard output, which the platform collects; an error is logged once, at
//! the boundary that handles it. A line in JSON names its function, and if it belongs to a request or
//! a batch it has, in its `span`, the `trace_id` and the `span_id`.

mod json_lines;
mod log_writer;

use std::{
    fs::File,
    io::{self, IsTerminal as _},
    os::fd::AsFd as _,
    panic::{self, PanicHookInfo},
};

use anyhow::anyhow;
use tracing::{Level, Metadata, Subscriber, error, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    registry,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

pub(crate) use self::json_lines::JsonLines;
pub(crate) use self::log_writer::LogThread;
use crate::{
    Host, otlp,
    settings::{LogFormat, Settings},
};

/// Installs the process's subscriber; fails if there is one already. To be called within tokio. What it
/// returns is to be kept for as long as lines may be logged.
pub(crate) fn init(
    settings: &Settings,
    function: &'static str,
    host: Host,
) -> anyhow::Result<Option<LogThread>> {
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
    let (thread, lines) = lines(settings.log_format, function, host)?;
    registry()
        .with(lines.with_filter(settings.log_level.clone().and(filter_fn(is_discreet))))
        .with(tracer.map(spans))
        .try_init()
        .map_err(|error| anyhow!("cannot install the log subscriber: {error}"))?;
    panic::set_hook(Box::new(log_panic));
    failed.map(|()| thread)
}

type Lines<S> = Box<dyn Layer<S> + Send + Sync>;

fn lines<S>(
    format: LogFormat,
    function: &'static str,
    host: Host,
) -> io::Result<(Option<LogThread>, Lines<S>)>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if readable(format) {
        let lines = fmt::layer().with_writer(io::stdout);
        return Ok((None, lines.with_target(false).with_ansi(io::stdout().is_terminal()).boxed()));
    }
    match host {
        Host::Lambda => Ok((None, JsonLines::new(function, io::stdout).boxed())),
        Host::Pod => {
            // Not by the library's handle, which writes each line by itself.
            let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
            let (thread, writer) = LogThread::start(output)?;
            Ok((Some(thread), JsonLines::new(function, writer).boxed()))
        }
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
