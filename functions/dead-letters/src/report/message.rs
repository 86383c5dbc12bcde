//! One message of a queue.

use std::ops::ControlFlow;

use aws_config::SdkConfig;
use schemars::JsonSchema;
use serde::Serialize;

use super::read::{Reading, incomplete};
use crate::claimed_body::fetch;
use crate::dead_letter::DeadLetter;
use crate::ledger::{Ledger, LedgerOptions, Replayed, lineage};
use crate::queue::peek;

/// What `show --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    #[serde(flatten)]
    pub(crate) dead_letter: DeadLetter,
    /// The replays that it went through.
    pub(crate) lineage: Vec<Replayed>,
    /// What is in S3, if its body is there.
    pub(crate) claimed_body: Option<String>,
    /// Why that could not be fetched.
    pub(crate) claimed_body_failure: Option<String>,
}

impl Shown {
    /// With what the ledger knows of it, if there is one, and with what is in S3, if that is wanted.
    pub(crate) async fn new(
        dead_letter: DeadLetter,
        ledger: &LedgerOptions,
        aws: &SdkConfig,
        fetches: bool,
    ) -> anyhow::Result<Self> {
        let lineage = match Ledger::existing(ledger, aws) {
            Some(ledger) => lineage(&ledger, &dead_letter).await?,
            None => Vec::new(),
        };
        let content = match dead_letter.claim_check.as_ref().filter(|_| fetches) {
            Some(reference) => Some(fetch(&objects::client(aws), reference).await),
            None => None,
        };
        let (claimed_body, claimed_body_failure) = match content {
            Some(Ok(body)) => (Some(body), None),
            Some(Err(cause)) => (None, Some(cause)),
            None => (None, None),
        };
        Ok(Self { dead_letter, lineage, claimed_body, claimed_body_failure })
    }
}

/// What a search came to.
pub(crate) enum Searched {
    Found(Box<DeadLetter>),
    /// Not among so many messages, and perhaps why these are not all.
    NotAmong(usize, Option<String>),
}

/// Reads until a message is found by its id, its original id or that of its event.
pub(crate) async fn message(reading: Reading<'_>, id: &str) -> anyhow::Result<Searched> {
    let Reading { queue, progress, interrupt, .. } = reading;
    let mut found = None;
    let peeked = peek(queue, progress, interrupt, |message| {
        progress.advance();
        let dead_letter = DeadLetter::read(&message, queue);
        if !dead_letter.is(id) {
            return Ok(ControlFlow::Continue(()));
        }
        found = Some(dead_letter);
        Ok(ControlFlow::Break(()))
    });
    let peeked = peeked.await?;
    Ok(match found {
        Some(dead_letter) => Searched::Found(Box::new(dead_letter)),
        None => Searched::NotAmong(peeked.read, incomplete(queue, peeked)?),
    })
}
