//! The command line.

mod cost;
mod export;
mod import;
mod purge;
mod replay;

pub(crate) use cost::CostArguments;
pub(crate) use export::ExportArguments;
pub(crate) use import::ImportArguments;
pub(crate) use purge::{Destination, PurgeArguments};
pub(crate) use replay::ReplayArguments;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::facts::FactsArguments;
use crate::filter::{Condition, Filter, Kind, negated};
use crate::ledger::LedgerOptions;
use crate::mistake::Mistake;
use crate::queue::{Reference, reference};
use crate::serve::ServeArguments;

/// Messages of a random sample are kept until the end.
const MOST_SAMPLES: i64 = 10_000;

const EXAMPLES: &str = "\
Examples:
  dead-letters queues
  dead-letters groups task-commands-dlq.fifo
  dead-letters ls task-commands-dlq.fifo --reason 'schema_*' --newer-than 2h
  dead-letters ls orders-dlq --body-path '$.data[?@.amount>100]' --not tenant=acme --json
  dead-letters export task-commands-dlq.fifo dead-letters.ndjson.zst --reason schema_violation
  dead-letters import dead-letters.ndjson.zst task-commands-dlq.fifo --dry-run
  dead-letters purge task-commands-dlq.fifo --export s3://archive/purged.ndjson.zst --type 'old-*' --why INC-9
  dead-letters show task-commands-dlq.fifo 3f1c2b9e-7a51-4c0e-9d35-0a8e6f1d2c3b
  dead-letters replay task-commands-dlq.fifo --reason database_unavailable --why INC-7 --canary 5
  dead-letters runs
  dead-letters serve

Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage, 3 stopped by the canary of a replay.";

const COMPLETIONS: &str = "\
Examples:
  source <(dead-letters completions bash)
  dead-letters completions zsh > ~/.zfunc/_dead-letters
  dead-letters completions fish > ~/.config/fish/completions/dead-letters.fish";

const MAN: &str = "\
Examples:
  dead-letters man ~/.local/share/man/man1 && man dead-letters-ls";

/// Lists, shows, replays, exports and purges the messages of any SQS dead-letter queue.
///
/// What is only read is visible again at the end, in its order. Region, endpoint and credentials are those of
/// every AWS tool: `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_PROFILE` and so on.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the queues that have dead letters
    #[command(after_help = EXAMPLES)]
    Queues {
        /// Also dead-letter queues that have none
        #[arg(long)]
        all: bool,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the messages of a queue, one line each
    #[command(after_help = EXAMPLES)]
    Ls {
        /// One JSON object for each message and line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        selection: Selection,
    },
    /// Count the messages of a queue by reason, type and what their details have in common
    #[command(after_help = EXAMPLES)]
    Groups {
        /// As one JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        selection: Selection,
    },
    Replay(Box<ReplayArguments>),
    /// Show what was replayed: all runs, or all messages of one
    #[command(after_help = EXAMPLES)]
    Runs {
        /// The run, by its id
        run: Option<String>,
        /// One JSON object for each run, or for the run and each of its messages, and line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        ledger: LedgerOptions,
    },
    /// Show all of one message
    #[command(after_help = EXAMPLES)]
    Show {
        /// The queue's name or URL
        #[arg(value_parser = reference)]
        queue: Reference,
        /// The message's id, the one that it had in its first queue, or its event's
        id: String,
        /// Do not fetch a body that is in S3
        #[arg(long)]
        no_fetch: bool,
        /// As one JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        ledger: LedgerOptions,
    },
    Cost(CostArguments),
    /// Show the same on a web page, on this machine
    #[command(after_help = EXAMPLES)]
    Serve(ServeArguments),
    Facts(FactsArguments),
    /// Print what completes the command line in a shell
    #[command(after_help = COMPLETIONS)]
    Completions {
        shell: Shell,
    },
    /// Write manual pages, one for the tool and one for each command
    #[command(after_help = MAN)]
    Man {
        /// The folder, such as `~/.local/share/man/man1`; it is made if it is missing
        folder: PathBuf,
    },
    Export(Box<ExportArguments>),
    Import(ImportArguments),
    Purge(Box<PurgeArguments>),
}

/// Which messages of which queue.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// The queue's name or URL
    #[arg(value_parser = reference)]
    pub(crate) queue: Reference,
    #[command(flatten)]
    pub(crate) which: Which,
}

/// Which messages of a queue.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// Stop after so many messages that fit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// So many of the messages that fit, chosen at random
    #[arg(long, value_name = "N", conflicts_with = "limit",
          value_parser = clap::value_parser!(u32).range(1..=MOST_SAMPLES))]
    pub(crate) sample: Option<u32>,
    #[command(flatten)]
    filters: Filters,
}

/// Of an option that is repeated, one value must fit; of different options, each. `*` in a value stands
/// for any text, and `-` for a missing value.
#[derive(Clone, Debug, Args)]
#[command(
    next_help_heading = "Filters (`*` is any text, `-` a missing value; repeated: one must fit)"
)]
pub(crate) struct Filters {
    /// The reason's code
    #[arg(long, value_name = "CODE", value_parser = parser(Kind::Reason))]
    reason: Vec<Condition>,
    /// The event's type
    #[arg(long, value_name = "TYPE", value_parser = parser(Kind::Type))]
    r#type: Vec<Condition>,
    /// The event's source
    #[arg(long, value_name = "SOURCE", value_parser = parser(Kind::Source))]
    source: Vec<Condition>,
    /// The event's tenant
    #[arg(long, value_name = "TENANT", value_parser = parser(Kind::Tenant))]
    tenant: Vec<Condition>,
    /// The event's subject
    #[arg(long, value_name = "TASK", value_parser = parser(Kind::Task))]
    task: Vec<Condition>,
    /// The message group
    #[arg(long, value_name = "GROUP", value_parser = parser(Kind::Group))]
    group: Vec<Condition>,
    /// Sent longer ago than this: `90s`, `15m`, `36h`, `7d`, `1d12h`
    #[arg(long, value_name = "AGE", value_parser = parser(Kind::OlderThan))]
    older_than: Option<Condition>,
    /// Sent less long ago than this
    #[arg(long, value_name = "AGE", value_parser = parser(Kind::NewerThan))]
    newer_than: Option<Condition>,
    /// Deliveries before it was a dead letter: `3`, `3..`, `..3` or `3..5`
    #[arg(long, value_name = "RANGE", value_parser = parser(Kind::Attempts))]
    attempts: Vec<Condition>,
    /// A message attribute: `NAME`, or `NAME=VALUE`
    #[arg(long, value_name = "ATTRIBUTE", value_parser = parser(Kind::Attribute))]
    attribute: Vec<Condition>,
    /// A regular expression that fits a part of the body
    #[arg(long, value_name = "REGEX", value_parser = parser(Kind::Body))]
    body: Vec<Condition>,
    /// A `JSONPath` (RFC 9535) that selects something in the body
    #[arg(long, value_name = "PATH", value_parser = parser(Kind::BodyPath))]
    body_path: Vec<Condition>,
    /// Not those that a filter fits: its name and value, as in `reason=malformed_json`
    #[arg(long, value_name = "FILTER=VALUE", value_parser = negated)]
    not: Vec<Condition>,
}

impl Which {
    /// What was asked for, one text each.
    pub(crate) fn texts(&self) -> Vec<String> {
        let limit = self.limit.map(|limit| format!("limit={limit}"));
        let sample = self.sample.map(|sample| format!("sample={sample}"));
        self.filter().texts().into_iter().chain(limit).chain(sample).collect()
    }

    pub(crate) fn filter(&self) -> Filter {
        self.filters.filter()
    }
}

impl Filters {
    pub(crate) fn filter(&self) -> Filter {
        let given = self;
        let repeated = [
            &given.reason,
            &given.r#type,
            &given.source,
            &given.tenant,
            &given.task,
            &given.group,
            &given.attempts,
            &given.attribute,
            &given.body,
            &given.body_path,
        ];
        let wanted =
            repeated.into_iter().flatten().chain(&given.older_than).chain(&given.newer_than);
        Filter::new(wanted.cloned(), given.not.clone())
    }
}

/// The command line of a run, as it was written down.
///
/// # Errors
/// When it is none of `replay`.
pub(crate) fn parse_replay(words: &[String]) -> anyhow::Result<ReplayArguments> {
    let line = std::iter::once("dead-letters").chain(words.iter().map(String::as_str));
    match Arguments::try_parse_from(line)?.command {
        Command::Replay(arguments) => Ok(*arguments),
        _ => anyhow::bail!("it is none of a replay"),
    }
}

fn parser(
    kind: Kind,
) -> impl Fn(&str) -> Result<Condition, Mistake> + Clone + Send + Sync + 'static {
    move |text| Condition::parse(kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, ValueEnum as _};

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        let words = line.split(' ').map(|word| word.trim_matches('\''));
        Arguments::try_parse_from(["dead-letters"].into_iter().chain(words))
    }

    #[test]
    fn every_example_of_the_help_is_valid() {
        let command = Arguments::command();
        command.clone().debug_assert();
        let of =
            |name| command.find_subcommand(name).unwrap().get_after_help().unwrap().to_string();
        let own = ["export", "import", "purge"].map(of).concat();
        let lines = EXAMPLES.lines().chain(own.lines());
        for line in lines.filter_map(|line| line.trim().strip_prefix("dead-letters ")) {
            parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn every_kind_of_condition_is_an_option_of_the_same_name() {
        let command = Arguments::command();
        let ls = command.find_subcommand("ls").unwrap();
        for kind in Kind::value_variants() {
            let name = kind.to_possible_value().unwrap().get_name().to_owned();
            assert!(ls.get_arguments().any(|a| a.get_long() == Some(&name)), "--{name}");
        }
    }

    #[test]
    fn a_run_that_is_resumed_takes_nothing_that_was_asked_for_at_its_begin() {
        let command = Arguments::command();
        let replay = command.find_subcommand("replay").unwrap();
        let anew = ["accept-silence", "rate", "wait", "take-over", "json", "ledger", "journal"];
        let options = replay.get_arguments().filter_map(|option| option.get_long());
        for option in options.filter(|option| !["resume", "help"].contains(option)) {
            let values = ["", "=1", "=1h", "=reason=x", "=file", "=$.a", "=.", "=[]", "={}", "=[]"];
            let refusal = values.iter().find_map(|value| {
                let line = format!("replay --resume=r --{option}{value}");
                let error = parse(&line).err()?;
                let is_conflict = error.kind() == clap::error::ErrorKind::ArgumentConflict;
                is_conflict.then_some(())
            });
            assert!(refusal.is_some() != anew.contains(&option), "--{option}");
        }
    }

    #[test]
    fn a_mistake_is_wrong_usage() {
        for line in [
            "ls",
            "ls a/b",
            "ls q --body (",
            "ls q --body-path data",
            "ls q --older-than 3",
            "ls q --attempts x",
            "ls q --not reason",
            "ls q --not attempts=x",
            "ls q --reason ",
            "ls q --limit 0",
            "ls q --sample 10001",
            "ls q --limit 1 --sample 1",
            "show q",
            "export q",
            "export q s3://bucket",
            "import file",
            "import file q --from-line 0",
            "purge q --yes",
            "purge q --export file --sample 1",
            "groups q --attribute =x",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
