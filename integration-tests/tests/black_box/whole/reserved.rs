//! Sources of this service are for it alone, whoever sends under them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{get, post};
use crate::dead_letters::dead_letters;
use crate::publish::publish;
use crate::support::system::{TestSystem, event, eventually};

/// A command that claims to come from `source`.
fn claiming(source: &str, subject: &str) -> String {
    let title = json!({"title": "Claimed"});
    event("key", "create-task", subject, &title).replace("/black-box", source)
}

#[tokio::test]
async fn a_producer_may_not_send_under_a_source_of_ours() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (writer, reader, _worker) =
        (system.writer().await, system.reader().await, system.worker().await);
    let sources = ["urn:task-app:http:attachment", "urn:task-app:http:batch:0", "URN:TASK-APP:x"];
    let subject = Uuid::now_v7().to_string();
    let claimed: Vec<_> = sources.map(|source| claiming(source, &subject)).to_vec();
    let mut messages: Vec<_> = claimed.iter().map(|body| (subject.clone(), body.clone())).collect();
    messages.push((subject.clone(), claiming("/theirs", &subject)));
    system.send(&messages).await;
    system.processed(1).await;
    let found = dead_letters(&system, claimed.len()).await;
    for body in &claimed {
        let (reason, report) = &found[body];
        assert_eq!(reason, "source_reserved", "{report}");
        assert!(report["detail"].as_str().is_some_and(|detail| detail.contains("/source")));
    }
    let dry = publish(&system, &["--dry-run", "--json"], &claimed.join("\n"));
    let report: Value = serde_json::from_slice(&dry.stdout).expect("JSON");
    assert_eq!(
        (&report["valid"], &report["refused"][2]["reason"]),
        (&json!(0), &json!("source_reserved"))
    );
    assert_eq!(report["refused"][0]["pointer"], "/source");

    // What this service itself sends through the same queue is applied.
    let headers = [("prefer", "respond-async"), ("idempotency-key", "key")];
    let accepted = post(&system, &writer, &json!({"title": "Ours"}), &headers).await;
    let path = format!("/v1/operations/{}", accepted["id"].as_str().expect("an id"));
    eventually("the operation succeeds", async || {
        (get(&system, &reader, &path).await.1["status"] == "succeeded").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_refuses_what_the_door_refuses() {
    let system = TestSystem::new().await;
    let task = Uuid::now_v7().to_string();
    let year_zero = json!({"title": "Year zero", "due_date": "0000-01-01"});
    let events = [
        event("1", "create-task", &task, &year_zero),
        event("2", "create-task", &task, &json!({"title": "page \u{ffff} 1"})),
    ];
    let dry = publish(&system, &["--dry-run", "--json"], &events.join("\n"));
    let report: Value = serde_json::from_slice(&dry.stdout).expect("JSON");
    assert_eq!(report["valid"], 1);
    let refused = &report["refused"][0];
    assert_eq!(
        (&refused["reason"], &refused["pointer"]),
        (&json!("schema_violation"), &json!("/data/due_date"))
    );
}
