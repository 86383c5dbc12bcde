//! The ledger of replays of dead letters: who replayed what, when, why and how it ended.
//!
//! A run is written before anything moves, and each message before it is sent. So whenever a process ends,
//! another one finds out what is left to do. The table's key is `run` and `message`; runs themselves are in
//! the partition `runs`, so that they are listed without a scan.

mod item;
mod run;

pub use run::{Counts, Edit, Message, MessageState, Run, RunState};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use chrono::{DateTime, Utc};
use domain::time::rfc3339;
use item::{RUN, RUNS, insert, key, read, text, to_item, update};

use crate::statements::{Effect, Failure, execute, unavailable};

/// Items of a `BatchGetItem`: the most that DynamoDB allows.
const GETS: usize = 100;
/// The index by which a message that was sent is found.
const SENT_INDEX: &str = "sent";

/// The ledger. Clones share one client.
#[derive(Clone, Debug)]
pub struct Replays {
    client: Client,
    table: String,
}

/// What became of the wish to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It was not a part of the run before.
    New,
    /// The run knows it, as this.
    Known(Box<Message>),
}

impl Replays {
    /// A ledger that connects when it is first used.
    #[must_use]
    pub fn new(aws: &SdkConfig, table: &str) -> Self {
        Self { client: Client::new(aws), table: table.to_owned() }
    }

    /// Writes a new run, which `holder` holds until `until`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or has a run of this id.
    pub async fn begin(
        &self,
        run: &Run,
        holder: &str,
        until: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let request = self.client.put_item().table_name(&self.table);
        let request = request
            .set_item(Some(to_item(run, holder, until)?))
            .condition_expression("attribute_not_exists(message)");
        request.send().await.map_err(unavailable)?;
        Ok(())
    }

    /// Writes a run that `holder` holds, and goes on to hold until `until`. Whether it still held it:
    /// otherwise nothing is written.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn renew(
        &self,
        run: &Run,
        holder: &str,
        until: DateTime<Utc>,
    ) -> Result<bool, Failure> {
        self.put_if(run, holder, until, "holder = :holder", &[(":holder", holder)]).await
    }

    /// The same for one who does not hold it: if nobody does at `now`, or whoever does.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn take_over(
        &self,
        run: &Run,
        holder: &str,
        until: DateTime<Utc>,
        now: Option<DateTime<Utc>>,
    ) -> Result<bool, Failure> {
        match now {
            None => self.put_if(run, holder, until, "attribute_exists(message)", &[]).await,
            Some(now) => {
                let now = rfc3339(now);
                self.put_if(run, holder, until, "held_until <= :now", &[(":now", &now)]).await
            }
        }
    }

    async fn put_if(
        &self,
        run: &Run,
        holder: &str,
        until: DateTime<Utc>,
        condition: &str,
        values: &[(&str, &str)],
    ) -> Result<bool, Failure> {
        let mut request = self.client.put_item().table_name(&self.table);
        for (name, value) in values {
            request = request.expression_attribute_values(*name, text(value));
        }
        let item = to_item(run, holder, until)?;
        let answer = request.set_item(Some(item)).condition_expression(condition).send().await;
        match answer.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// A run, and until when somebody holds it.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or holds what is no run of ours.
    pub async fn run(&self, run: &str) -> Result<Option<(Run, DateTime<Utc>)>, Failure> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let request = request.set_key(Some(key(RUNS, run)));
        let Some(item) = request.send().await.map_err(unavailable)?.item else { return Ok(None) };
        Ok(Some((read(&item)?, item::held_until(&item).unwrap_or_default())))
    }

    /// The newest runs, the last one first.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or holds what is no run of ours.
    pub async fn runs(&self, limit: u16) -> Result<Vec<Run>, Failure> {
        let request = self.client.query().table_name(&self.table);
        let request = request
            .key_condition_expression("#run = :runs")
            .expression_attribute_names("#run", RUN)
            .expression_attribute_values(":runs", text(RUNS))
            .scan_index_forward(false)
            .limit(limit.into());
        let answer = request.send().await.map_err(unavailable)?;
        answer.items().iter().map(read).collect()
    }

    /// Begins to send messages, which must differ; one answer each, in order.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses.
    pub async fn claim(&self, run: &str, messages: &[Message]) -> Result<Vec<Claim>, Failure> {
        let statements = messages.iter().map(|message| insert(&self.table, run, message));
        let effects = execute(&self.client, statements.collect()).await;
        let effects = effects.into_iter().collect::<Result<Vec<_>, _>>()?;
        let claimed = messages.iter().zip(&effects);
        let known = claimed.filter(|(_, effect)| **effect == Effect::Unchanged);
        let known = self.get(run, known.map(|(message, _)| &*message.message_id).collect()).await?;
        let claim = |message: &Message, effect| match effect {
            Effect::Written => Ok(Claim::New),
            Effect::Unchanged => {
                let known = known.iter().find(|known| known.message_id == message.message_id);
                known
                    .map(|known| Claim::Known(Box::new(known.clone())))
                    .ok_or_else(item::unreadable)
            }
        };
        messages.iter().zip(effects).map(|(message, effect)| claim(message, effect)).collect()
    }

    /// Writes what became of messages that were claimed.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses.
    pub async fn record(&self, run: &str, messages: &[Message]) -> Result<(), Failure> {
        let statements = messages.iter().map(|message| update(&self.table, run, message));
        let effects = execute(&self.client, statements.collect()).await;
        effects.into_iter().try_for_each(|effect| effect.map(drop))
    }

    /// A page of a run's messages behind the one with the id `after`; an empty one is the last.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or holds what is no message of ours.
    pub async fn messages(&self, run: &str, after: Option<&str>) -> Result<Vec<Message>, Failure> {
        let request = self.client.query().table_name(&self.table).consistent_read(true);
        let request = request
            .key_condition_expression("#run = :run AND message > :after")
            .expression_attribute_names("#run", RUN)
            .expression_attribute_values(":run", text(run))
            // No id is less than a space, and no key is empty.
            .expression_attribute_values(":after", text(after.unwrap_or(" ")));
        let answer = request.send().await.map_err(unavailable)?;
        answer.items().iter().map(read).collect()
    }

    /// The run and the message that was sent with this id, if one was.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or holds what is no message of ours.
    pub async fn sent_as(&self, sent_id: &str) -> Result<Option<(String, Message)>, Failure> {
        let request = self.client.query().table_name(&self.table).index_name(SENT_INDEX);
        let request = request
            .key_condition_expression("sent_id = :sent_id")
            .expression_attribute_values(":sent_id", text(sent_id))
            .limit(1);
        let answer = request.send().await.map_err(unavailable)?;
        let Some(item) = answer.items().first() else { return Ok(None) };
        let run = item.get(RUN).and_then(|run| run.as_s().ok()).cloned();
        Ok(Some((run.ok_or_else(item::unreadable)?, read(item)?)))
    }

    async fn get(&self, run: &str, ids: Vec<&str>) -> Result<Vec<Message>, Failure> {
        let mut messages = Vec::new();
        for ids in ids.chunks(GETS) {
            let keys = ids.iter().map(|id| key(run, id)).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let keys = keys.build().map_err(unavailable)?;
            let request = self.client.batch_get_item().request_items(&self.table, keys);
            let answer = request.send().await.map_err(unavailable)?;
            let items = answer.responses.unwrap_or_default().remove(&self.table);
            for item in items.iter().flatten() {
                messages.push(read(item)?);
            }
        }
        Ok(messages)
    }
}
