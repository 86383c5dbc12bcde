//! What a tenant, and a caller of it, may do, as it is configured.

use clap::{Args, value_parser};

use crate::limit::{Class, Limit, Whose};

/// Requests per minute and at once, by class. Flatten it into an HTTP function's configuration.
///
/// The defaults are about one per cent of what two cores and one PostgreSQL serve of each class, so
/// that one tenant is not felt by the others and people at a screen never meet a limit. A bulk
/// create of 100 tasks is one request: by default, tasks come in by bulk at twice the pace of single
/// writes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rate limits, for each tenant (they need Redis)")]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "they are the names of the settings")]
pub struct Config {
    /// Reads of one task, operation or attachment per minute; 0 for no limit
    #[arg(long, env, default_value_t = 30_000, value_parser = per_minute())]
    rate_limit_read_per_minute: u32,

    /// Reads of one task, operation or attachment at once
    #[arg(long, env, default_value_t = 5_000, value_parser = burst())]
    rate_limit_read_burst: u32,

    /// Reads of lists and histories per minute; 0 for no limit
    #[arg(long, env, default_value_t = 3_000, value_parser = per_minute())]
    rate_limit_list_per_minute: u32,

    /// Reads of lists and histories at once
    #[arg(long, env, default_value_t = 500, value_parser = burst())]
    rate_limit_list_burst: u32,

    /// Writes per minute; 0 for no limit
    #[arg(long, env, default_value_t = 3_000, value_parser = per_minute())]
    rate_limit_write_per_minute: u32,

    /// Writes at once
    #[arg(long, env, default_value_t = 500, value_parser = burst())]
    rate_limit_write_burst: u32,

    /// Bulk creates per minute; 0 for no limit
    #[arg(long, env, default_value_t = 60, value_parser = per_minute())]
    rate_limit_bulk_per_minute: u32,

    /// Bulk creates at once
    #[arg(long, env, default_value_t = 20, value_parser = burst())]
    rate_limit_bulk_burst: u32,

    /// Per cent of each of these limits that one caller of the tenant may use; with 100, callers have no
    /// limits of their own
    #[arg(long, env, default_value_t = 100, value_parser = value_parser!(u32).range(1..=100))]
    rate_limit_caller_percent: u32,
}

fn per_minute() -> clap::builder::RangedI64ValueParser<u32> {
    value_parser!(u32).range(0..=10_000_000)
}

fn burst() -> clap::builder::RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..=1_000_000)
}

impl Config {
    /// The limits of a class: the tenant's, and then the caller's if it has one.
    pub(crate) fn limits(&self, class: Class) -> Vec<(Whose, Limit)> {
        let Some(limit) = self.limit(class) else { return Vec::new() };
        let percent = self.rate_limit_caller_percent;
        let callers = (percent < 100).then(|| (Whose::Caller, limit.share(percent)));
        [(Whose::Tenant, limit)].into_iter().chain(callers).collect()
    }

    /// `None`: none.
    fn limit(&self, class: Class) -> Option<Limit> {
        match class {
            Class::Read => Limit::new(self.rate_limit_read_per_minute, self.rate_limit_read_burst),
            Class::List => Limit::new(self.rate_limit_list_per_minute, self.rate_limit_list_burst),
            Class::Write => {
                Limit::new(self.rate_limit_write_per_minute, self.rate_limit_write_burst)
            }
            Class::Bulk => Limit::new(self.rate_limit_bulk_per_minute, self.rate_limit_bulk_burst),
        }
    }
}
