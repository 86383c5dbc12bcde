//! S3's notifications, repeated and in any order, and what happens to files that are not what was
//! said of them.

use std::{collections::BTreeSet, net::SocketAddr};

use local_stack::ports;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::fixture::{FILE, Fixture, object_key};
use crate::support::system::{PATIENCE, eventually};

#[tokio::test]
async fn a_file_that_is_not_what_was_said_of_it_is_rejected_and_removed() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let task = fixture.task().await;
    for (file, content_type, reason) in [
        (&b"Short"[..], "image/png", "size"),
        (FILE, "text/html", "content_type"),
        (b"Something as long ...", "image/png", "sha256"),
        (FILE, "image/png", "sha256"),
    ] {
        let (path, announced) = fixture.announce(&task).await;
        fixture.put(&object_key(&path), file, content_type).await;
        assert_eq!(fixture.becomes(&path, "rejected").await["reason"], reason);
        fixture.object_goes(&object_key(&path)).await;
        // Its owner may still send the right one.
        fixture.upload(&announced, FILE).await;
        fixture.becomes(&path, "available").await;
    }
}

#[tokio::test]
async fn a_file_that_its_signature_does_not_cover_never_becomes_available() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let task = fixture.task().await;
    for file in [&b"Short"[..], b"Something as long ..."] {
        let (path, announced) = fixture.announce(&task).await;
        // AWS refuses it; what stands in for AWS may take it.
        if fixture.upload(&announced, file).await.status().is_success() {
            fixture.becomes(&path, "rejected").await;
        }
        fixture.object_goes(&object_key(&path)).await;
    }
}

#[tokio::test]
async fn notifications_come_early_twice_and_late_and_change_nothing() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let (path, announced) = fixture.announce(&fixture.task().await).await;
    let key = object_key(&path);
    fixture.notify(&key).await;
    fixture.upload(&announced, FILE).await;
    fixture.becomes(&path, "available").await;
    for _ in 0..5 {
        fixture.notify(&key).await;
    }
    fixture.send(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#).await;
    // The queue keeps no order; what is sent after all others are gone is the last.
    drained(&fixture).await;
    assert_eq!(fixture.becomes(&path, "available").await["status"], "available");

    fixture.send("nonsense").await;
    fixture.notify("attachments/acme/nothing/of/ours").await;
    // A dead letter may be sent twice, as any message.
    let mut reasons = BTreeSet::new();
    eventually("two dead letters", async || {
        reasons.extend(dead_letters(&fixture).await);
        (reasons.len() >= 2).then_some(())
    })
    .await;
    assert!(reasons.iter().eq(["foreign_object", "notification_malformed"]), "{reasons:?}");
}

#[tokio::test]
async fn s3_is_unavailable_and_comes_back() {
    let fixture = Fixture::new().await;
    let address = ports::loopback(ports::free(None).expect("a free port"));
    let s3 = format!("http://{address}");
    let mut worker = fixture.start_worker(&[("AWS_ENDPOINT_URL_S3", &s3)]);
    let task = fixture.task().await;
    let (kept, announced) = fixture.announce(&task).await;
    let (gone, _) = fixture.announce(&task).await;
    fixture.upload(&announced, FILE).await;
    fixture.delete(&gone).await;
    eventually("the worker tried in vain", async || {
        let log = fixture.system.log("attachment-worker");
        let swept = log.iter().any(|line| line.to_string().contains("an object was not removed"));
        let tried = log.iter().any(|line| line.to_string().contains("bucket_unavailable"));
        // It does not wait for messages to find out when S3 is back.
        let probed = log.iter().any(|line| line["dependency"] == "s3");
        (swept && tried && probed).then_some(())
    })
    .await;
    assert_eq!(fixture.becomes(&kept, "pending").await["status"], "pending");
    assert_eq!(fixture.rows().await, 2);

    let target = fixture.system.aws.endpoint.trim_start_matches("http://").to_owned();
    let passing = tokio::spawn(pass(address, target));
    fixture.becomes(&kept, "available").await;
    eventually("the other's row is removed", async || (fixture.rows().await == 1).then_some(()))
        .await;
    assert!(dead_letters(&fixture).await.is_empty());
    worker.ready(PATIENCE).await.expect("a worker that is ready again");
    passing.abort();
}

/// Passes everything on.
async fn pass(address: SocketAddr, target: String) {
    let listener = TcpListener::bind(address).await.expect("the port");
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let target = target.clone();
        connections.spawn(async move {
            let mut server = TcpStream::connect(target).await.expect("the server");
            let _ = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

pub(crate) async fn drained(fixture: &Fixture) {
    use aws_sdk_sqs::types::QueueAttributeName as Name;
    eventually("the queue is empty", async || {
        let request = fixture.system.sqs.get_queue_attributes().queue_url(&fixture.events.url);
        let counts = request
            .attribute_names(Name::ApproximateNumberOfMessages)
            .attribute_names(Name::ApproximateNumberOfMessagesNotVisible)
            .send();
        let counts = counts.await.ok()?.attributes?;
        counts.values().all(|count| count == "0").then_some(())
    })
    .await;
}

/// Takes the reasons of what is in the dead-letter queue at the moment.
pub(crate) async fn dead_letters(fixture: &Fixture) -> Vec<String> {
    let (sqs, url) = (&fixture.system.sqs, &fixture.events.dead_letter_url);
    let receive = sqs.receive_message().queue_url(url).max_number_of_messages(10);
    let received = receive.message_attribute_names("All").send().await.expect("an answer");
    let mut reasons = Vec::new();
    for message in received.messages() {
        let attributes = message.message_attributes().expect("attributes");
        let reason = attributes["DeadLetterReason"].string_value().expect("a reason");
        reasons.push(reason.to_owned());
        let handle = message.receipt_handle().expect("a handle");
        let delete = sqs.delete_message().queue_url(url).receipt_handle(handle);
        delete.send().await.expect("a deletion");
    }
    reasons
}
