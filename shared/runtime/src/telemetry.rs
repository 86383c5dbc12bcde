//! Logs: where they go and how they look.
//!
//! One line per event on standard output, which the platform collects; an error is logged once, at
//! the boundary that handles it.

use std::{
    io::{self, IsTerminal as _},
    panic::{self, PanicHookInfo},
};

use anyhow::anyhow;
use tracing::error;
use tracing_subscriber::{EnvFilter, fmt};

use crate::settings::{LogFormat, Settings};

/// Installs the process's subscriber; fails if there is one already.
pub(crate) fn init(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(&settings.log_level)?;
    let lines = fmt().with_env_filter(filter).with_writer(io::stdout);
    let installed = if readable(settings.log_format) {
        lines.with_target(false).with_ansi(io::stdout().is_terminal()).try_init()
    } else {
        lines.json().flatten_event(true).with_span_list(false).try_init()
    };
    installed.map_err(|error| anyhow!("cannot install the log subscriber: {error}"))?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn readable(format: LogFormat) -> bool {
    match format {
        LogFormat::Auto => io::stdout().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Pretty => true,
    }
}

/// Only where it happened: the boundary that catches the panic logs what it says.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    error!(location, "a task panicked");
}
