//! The command line of `dead-letters facts`.

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Subcommand};
use store::ParkedFilter;
use uuid::Uuid;

const EXAMPLES: &str = "\
Examples:
  dead-letters facts ls
  dead-letters facts ls --reason InvalidMessageContents --json
  dead-letters facts show 3f1c2b9e-7a51-4c0e-9d35-0a8e6f1d2c3b
  dead-letters facts retry 3f1c2b9e-7a51-4c0e-9d35-0a8e6f1d2c3b
  dead-letters facts retry --queue task-facts.fifo
  dead-letters facts skip --tenant acme --reason InvalidMessageContents --why 'TICKET-7: no consumer needs them'

Exit codes: 0 done, 1 failed, not confirmed, or no fact fits, 2 wrong usage.";

/// List facts that a queue refuses, and have them retried or skipped
///
/// A fact that a queue refuses again and again is parked. It blocks its task: later facts of the task
/// wait for it, in order. Other tasks go on. Retry it when its cause is mended, or skip it. The
/// database user must be a member of `task_app_operator`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FactsArguments {
    #[command(flatten)]
    pub(super) store: store::Config,
    #[command(subcommand)]
    pub(super) command: FactsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum FactsCommand {
    /// List parked facts, those that were refused first before others
    #[command(after_help = EXAMPLES)]
    Ls {
        #[command(flatten)]
        filter: Filter,
        /// Also facts that were refused and are still tried again
        #[arg(long)]
        all: bool,
        /// So many at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
        /// One JSON object for each fact and line
        #[arg(long)]
        json: bool,
    },
    /// Show one fact that was refused
    #[command(after_help = EXAMPLES)]
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
    #[command(after_help = EXAMPLES)]
    Retry {
        #[command(flatten)]
        selection: Selection,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Give parked facts up: they are never published, and later facts of their tasks go on
    #[command(after_help = EXAMPLES)]
    Skip {
        #[command(flatten)]
        selection: Selection,
        /// Who skips them, for the record
        #[arg(long, value_name = "NAME", env = "USER", value_parser = NonEmptyStringValueParser::new())]
        by: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
        why: String,
        /// Do not wait for a confirmation
        #[arg(long)]
        yes: bool,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Facts that fit all that is given.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Filters (the whole value; all that are given must fit)")]
pub(super) struct Filter {
    /// Of this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Of this task
    #[arg(long)]
    task: Option<Uuid>,
    /// Refused for this reason, a code such as `InvalidMessageContents`
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Refused by this queue, by its name
    #[arg(long)]
    queue: Option<String>,
}

/// Which facts to change: named ones, those that fit, or every one.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("which").args(["facts", "tenant", "task", "reason", "queue", "every"]).required(true).multiple(true))]
pub(super) struct Selection {
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
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Tool {
        #[command(flatten)]
        _facts: FactsArguments,
    }

    fn parse(arguments: &[&str]) -> Result<Tool, clap::Error> {
        let start = ["facts", "--database-url", "postgres://h/d"];
        Tool::try_parse_from(start.iter().chain(arguments))
    }

    #[test]
    fn every_example_of_the_help_is_valid() {
        let start = "dead-letters facts ";
        for line in EXAMPLES.lines().filter_map(|line| line.trim().strip_prefix(start)) {
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
