//! How often a dead letter was replayed before, and as what.

use anyhow::Result;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::Ledger;
use crate::dead_letter::DeadLetter;

/// Replays that are looked for, from the last one backwards.
const MOST: usize = 20;

/// A replay after which the message was a dead letter again.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Replayed {
    pub(crate) run: String,
    /// Its id in the dead-letter queue then.
    pub(crate) message_id: String,
    #[serde(serialize_with = "domain::time::serialize")]
    pub(crate) at: DateTime<Utc>,
    pub(crate) edited: bool,
    /// In the operator's words.
    pub(crate) why: String,
}

/// The last one first. SQS moves a message with its id, and a handler sends a copy that names it.
pub(crate) async fn lineage(ledger: &Ledger, dead_letter: &DeadLetter) -> Result<Vec<Replayed>> {
    let mut lineage = Vec::new();
    let mut sent_id = dead_letter.sent_id().to_owned();
    while let Some((run, message)) = ledger.sent_as(&sent_id).await? {
        let why = ledger.run(&run).await?.map(|run| run.why).unwrap_or_default();
        let (message_id, at, edited) = (message.message_id, message.at, message.edit.is_some());
        sent_id = message.first_id;
        lineage.push(Replayed { run, message_id, at, edited, why });
        if lineage.len() == MOST {
            break;
        }
    }
    Ok(lineage)
}
