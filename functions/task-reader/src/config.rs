//! The function's settings.

use clap::Args;
use http_support::{auth, page};
use records::{HistoryConfig, OperationsConfig};
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
    pub(crate) pages: page::Config,
    #[command(flatten)]
    pub(crate) rate_limits: rate_limits::Config,
    #[command(flatten)]
    pub(crate) store: store::Config,
    #[command(flatten)]
    pub(crate) local: store::LocalConfig,
    #[command(flatten)]
    pub(crate) history: HistoryConfig,
    #[command(flatten)]
    pub(crate) operations: OperationsConfig,
    #[command(flatten)]
    pub(crate) attachments: attachments::Config,
}
