//! `publish`, as a producer uses it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use aws_sdk_sqs::types::MessageSystemAttributeName;
use local_stack::repository;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::system::{TestSystem, binary, event};

/// Runs `publish` on standard input, against the system's queue.
pub(crate) fn publish(system: &TestSystem, arguments: &[&str], input: &str) -> Output {
    let mut publish = Command::new(binary("publish"))
        .args(arguments)
        .current_dir(repository())
        .env_clear()
        .envs(system.environment(&system.database.owner_url).iter())
        .env("QUEUE_URL", &system.queue.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    publish.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    publish.wait_with_output().expect("an end")
}

#[tokio::test]
async fn events_from_standard_input_are_sent_in_order_and_the_bad_ones_named() {
    let system = TestSystem::new().await;
    let _worker = system.worker().await;
    let subject = Uuid::now_v7().to_string();
    let mut lines = vec![event("0", "create-task", &subject, &json!({"title": "Name 0"}))];
    for number in 1..25 {
        let patch =
            json!({"patch": {"title": format!("Name {number}")}, "expected_version": number});
        lines.push(event(&number.to_string(), "update-task", &subject, &patch));
    }
    lines.insert(3, "{\"not\": \"an event\"}".to_owned());

    let output = publish(&system, &["--json"], &lines.join("\n"));
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["sent"], 25);
    assert_eq!(report["refused"][0]["place"], "standard input:4");
    assert_eq!(report["refused"][0]["reason"], "schema_violation");
    system.processed(25).await;
    let applied = "SELECT count(*) FROM tasks WHERE title = 'Name 24' AND version = 25";
    assert_eq!(system.count(applied).await, 1);
}

#[tokio::test]
async fn files_are_sent_and_a_dry_run_sends_nothing() {
    let system = TestSystem::new().await;
    let file = "events/examples/valid/dev.task-app.create-task.v1.full.json";
    let dry = publish(&system, &["--dry-run", file], "");
    assert_eq!(String::from_utf8_lossy(&dry.stdout), "1 valid, 0 refused\n");
    let sent = publish(&system, &[file], "");
    assert_eq!(String::from_utf8_lossy(&sent.stdout), "1 sent, 0 refused\n");
    assert!(sent.status.success());

    let _worker = system.worker().await;
    system.processed(1).await;
}

#[tokio::test]
async fn what_cannot_run_says_why() {
    let system = TestSystem::new().await;
    let missing = publish(&system, &["no-such-file.json"], "");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("reading no-such-file.json"));
    let file = "events/examples/valid/dev.task-app.create-task.v1.full.json";
    let url = format!("{}-that-does-not-exist", system.queue.url);
    let nowhere = publish(&system, &["--queue-url", &url, file], "");
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&nowhere.stderr).contains("QueueDoesNotExist: "),
        "{nowhere:?}"
    );
}

#[tokio::test]
async fn a_message_is_what_the_guide_says_and_two_sources_may_use_one_id() {
    let system = TestSystem::new().await;
    let subject = Uuid::now_v7().to_string();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut first: Value =
        serde_json::from_str(&event("1", "create-task", &subject, &json!({"title": "First"})))
            .expect("JSON");
    first["traceparent"] = traceparent.into();
    let mut second = first.clone();
    second["source"] = "/elsewhere".into();
    let sent = publish(&system, &[], &format!("{first}\n{second}"));
    assert_eq!(String::from_utf8_lossy(&sent.stdout), "2 sent, 0 refused\n");

    let receive = system.sqs.receive_message().queue_url(&system.queue.url);
    let receive = receive.max_number_of_messages(10).message_attribute_names("All");
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    let received = receive.send().await.expect("an answer").messages.unwrap_or_default();
    // printf 'acme\n/black-box\n1' | sha256sum, and so for the other.
    let ids = [
        "b27e789aca27f7298ff4b9b9fe6bcafad325394cc34e20e3d2c37ce4d2daeb1b",
        "b4f4acad5ede85e76591e464cf7efc70e8c7523cda1d054873ba1f0dbd604066",
    ];
    assert_eq!(received.len(), ids.len());
    for ((message, id), event) in received.iter().zip(ids).zip([first, second]) {
        assert_eq!(message.body(), Some(event.to_string().as_str()));
        let system = message.attributes().expect("attributes");
        assert_eq!(system[&MessageSystemAttributeName::MessageGroupId], subject);
        assert_eq!(system[&MessageSystemAttributeName::MessageDeduplicationId], id);
        let attributes = message.message_attributes().expect("attributes");
        assert_eq!(attributes["traceparent"].string_value(), Some(traceparent));
        assert_eq!(attributes.len(), 1);
    }
}

#[tokio::test]
async fn data_travels_apart_once_and_the_worker_takes_no_more_than_fits_into_its_memory() {
    let system = TestSystem::new().await;
    let (s3, bucket) = (system.s3(), format!("bodies-{}", Uuid::new_v4().simple()));
    s3.create_bucket().bucket(&bucket).send().await.expect("a bucket");
    let events: Vec<_> = (0..12)
        .map(|number| {
            let data = json!({"title": format!("Apart {number}"), "description": "x".repeat(900)});
            event(&number.to_string(), "create-task", &Uuid::now_v7().to_string(), &data)
        })
        .collect();
    let arguments = ["--claim-check-bucket", &bucket, "--claim-check-over", "1000", "--json"];
    for _ in 0..2 {
        let sent =
            publish(&system, &[&arguments[..], &["--rate", "100"]].concat(), &events.join("\n"));
        let report: Value = serde_json::from_slice(&sent.stdout).expect("JSON");
        assert_eq!(report, json!({"sent": 12, "refused": []}));
        let objects = s3.list_objects_v2().bucket(&bucket).send().await.expect("a list");
        assert_eq!(objects.contents().len(), 12, "sent again, they are the same");
    }

    // Room for one at a time.
    let settings = [
        ("CLAIM_CHECK_BUCKET", bucket.as_str()),
        ("CLAIM_CHECK_MAX_BYTES", "1000"),
        ("CLAIM_CHECK_MEMORY_BYTES", "1000"),
    ];
    let _worker = system.start_worker("command-worker", &settings);
    system.processed(12).await;
    assert_eq!(
        system.count("SELECT count(*) FROM tasks WHERE length(description) = 900").await,
        12
    );
    let log = system.log("command-worker");
    let consuming = log.iter().position(|line| line["message"] == "consuming");
    let since = &log[consuming.expect("a start")..];
    assert!(since.iter().all(|line| line["level"] == "INFO"), "nothing was retried: {log:?}");
}
