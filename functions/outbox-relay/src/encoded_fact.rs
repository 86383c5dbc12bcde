//! A fact as it is sent.

use anyhow::Context as _;
use domain::{TaskId, TenantId, Timestamp};
use events::{FactRecord, encode_fact};
use serde_json::value::RawValue;
use store::{PendingFact, TaskKey};
use uuid::Uuid;

/// The event of a fact, made once for all queues.
#[derive(Debug)]
pub(crate) struct EncodedFact {
    /// The fact's place among those of its task.
    pub(crate) seq: i64,
    /// The event's id, and the message's deduplication id.
    pub(crate) id: Uuid,
    /// The task, whose facts stay in order; a FIFO queue groups by its identifier.
    pub(crate) task: TaskKey,
    /// The event.
    pub(crate) body: String,
    /// The URLs of queues that are known to have it.
    pub(crate) published_to: Vec<String>,
}

impl EncodedFact {
    /// # Errors
    /// When the row holds something that the contract does not allow: no attempt mends that.
    pub(crate) fn new(fact: &PendingFact) -> anyhow::Result<Self> {
        let data: &RawValue = serde_json::from_str(&fact.data).context("the data")?;
        let occurred_at: Timestamp = fact.occurred_at.parse().context("the time")?;
        let record = FactRecord {
            id: fact.id,
            tenant: TenantId::try_from(fact.task.tenant.clone()).context("the tenant")?,
            task: TaskId::try_from(fact.task.task).context("the task's identifier")?,
            kind: &fact.kind,
            data,
            traceparent: fact.traceparent.as_deref(),
            occurred_at,
        };
        let body = encode_fact(&record).context("the event")?;
        Ok(Self {
            seq: fact.seq,
            id: fact.id,
            task: fact.task.clone(),
            body,
            published_to: fact.published_to.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact() -> PendingFact {
        PendingFact {
            seq: 7,
            id: Uuid::from_u128(42),
            task: TaskKey {
                tenant: "acme".to_owned(),
                task: "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10".parse().unwrap(),
            },
            kind: "dev.task-app.task.created.v1".to_owned(),
            data: r#"{"title":"Buy milk"}"#.to_owned(),
            traceparent: None,
            occurred_at: "2026-01-31T09:30:00.123456+00:00".to_owned(),
            published_to: Vec::new(),
            is_retry: false,
        }
    }

    #[test]
    fn an_event_has_the_facts_own_id_and_its_time_and_data_as_they_are() {
        let encoded = EncodedFact::new(&fact()).unwrap();
        let event: serde_json::Value = serde_json::from_str(&encoded.body).unwrap();
        assert_eq!(event["id"], fact().id.to_string());
        assert_eq!(event["time"], "2026-01-31T09:30:00.123456Z");
        assert_eq!(event["data"]["title"], "Buy milk");
    }

    #[test]
    fn a_row_that_the_contract_does_not_allow_is_no_event() {
        let key = |tenant: &str, task| TaskKey { tenant: tenant.to_owned(), task };
        let task = fact().task.task;
        for (part, unreadable) in [
            ("tenant", PendingFact { task: key("NOT A TENANT", task), ..fact() }),
            ("identifier", PendingFact { task: key("acme", Uuid::nil()), ..fact() }),
            ("time", PendingFact { occurred_at: "infinity".to_owned(), ..fact() }),
            ("time", PendingFact { occurred_at: "0001-01-01T00:00:00+00:00 BC".into(), ..fact() }),
            ("data", PendingFact { data: "{".to_owned(), ..fact() }),
        ] {
            let error = EncodedFact::new(&unreadable).unwrap_err();
            assert!(format!("{error:#}").contains(part), "{part}: {error:#}");
        }
    }
}
