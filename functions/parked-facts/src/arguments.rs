//! The command line.

use clap::{ArgGroup, Args, Parser, Subcommand};
use store::ParkedFilter;
use uuid::Uuid;

const EXAMPLES: &str = "\
Examples:
  parked-facts ls
  parked-facts ls --reason InvalidMessageContents --json
  parked-facts show 3f1c2b9e-7a51-4c0e-9d35-0a8e6f1d2c3b
  parked-facts retry 3f1c2b9e-7a51-4c0e-9d35-0a8e6f1d2c3b
  parked-facts retry --queue task-facts.fifo
  parked-facts skip --tenant acme --reason InvalidMessageContents --why 'TICKET-7: no consumer needs them'

Exit codes: 0 done, 1 failed (PostgreSQL is not available), 2 wrong usage, or a skip that was not
confirmed, 3 no fact fits.";

/// Lists facts that a queue refuses, with the reason, and has them retried or skipped.
///
/// A fact that a queue refuses again and again is parked. It blocks its task: later facts of the task
/// wait for it, in order. Other tasks go on. Retry it when its cause is mended, or skip it. The
/// database user must be a member of `task_app_operator`.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) store: store::Config,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List parked facts, those that were refused first before others
    Ls {
        #[command(flatten)]
        filter: Filter,
        /// Also facts that were refused and are still tried again
        #[arg(long)]
        all: bool,
        /// So many at most
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// One JSON object for each fact and line
        #[arg(long)]
        json: bool,
    },
    /// Show one fact that was refused
    Show {
        /// The fact's identifier: the event's `id`
        fact: Uuid,
        /// With the event's data, which is personal
        #[arg(long)]
        data: bool,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Have parked facts tried again at once, with all their attempts
    Retry {
        #[command(flatten)]
        selection: Selection,
    },
    /// Give parked facts up: they are never published, and later facts of their tasks go on
    Skip {
        #[command(flatten)]
        selection: Selection,
        /// Who skips them, for the record
        #[arg(long, env = "USER", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        by: String,
        /// Why, for the record
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        why: String,
        /// Do not wait for a confirmation on the standard input
        #[arg(long)]
        yes: bool,
    },
}

/// Facts that fit all that is given.
#[derive(Clone, Debug, Args)]
pub(crate) struct Filter {
    /// Of this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Of this task
    #[arg(long)]
    task: Option<Uuid>,
    /// Refused for this reason, a code such as `InvalidMessageContents`
    #[arg(long)]
    reason: Option<String>,
    /// Refused by this queue, by its name
    #[arg(long)]
    queue: Option<String>,
}

/// Which facts to change: named ones, those that fit, or every one.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("which").args(["facts", "tenant", "task", "reason", "queue", "every"]).required(true).multiple(true))]
pub(crate) struct Selection {
    /// Identifiers of facts
    facts: Vec<Uuid>,
    #[command(flatten)]
    filter: Filter,
    /// Every parked fact
    #[arg(long, conflicts_with_all = ["facts", "tenant", "task", "reason", "queue"])]
    every: bool,
}

impl From<&Filter> for ParkedFilter {
    fn from(filter: &Filter) -> Self {
        let Filter { tenant, task, reason, queue } = filter.clone();
        Self { facts: None, tenant, task, reason, queue }
    }
}

impl From<&Selection> for ParkedFilter {
    fn from(selection: &Selection) -> Self {
        let facts = (!selection.facts.is_empty()).then(|| selection.facts.clone());
        Self { facts, ..(&selection.filter).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        let start = ["parked-facts", "--database-url", "postgres://h/d"];
        Arguments::try_parse_from(start.iter().chain(arguments))
    }

    #[test]
    fn every_example_of_the_help_is_valid() {
        for line in EXAMPLES.lines().filter_map(|line| line.trim().strip_prefix("parked-facts ")) {
            let line = line.replace("'TICKET-7: no consumer needs them'", "why --by me");
            let words: Vec<_> = line.split(' ').collect();
            parse(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn what_changes_facts_must_say_which() {
        for arguments in [
            &["retry"][..],
            &["skip", "--by", "me", "--why", "x"],
            &["retry", "--every", "--tenant", "acme"],
            &["skip", "--every", "--by", "me"],
            &["skip", "--every", "--by", "me", "--why", ""],
        ] {
            assert_eq!(parse(arguments).unwrap_err().exit_code(), 2, "{arguments:?}");
        }
        assert!(parse(&["retry", "--every"]).is_ok());
    }
}
