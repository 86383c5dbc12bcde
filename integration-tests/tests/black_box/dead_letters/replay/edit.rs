//! Edited messages: checked, sent once, with a new id, and recorded.

use std::fs;

use runtime::sqs::claim_check::Reference;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::Replay;
use crate::dead_letters::fixture::{Fixture, stderr};
use crate::support::system::{TestSystem, event, eventually};

#[tokio::test]
async fn a_command_that_its_worker_rejected_takes_effect_once_it_is_edited() {
    let system = TestSystem::new().await;
    let queues = Fixture::of(system.aws.clone(), system.sqs.clone(), system.queue.clone());
    let replay = Replay::journal(queues);
    let _worker = system.worker().await;
    let task = Uuid::now_v7().to_string();
    let body = event("milk-1", "create-task", &task, &json!({"title": " "}));
    system.send(&[(task.clone(), body.clone())]).await;
    eventually("it is a dead letter", async || {
        (replay.queues.depth().await == (1, 0)).then_some(())
    })
    .await;

    let blank = ["--edit-jq", ".data.title = \"\""];
    let (code, report) = replay.replay(&blank).await;
    assert_eq!((code, &report["counts"]["failed"]), (Some(1), &json!(1)), "{report}");
    assert_eq!(
        replay.dead_letters().await,
        std::slice::from_ref(&body),
        "an edit that breaks the schema"
    );
    let run = report["run"].as_str().expect("a run");
    let failure = replay.runs(&[run]).await.pop().expect("a message");
    let cause = failure["failure"].as_str().expect("a cause");
    assert!(cause.contains("schema_violation at /data/title"), "{failure}");

    let title = ["--edit-jq", ".data.title = \"Milk\""];
    let (code, report) = replay.replay(&title).await;
    assert_eq!((code, &report["counts"]["edited"]), (Some(0), &json!(1)), "{report}");
    system.processed(1).await;
    assert_eq!(system.count("SELECT count(*) FROM tasks WHERE title = 'Milk'").await, 1);
    assert_eq!(system.count("SELECT count(*) FROM inbox WHERE command_id = 'milk-1'").await, 0);
    let run = report["run"].as_str().expect("a run");
    let message = replay.runs(&[run]).await.pop().expect("a message");
    assert_eq!(message["event_id"], "milk-1");
    assert_eq!(message["edit"]["editor"], "jq");
    let digest = Reference::new("", "", body.as_bytes()).sha256;
    assert_eq!(message["edit"]["original_sha256"], json!(digest));
    let new = message["edit"]["event_id"].as_str().expect("an id");
    let processed: String = sqlx::query_scalar("SELECT command_id FROM inbox")
        .fetch_one(&system.owner)
        .await
        .expect("a command");
    assert_eq!(processed, new);
}

#[tokio::test]
async fn a_dry_run_shows_the_first_changes_and_changes_nothing() {
    let replay = Replay::journal(Fixture::fifo().await);
    let messages: Vec<_> =
        (0..5).map(|n| ("g", format!("{{\"n\": {n}, \"cost\": 1.50}}"))).collect();
    replay.rejected("bad", &messages).await;
    let queue = replay.queues.name();
    let edit = ["replay", queue, "--dry-run", "--edit-jq", ".n |= if . == 0 then . else 10 end"];

    let output = replay.run(&[&edit[..], &["--no-schema", "--json"]].concat()).await;
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let changes = report["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 3);
    assert_eq!((&changes[0]["diff"], &changes[0]["failure"]), (&json!(null), &json!(null)));
    let diff = "@@ -1,4 +1,4 @@\n {\n-  \"n\": 1,\n+  \"n\": 10,\n   \"cost\": 1.50\n }";
    assert_eq!(changes[1]["diff"], diff);
    let printed = replay.run(&[&edit[..], &["--no-schema"]].concat()).await;
    let printed = String::from_utf8(printed.stdout).expect("text");
    assert!(printed.contains(diff) && printed.contains("would be sent as it is"), "{printed}");
    let refused = replay.run(&edit).await;
    let refused = String::from_utf8(refused.stdout).expect("text");
    assert!(refused.contains("would not be sent: its type has no schema"), "{refused}");
    assert_eq!(replay.queues.depth().await, (5, 0));
}

#[tokio::test]
async fn messages_are_edited_by_a_patch_or_in_an_editor_and_sent_in_their_order() {
    let replay = Replay::journal(Fixture::fifo().await);
    let messages: Vec<_> =
        (0..12).map(|n| ("g", format!("{{\"n\": {n}, \"cost\": 1.50}}"))).collect();
    replay.rejected("bad", &messages).await;
    let patch = tempfile::NamedTempFile::new().expect("a file");
    let operation = json!([{"op": "add", "path": "/late", "value": true}]);
    fs::write(patch.path(), operation.to_string()).expect("written");
    let file = patch.path().to_str().expect("a path");
    let (code, report) =
        replay.replay(&["--edit-patch", file, "--no-schema", "--limit", "6"]).await;
    assert_eq!((code, &report["counts"]["edited"]), (Some(0), &json!(6)), "{report}");

    let queue = replay.queues.name();
    let words = ["replay", queue, "--why", "a test", "--edit", "--no-schema", "--json"];
    let mut tool = replay.command(&replay.queues.aws.endpoint, &words);
    let output = tool.env("EDITOR", "sed -i s/1.50/1.5/").output().await.expect("a run");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let expected: Vec<_> = (0..12)
        .map(|n| match n {
            0..6 => format!("{{\"n\":{n},\"cost\":1.50,\"late\":true}}"),
            _ => format!("{{\"n\":{n},\"cost\":1.5}}"),
        })
        .collect();
    assert_eq!(replay.consumed_bodies().await, expected);

    let output = replay.run(&words).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("set VISUAL or EDITOR"), "{output:?}");
}

#[tokio::test]
async fn a_body_in_s3_is_edited_and_sent_in_the_message_if_it_fits() {
    let system = TestSystem::new().await;
    let queues = Fixture::of(system.aws.clone(), system.sqs.clone(), system.queue.clone());
    let replay = Replay::journal(queues);
    let (s3, bucket) = (system.s3(), format!("claims-{}", Uuid::new_v4().simple()));
    s3.create_bucket().bucket(&bucket).send().await.expect("a bucket");
    let task = Uuid::now_v7().to_string();
    let data = json!({"title": " ", "description": "x".repeat(2_000)}).to_string();
    let put =
        s3.put_object().bucket(&bucket).key("claims/1").body(data.clone().into_bytes().into());
    put.send().await.expect("put");
    let reference = Reference::new(&bucket, "claims/1", data.as_bytes());
    let mut body: Value =
        serde_json::from_str(&event("big-1", "create-task", &task, &json!({}))).expect("JSON");
    let members = body.as_object_mut().expect("an object");
    members.remove("data");
    members.insert("dataref".to_owned(), json!(format!("s3://{bucket}/claims/1")));
    let source = replay.queues.queue.url.rsplit('/').next().expect("a name").to_owned();
    let details =
        json!({"reason": "schema_violation", "queue": format!("arn:aws:sqs:x:1:{source}")});
    let attributes = [
        ("DeadLetterReason", "schema_violation"),
        ("DeadLetter", &details.to_string()),
        ("ClaimCheck", &reference.to_json()),
    ];
    replay.queues.put(&task, &body.to_string(), &attributes).await;

    let (code, report) = replay.replay(&["--edit-jq", ".data.title = \"Milk\""]).await;
    assert_eq!(code, Some(0), "{report}");
    let messages = replay.consume().await;
    let sent = messages[0].body().expect("a body");
    let event = events::decode(sent).expect("a whole command");
    assert_ne!(event.id.to_string(), "big-1");
    let claim_check = messages[0].message_attributes().and_then(|all| all.get("ClaimCheck"));
    assert_eq!(claim_check, None, "the body is in the message now");
}

#[tokio::test]
async fn an_edited_body_that_does_not_fit_is_in_s3_before_its_message_is_sent() {
    let replay = Replay::journal(Fixture::standard().await);
    let (s3, bucket) = replay.queues.bucket().await;
    let data = json!({"title": " ", "text": "x".repeat(300_000)}).to_string();
    let put =
        s3.put_object().bucket(&bucket).key("claims/1").body(data.clone().into_bytes().into());
    put.send().await.expect("put");
    let reference = Reference::new(&bucket, "claims/1", data.as_bytes()).to_json();
    replay.queues.put("", "see S3", &[("ClaimCheck", &reference)]).await;

    let (code, report) = replay.replay(&["--edit-jq", ".title = \"Milk\"", "--no-schema"]).await;
    assert_eq!(code, Some(0), "{report}");
    let message = replay.consume().await.remove(0);
    assert_eq!(message.body(), Some("see S3"));
    let attributes = message.message_attributes().expect("attributes");
    let reference = attributes["ClaimCheck"].string_value().expect("a text");
    let reference: Reference = serde_json::from_str(reference).expect("a reference");
    assert_ne!(reference.key, "claims/1", "beside the old one");
    let object = s3.get_object().bucket(&bucket).key(&reference.key).send().await.expect("it");
    let edited = object.body.collect().await.expect("its body").into_bytes();
    assert!(reference.fits(&edited));
    assert_eq!(edited, data.replacen("\" \"", "\"Milk\"", 1).as_bytes());
}
