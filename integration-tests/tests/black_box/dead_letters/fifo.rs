//! FIFO queues: their order stays, and of a long group only the first messages can be seen.

use std::collections::HashMap;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use serde_json::Value;

use super::fixture::{Fixture, stderr};
use super::gateway::{Exchange, Gateway, Later};

/// Three groups, interleaved.
const GROUPS: [&str; 9] = ["a", "b", "a", "c", "b", "a", "a", "b", "c"];

async fn filled() -> Fixture {
    let fixture = Fixture::fifo().await;
    let messages: Vec<_> =
        GROUPS.iter().enumerate().map(|(number, group)| (*group, number.to_string())).collect();
    fixture.fill(&messages).await;
    fixture
}

/// What each group holds, in the order in which SQS hands it out.
async fn by_group(fixture: &Fixture) -> HashMap<String, Vec<String>> {
    let mut groups = HashMap::<_, Vec<_>>::new();
    for message in fixture.receive(&fixture.queue.dead_letter_url, 0).await {
        let attributes = message.attributes.expect("attributes");
        let group = attributes[&MessageSystemAttributeName::MessageGroupId].clone();
        groups.entry(group).or_default().push(message.body.expect("a body"));
    }
    groups
}

#[tokio::test]
async fn a_look_leaves_every_message_visible_at_once_and_each_group_in_its_order() {
    let fixture = filled().await;
    let name = fixture.name();
    let listed = fixture.json(&["ls", name]).await;
    assert_eq!(fixture.depth().await, (GROUPS.len(), 0));
    let id = listed[4]["message_id"].as_str().expect("an id");
    for arguments in [&["groups", name][..], &["show", name, id], &["ls", name, "--limit", "2"]] {
        fixture.printed(arguments).await;
        assert_eq!(fixture.depth().await, (GROUPS.len(), 0), "{arguments:?}");
    }
    let expected =
        [("a", vec!["0", "2", "5", "6"]), ("b", vec!["1", "4", "7"]), ("c", vec!["3", "8"])];
    let groups = by_group(&fixture).await;
    assert_eq!(groups.len(), expected.len());
    for (group, bodies) in expected {
        assert_eq!(groups[group], bodies, "{group}");
    }
}

#[tokio::test]
async fn the_first_message_of_each_group_is_released_after_all_others() {
    let fixture = filled().await;
    let gateway = Gateway::start(&fixture.aws.endpoint, Later::Answered).await;
    let run = fixture.command(&gateway.url, &["ls", fixture.name()]).output().await;
    assert!(run.expect("a run").status.success());
    let exchanges = gateway.exchanges();
    let of = |action: &str| -> Vec<&Exchange> {
        exchanges.iter().filter(|exchange| exchange.action == action).collect()
    };
    let received = of("ReceiveMessage")
        .into_iter()
        .flat_map(|exchange| exchange.answer["Messages"].as_array().cloned().unwrap_or_default());
    let bodies: HashMap<String, String> =
        received.map(|message| (text(&message["ReceiptHandle"]), text(&message["Body"]))).collect();
    let released: Vec<Vec<&str>> = of("ChangeMessageVisibilityBatch")
        .into_iter()
        .map(|exchange| {
            let entries = exchange.request["Entries"].as_array().expect("entries");
            let entries = entries.iter();
            let mut released: Vec<_> =
                entries.map(|entry| bodies[&text(&entry["ReceiptHandle"])].as_str()).collect();
            released.sort_unstable();
            released
        })
        .collect();
    assert_eq!(released, [vec!["2", "4", "5", "6", "7", "8"], vec!["0", "1", "3"]]);
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn of_a_long_group_it_shows_a_sample_and_says_so() {
    let fixture = Fixture::fifo().await;
    let messages: Vec<_> = (0..25).map(|number| ("long", number.to_string())).collect();
    fixture.fill(&messages).await;
    let name = fixture.name();
    let run = fixture.run(&["ls", name, "--json"]).await;
    assert_eq!(run.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&run.stdout).lines().count(), 10);
    let sample = format!("note: this is a sample: 10 of about 25 messages of {name} could be read");
    assert!(stderr(&run).starts_with(&sample), "{run:?}");
    let groups = fixture.json(&["groups", name]).await;
    let member = |name: &str| groups[0][name].clone();
    assert_eq!((member("read"), member("in_queue")), (10.into(), 25.into()));
    assert_eq!(member("complete"), false);
    let missing = fixture.run(&["show", name, "no-such-id"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("none of the 10 messages"), "{missing:?}");
    assert!(stderr(&missing).starts_with(&sample), "{missing:?}");
    assert_eq!(fixture.depth().await, (25, 0));
}
