//! A queue that is not ours: SQS itself moved its messages.

use serde_json::{Value, json};

use super::fixture::Fixture;

#[tokio::test]
async fn messages_that_sqs_moved_are_shown_with_their_queue_and_their_receives() {
    let fixture = Fixture::standard().await;
    let url = &fixture.queue.url;
    let send = fixture.sqs.send_message().queue_url(url).message_body("{\"order\": 1}");
    send.send().await.expect("sent");
    assert_eq!(fixture.receive(url, 0).await.len(), 1);
    assert_eq!(fixture.receive(url, 0).await.len(), 0, "it was moved");

    let source = url.rsplit('/').next().expect("a name");
    let mut listed = fixture.json(&["ls", fixture.name()]).await;
    let dead_letter = listed[0].as_object_mut().expect("an object");
    assert!(dead_letter.remove("sent_at").is_some_and(|time| time.is_string()));
    let id = dead_letter.remove("message_id").expect("an id");
    let expected = json!({
        "moved_by": "sqs", "reason": null, "detail": null, "attempts": 1, "source_queue": source,
        "group": null, "type": null, "source": null, "event_id": null, "tenant": null,
        "task": null, "trace_id": null, "body_bytes": 12,
    });
    assert_eq!(Value::Object(dead_letter.clone()), expected);

    let shown = fixture.printed(&["show", fixture.name(), id.as_str().expect("a text")]).await;
    assert!(shown.contains("SQS, after its last delivery"), "{shown}");
    assert!(shown.ends_with("body\n  {\n    \"order\": 1\n  }\n"), "{shown}");
    let groups = fixture.printed(&["groups", fixture.name()]).await;
    assert!(groups.contains("moved by SQS after its last delivery"), "{groups}");
    assert!(!groups.contains('\u{1b}'), "colours are for terminals");
}
