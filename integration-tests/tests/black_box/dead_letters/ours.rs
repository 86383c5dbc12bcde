//! What a worker of ours dead-lettered is read as it was written.

use std::fs;

use local_stack::repository;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::{Fixture, stderr};
use crate::support::system::{TestSystem, event, eventually};

#[tokio::test]
async fn a_dead_letter_of_ours_has_its_reason_its_detail_and_its_body() {
    let system = TestSystem::new().await;
    let fixture = Fixture::of(system.aws.clone(), system.sqs.clone(), system.queue.clone());
    let _worker = system.worker().await;
    let file = "events/examples/invalid/dev.task-app.create-task.v1.blank-title.json";
    let body = fs::read_to_string(repository().join(file)).expect("an example");
    let task = Uuid::now_v7().to_string();
    let other = event("7", "rename-task", &task, &json!({}));
    system.send(&[(task.clone(), body.clone()), (task.clone(), other)]).await;
    eventually("both are dead letters", async || (fixture.depth().await == (2, 0)).then_some(()))
        .await;

    let name = fixture.name();
    let listed = fixture.json(&["ls", name, "--reason", "schema_violation"]).await;
    assert_eq!(listed.len(), 1);
    let id = listed[0]["message_id"].as_str().expect("an id");
    let shown = &fixture.json(&["show", name, id]).await[0];
    for (member, expected) in [
        ("reason", json!("schema_violation")),
        ("moved_by", json!("handler")),
        ("attempts", json!(1)),
        ("handler", json!("command-worker")),
        ("group", json!(task)),
        ("type", json!("dev.task-app.create-task.v1")),
        ("body", json!(body)),
        ("body_bytes", json!(body.len())),
        ("attributes", json!({})),
    ] {
        assert_eq!(shown[member], expected, "{member}");
    }
    assert!(shown["detail"].as_str().is_some_and(|detail| detail.contains("/data/title")));
    assert!(system.queue.url.ends_with(shown["source_queue"].as_str().expect("a name")));
    assert_eq!(shown["deduplication_id"], shown["original_message_id"]);

    // By the id that it had before, and by its event's.
    let original = shown["original_message_id"].as_str().expect("an id");
    assert_eq!(&fixture.json(&["show", name, original]).await[0]["message_id"], id);
    let by_event = fixture.json(&["show", name, "7"]).await;
    assert_eq!(by_event[0]["reason"], "unknown_type");
    let missing = fixture.run(&["show", name, "8"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(
        stderr(&missing),
        format!("error: none of the 2 messages of {name} that were read is 8\n")
    );

    let groups = &fixture.json(&["groups", name]).await[0];
    let reasons: Vec<&Value> =
        groups["groups"].as_array().expect("groups").iter().map(|group| &group["reason"]).collect();
    assert_eq!(reasons, ["schema_violation", "unknown_type"]);
    let report: Vec<_> = groups.as_object().expect("an object").keys().collect();
    let members = ["complete", "groups", "in_queue", "matched", "queue", "read", "ungrouped"];
    assert_eq!(report, members);
    let group: Vec<_> = groups["groups"][0].as_object().expect("an object").keys().collect();
    let members = [
        "count",
        "fingerprint",
        "first_sent_at",
        "last_sent_at",
        "moved_by",
        "reason",
        "sample",
        "type",
    ];
    assert_eq!(group, members);
}
