//! The function's settings.

use clap::Args;
use http_support::auth;
use records::OperationsConfig;
use runtime::http;

use crate::attachments;

/// All settings of the function.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Config {
    #[command(flatten)]
    pub(crate) http: http::Config,
    #[command(flatten)]
    pub(crate) auth: auth::Config,
    #[command(flatten)]
    pub(crate) rate_limits: rate_limits::Config,
    #[command(flatten)]
    pub(crate) store: store::Config,
    /// Refuse changes and deletions of tasks that name no version by `If-Match`
    #[arg(long, env)]
    pub(crate) require_if_match: bool,
    #[command(flatten)]
    pub(crate) operations: OperationsConfig,
    #[command(flatten)]
    pub(crate) attachments: attachments::Config,
    /// URL of the command queue, for writes with `Prefer: respond-async`; without it, all writes are
    /// applied at once
    #[arg(long, env, value_parser = fifo_queue_url)]
    pub(crate) command_queue_url: Option<String>,
}

/// Another queue would not keep the order of a task's commands.
fn fifo_queue_url(url: &str) -> Result<String, &'static str> {
    let fifo = url.strip_suffix(".fifo").is_some();
    fifo.then(|| url.to_owned())
        .ok_or("expected the URL of a FIFO queue, whose name ends with .fifo")
}
