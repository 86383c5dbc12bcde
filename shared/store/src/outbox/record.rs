//! From a row of the outbox to the record that is published.

use anyhow::Context as _;
use domain::{Actor, TaskId, TenantId, Timestamp};
use events::FactRecord;
use serde_json::value::RawValue;
use sqlx::types::Uuid;

/// What a row of the outbox holds, not understood yet.
pub(super) struct Row<'a> {
    pub(super) id: Uuid,
    pub(super) tenant: &'a str,
    pub(super) task: Uuid,
    pub(super) kind: String,
    pub(super) data: String,
    pub(super) actor: Option<String>,
    pub(super) traceparent: Option<String>,
    pub(super) occurred_at: &'a str,
}

/// The record of a row.
///
/// # Errors
/// When the row holds something that the contract does not allow. It names the part, not the value.
pub(super) fn record(row: Row<'_>) -> anyhow::Result<FactRecord> {
    let occurred_at: Timestamp = row.occurred_at.parse().context("the time")?;
    Ok(FactRecord {
        id: row.id,
        tenant: row.tenant.parse::<TenantId>().context("the tenant")?,
        task: TaskId::try_from(row.task).context("the task's identifier")?,
        kind: row.kind,
        data: RawValue::from_string(row.data).context("the data")?,
        actor: row.actor.map(Actor::try_from).transpose().context("the actor")?,
        traceparent: row.traceparent,
        occurred_at,
    })
}

#[cfg(test)]
mod tests {
    use events::encode_fact;

    use super::*;

    const TASK: Uuid = Uuid::from_u128(0x0192_f1a0_7c3e_7b44_9a53_3a1d_0d4f_5e10);
    const DATA: &str = r#"{"title":"Buy milk"}"#;
    const TIME: &str = "2026-01-31T09:30:00.123456+00:00";

    fn read(tenant: &str, task: Uuid, data: &str, time: &str) -> anyhow::Result<FactRecord> {
        let kind = "dev.task-app.task.created.v1".to_owned();
        record(row(tenant, task, kind, data, time))
    }

    fn row<'a>(tenant: &'a str, task: Uuid, kind: String, data: &str, time: &'a str) -> Row<'a> {
        let (id, actor) = (Uuid::from_u128(42), Some("ann".to_owned()));
        let data = data.to_owned();
        Row { id, tenant, task, kind, data, actor, traceparent: None, occurred_at: time }
    }

    #[test]
    fn an_event_has_the_facts_own_id_and_its_time_and_data_as_they_are() {
        let record = read("acme", TASK, DATA, TIME).unwrap();
        let event: serde_json::Value =
            serde_json::from_str(&encode_fact(&record).unwrap()).unwrap();
        assert_eq!(event["id"], Uuid::from_u128(42).to_string());
        assert_eq!(event["time"], "2026-01-31T09:30:00.123456Z");
        assert_eq!(event["data"]["title"], "Buy milk");
        assert_eq!(event["actor"], "ann");
    }

    #[test]
    fn a_row_that_the_contract_does_not_allow_is_no_event() {
        for (part, unreadable) in [
            ("tenant", read("NOT A TENANT", TASK, DATA, TIME)),
            ("identifier", read("acme", Uuid::nil(), DATA, TIME)),
            ("time", read("acme", TASK, DATA, "infinity")),
            ("time", read("acme", TASK, DATA, "0001-01-01T00:00:00+00:00 BC")),
            ("data", read("acme", TASK, "{", TIME)),
        ] {
            let error = unreadable.unwrap_err();
            assert!(format!("{error:#}").contains(part), "{part}: {error:#}");
        }
    }
}
