//! The programs that move messages from a dead-letter queue to the queue that they were in.

use anyhow::{Context as _, Result};
use local_stack::{Program, Queue};

use super::turn::{Bench, name};

/// Requests at a time of the bare one: as many as ours has batches on their way.
pub(super) const CONNECTIONS: &str = "16";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mover {
    /// `dead-letters replay`, with its ledger in files, as it is without settings.
    Ours,
    /// The same, with its ledger in DynamoDB.
    Shared,
    /// Three requests for ten messages, and nothing else.
    Bare,
    /// `sqs_mover`, in Python.
    Python,
}

impl Mover {
    pub(super) const ALL: [Self; 4] = [Self::Ours, Self::Bare, Self::Python, Self::Shared];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours, ledger in files",
            Self::Shared => "ours, ledger in DynamoDB",
            Self::Bare => "receive, send and delete",
            Self::Python => "sqs_mover",
        }
    }

    /// How many it moves in a turn, if others move so many. The server that stands in for `DynamoDB` is slow.
    pub(super) fn messages(self, of_others: usize) -> usize {
        if self == Self::Shared { of_others / 5 } else { of_others }
    }

    /// `sqs_mover` knows no groups: SQS would refuse what it sends to a FIFO queue.
    pub(super) fn is_fifo(self) -> bool {
        self != Self::Python
    }

    /// How `movers check` names what arrives.
    pub(super) fn arrives(self) -> &'static str {
        match self {
            Self::Ours | Self::Shared => "restored",
            Self::Bare | Self::Python => "copied",
        }
    }

    /// The program, ready to be started.
    pub(super) fn program(self, bench: &Bench, queue: &Queue, messages: &str) -> Result<Program> {
        let (from, to) = (&*queue.dead_letter_url, &*queue.url);
        let replay = |ledger: [&str; 2]| {
            let words = ["dead-letters", "replay", from, "--why", "make bench"];
            bench.program("task-app", &[&words[..], &ledger].concat())
        };
        Ok(match self {
            Self::Ours => {
                let folder =
                    bench.journal.path().to_str().context("a folder whose path is text")?;
                replay(["--journal", folder])
            }
            Self::Shared => replay(["--ledger", "task-replays"]),
            Self::Bare => {
                let most = ["--messages", messages, "--connections", CONNECTIONS];
                bench.program("movers", &[&["move", from, to][..], &most].concat())
            }
            Self::Python => {
                let mut program = bench.program(self.name(), &["-s", name(from), "-d", name(to)]);
                program.executable = bench.services.join("sqs-mover/bin/sqsmover");
                let region = &bench.functions.aws.region;
                program.environment = program.environment.with("AWS_DEFAULT_REGION", region);
                program
            }
        })
    }
}
