//! A dump of a database that the real functions write to is one moment of it.

use serde_json::Value;
use sqlx::PgPool;

use super::fixture::{Fixture, id, number};
use crate::support::load::Load;

/// Tasks whose version is not the number of their facts. No relay runs, so each fact is still there.
const TASKS_WITHOUT_FACTS: &str = "
    SELECT count(*) FROM tasks
    FULL JOIN (
        SELECT tenant, task_id, count(*) AS facts FROM outbox
        WHERE type NOT LIKE '%rejected%' GROUP BY tenant, task_id
    ) AS published ON published.tenant = tasks.tenant AND task_id = tasks.id
    WHERE tasks.version IS DISTINCT FROM facts";
/// Changes without the command that made them, and the other way round.
const COMMANDS_WITHOUT_FACTS: &str = "
    SELECT count(*) FROM (
        SELECT DISTINCT task_id, (outcome #>> '{applied,version}')::bigint AS version FROM inbox
        WHERE outcome ? 'applied'
    ) AS commands
    FULL JOIN (
        SELECT task_id, (data ->> 'version')::bigint AS version FROM outbox
        WHERE type NOT LIKE '%rejected%'
    ) AS facts USING (task_id, version)
    WHERE commands.task_id IS NULL OR facts.task_id IS NULL";
const REFUSALS_WITHOUT_FACTS: &str = "
    SELECT (SELECT count(*) FROM inbox WHERE outcome ? 'refused')
        - (SELECT count(*) FROM outbox WHERE type LIKE '%rejected%')";
/// Facts that were given out a number that the next one would get again.
const NUMBERS_AHEAD: &str = "
    SELECT count(*) FROM outbox, outbox_seq_seq WHERE seq > last_value";

async fn is_one_moment(restored: &PgPool) {
    for check in
        [TASKS_WITHOUT_FACTS, COMMANDS_WITHOUT_FACTS, REFUSALS_WITHOUT_FACTS, NUMBERS_AHEAD]
    {
        assert_eq!(number(restored, check).await, 0, "{check}");
    }
}

fn rows(manifest: &Value, table: &str) -> i64 {
    manifest["contents"]["tables"][table]["rows"].as_i64().expect("a number")
}

#[tokio::test]
async fn a_dump_under_load_is_one_moment() {
    let (fixture, load) = (Fixture::new().await, Load::on(100, 14, 1_500));
    let _worker = fixture.system.worker().await;
    let dumps = async {
        let mut manifests = Vec::new();
        while manifests.len() < 3 {
            fixture.system.processed_some().await;
            manifests.push(fixture.dump().await);
        }
        manifests
    };
    let ((), manifests) = tokio::join!(fixture.system.send(&load.messages), dumps);
    fixture.system.processed(load.distinct).await;
    assert!(rows(&manifests[0], "inbox") < load.distinct, "the first one is of the middle");
    for manifest in &manifests {
        let (url, restored) = fixture.empty_database().await;
        let output = fixture.restore(id(manifest), &url, &[]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        is_one_moment(&restored).await;
        let inbox = number(&restored, "SELECT count(*) FROM inbox").await;
        assert_eq!(inbox, rows(manifest, "inbox"));
    }
    let verified = &fixture.json(&["verify"]).await[0];
    assert_eq!(verified["good"], true, "{verified}");
    assert!(verified["facts"].as_i64().expect("a number") > 0, "{verified}");
    load.assert_is_what_is_left(&fixture.system).await;
}
