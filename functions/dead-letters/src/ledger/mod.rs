//! The record of replays and purges: in a DynamoDB table that all operators share, or in files of this machine.
//!
//! A run is written before anything moves, and each message before it is sent. So whenever a process ends,
//! another one finds out what is left to do.

mod journal;
mod lease;
mod lineage;
mod run;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use aws_config::SdkConfig;
use clap::Args;
use command_line::now;
use journal::Journal;
use records::replays::{Claim, Message, Replays, Run, RunState};

pub(crate) use lease::Lease;
pub(crate) use lineage::{Replayed, lineage};
pub(crate) use run::{ended_run, new_run};

/// Runs that `runs` lists.
const MOST_RUNS: u16 = 1_000;

/// Where the ledger is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct LedgerOptions {
    /// The `DynamoDB` table of the ledger. Without one, the ledger is in files of this machine
    #[arg(long, env = "REPLAYS_TABLE", value_name = "TABLE")]
    ledger: Option<String>,
    /// The ledger is in files of this folder, even if a table is set [default: dead-letters in
    /// `$XDG_STATE_HOME` or `~/.local/state`]
    #[arg(long, value_name = "FOLDER")]
    journal: Option<PathBuf>,
}

impl LedgerOptions {
    /// Whether the ledger is a table.
    pub(crate) fn is_shared(&self) -> bool {
        self.ledger.is_some() && self.journal.is_none()
    }
}

/// The ledger.
pub(crate) enum Ledger {
    Table(Replays, String),
    Journal(Journal),
}

impl Ledger {
    pub(crate) fn open(options: &LedgerOptions, aws: &SdkConfig) -> anyhow::Result<Self> {
        if let (Some(table), None) = (&options.ledger, &options.journal) {
            return Ok(Self::Table(Replays::new(aws, table), table.clone()));
        }
        let folder = options.journal.clone().or_else(default_folder);
        let folder = folder.context("no folder for the ledger: set `--journal` or `--ledger`")?;
        Ok(Self::Journal(Journal::open(folder)?))
    }

    /// The ledger, if there is one already.
    pub(crate) fn existing(options: &LedgerOptions, aws: &SdkConfig) -> Option<Self> {
        let folder = options.journal.clone().or_else(default_folder);
        let exists = options.ledger.is_some() || folder.is_some_and(|folder| folder.is_dir());
        exists.then(|| Self::open(options, aws).ok()).flatten()
    }

    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Table(_, table) => format!("the table {table}"),
            Self::Journal(journal) => {
                let folder = journal.folder().display();
                format!("{folder} on this machine; `--ledger TABLE` shares it")
            }
        }
    }

    /// Writes a new run.
    pub(crate) async fn begin(&self, run: &Run, lease: &Lease) -> anyhow::Result<()> {
        match self {
            Self::Table(table, name) => {
                let begun = table.begin(run, lease.holder(), Lease::until(now())).await;
                begun.with_context(|| format!("writing the run to the table {name}"))
            }
            Self::Journal(journal) => journal.begin(run),
        }
    }

    /// Makes a run ours, and returns it. If another process still holds it, it waits until that one cannot
    /// any more, unless the other one is known to have ended.
    pub(crate) async fn take_over(
        &self,
        id: &str,
        lease: &Lease,
        is_abandoned: bool,
    ) -> anyhow::Result<Run> {
        match self {
            Self::Table(table, name) => {
                let Some((run, _)) = table.run(id).await? else {
                    bail!("the table {name} has no run {id}. `dead-letters runs` lists them")
                };
                if run.state != RunState::Done {
                    lease::take_over(table, &run, lease, is_abandoned).await?;
                }
                // As its last holder left it.
                let (run, _) = table.run(id).await?.context("the run was removed meanwhile")?;
                Ok(run)
            }
            Self::Journal(journal) => journal.take_over(id),
        }
    }

    /// Writes what is known of a run. We go on with it, unless it ended.
    pub(crate) async fn renew(&self, run: &Run, lease: &Lease) -> anyhow::Result<()> {
        match self {
            Self::Table(table, _) => {
                let until = run.ended_at.unwrap_or_else(|| Lease::until(now()));
                if !table.renew(run, lease.holder(), until).await? {
                    bail!("another process has taken the run {} over", run.run);
                }
                Ok(())
            }
            Self::Journal(journal) => journal.write(run),
        }
    }

    /// One run.
    pub(crate) async fn run(&self, id: &str) -> anyhow::Result<Option<Run>> {
        match self {
            Self::Table(table, _) => Ok(table.run(id).await?.map(|(run, _)| run)),
            Self::Journal(journal) => journal.run(id),
        }
    }

    /// The newest runs, the last one first.
    pub(crate) async fn runs(&self) -> anyhow::Result<Vec<Run>> {
        match self {
            Self::Table(table, _) => Ok(table.runs(MOST_RUNS).await?),
            Self::Journal(journal) => journal.runs(MOST_RUNS.into()),
        }
    }

    /// Begins to send messages; one answer each, in order.
    pub(crate) async fn claim(&self, run: &str, of: &[Message]) -> anyhow::Result<Vec<Claim>> {
        match self {
            Self::Table(table, _) => Ok(table.claim(run, of).await?),
            Self::Journal(journal) => journal.claim(of).await,
        }
    }

    /// Writes what became of messages that were claimed.
    pub(crate) async fn record(&self, run: &str, messages: &[Message]) -> anyhow::Result<()> {
        match self {
            Self::Table(table, _) => Ok(table.record(run, messages).await?),
            Self::Journal(journal) => journal.record(messages),
        }
    }

    /// Shows each message of a run to `see`.
    pub(crate) async fn messages(
        &self,
        run: &str,
        mut see: impl FnMut(Message) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let table = match self {
            Self::Table(table, _) => table,
            Self::Journal(journal) => return journal.messages(run, see),
        };
        let mut after = None;
        loop {
            let page = table.messages(run, after.as_deref()).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.message_id.clone());
            page.into_iter().try_for_each(&mut see)?;
        }
    }

    /// The run and the message that was sent with this id, if one was.
    pub(crate) async fn sent_as(&self, id: &str) -> anyhow::Result<Option<(String, Message)>> {
        match self {
            Self::Table(table, _) => Ok(table.sent_as(id).await?),
            Self::Journal(journal) => journal.sent_as(id),
        }
    }
}

fn default_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".local/state")));
    Some(state?.join("dead-letters"))
}
