//! From a queue of commands to the database, by one process: what it costs, beside consumers as others would
//! write them.
//!
//! The figures are processor time, and not time: one process beside PostgreSQL on few processors would
//! otherwise be measured by what else runs.

mod consumer;
mod lambda;
mod measure;
mod report;

use anyhow::Result;

use crate::part::Run;

/// Who consumes the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    /// The same runtime, whose handler does nothing.
    Empty,
    /// In JavaScript: sqs-consumer and pg.
    SqsConsumer,
    /// In Python: boto3 and psycopg.
    Boto3,
    OursAsLambda,
    /// In Python, as a Lambda: Powertools' batch processor and psycopg.
    Powertools,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Ours,
        Self::Empty,
        Self::SqsConsumer,
        Self::Boto3,
        Self::OursAsLambda,
        Self::Powertools,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "`command-worker`",
            Self::Empty => "the same runtime with an empty handler",
            Self::SqsConsumer => "sqs-consumer with pg (JavaScript)",
            Self::Boto3 => "boto3 with psycopg (Python)",
            Self::OursAsLambda => "`command-worker` as a Lambda",
            Self::Powertools => "Powertools with psycopg (Python), as a Lambda",
        }
    }

    /// What is measured beside it.
    fn ours(self) -> Self {
        if self.is_lambda() { Self::OursAsLambda } else { Self::Ours }
    }

    /// The ratio of ours to it that is aimed at, in the process itself.
    fn aim(self) -> Option<f64> {
        match self {
            Self::Ours | Self::Empty | Self::OursAsLambda => None,
            Self::SqsConsumer | Self::Boto3 | Self::Powertools => Some(0.25),
        }
    }

    fn is_lambda(self) -> bool {
        matches!(self, Self::OursAsLambda | Self::Powertools)
    }
}

/// How many commands, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) commands: usize,
    /// An invocation has ten, and Powertools writes each by itself.
    pub(crate) of_lambda: usize,
    pub(crate) rounds: u32,
}

impl Effort {
    const QUICK: Self = Self { commands: 2_000, of_lambda: 500, rounds: 1 };
    const FULL: Self = Self { commands: 10_000, of_lambda: 2_500, rounds: 3 };

    fn commands(self, kind: Kind) -> usize {
        if kind.is_lambda() { self.of_lambda } else { self.commands }
    }
}

/// Measures all of them.
pub(crate) async fn measure(run: &Run) -> Result<String> {
    let effort = run.choose(Effort::FULL, Effort::QUICK);
    let measured = measure::all(run, effort).await?;
    report::text(&measured, effort)
}
