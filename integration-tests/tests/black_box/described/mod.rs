//! What the running stack has created, against `shared/resources/resources.json`: each queue, table and
//! bucket is described by AWS's own requests, in the shape of the file.

mod buckets;
mod queues;
mod tables;

use std::collections::BTreeMap;
use std::fs;

use clap::Parser;
use local_stack::{AwsAccess, repository};
use resources::resources;
use runtime::sqs;
use serde_json::{Map, Value};

/// Resources of a kind, by name.
type ByName = BTreeMap<String, Value>;

/// Members that AWS does not know.
const ONLY_IN_THE_FILE: [&str; 2] = ["purpose", "consumer"];

/// Compares everything that is there, and that nothing else is there.
pub(crate) async fn everything_is_as_described(aws: &AwsAccess) {
    let file = fs::read_to_string(repository().join("shared/resources/resources.json"));
    let described: Value = serde_json::from_str(&file.expect("resources.json")).expect("JSON");
    let config = aws.config();
    assert_eq!(queues::created(&aws.sqs()).await, by_name(&described["queues"]));
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    assert_eq!(tables::created(&dynamodb).await, by_name(&described["tables"]));
    let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(s3);
    let key = |queue: &str| key_of(&described["queues"], queue);
    assert_eq!(buckets::created(&s3, key).await, by_name(&described["buckets"]));
}

/// The screen of the stack names the consumer of each queue in one line with it.
pub(crate) fn consumers_are_as_described(screen: &str) {
    for queue in resources().queues.all() {
        let consumes = |line: &str| line.contains(&queue.consumer) && line.contains(&queue.name);
        assert!(screen.lines().any(consumes), "{} of {}:\n{screen}", queue.consumer, queue.name);
    }
}

fn by_name(described: &Value) -> ByName {
    let resources = described.as_object().expect("an object").values();
    let without = |resource: &Value| {
        let mut members = resource.as_object().expect("an object").clone();
        members.retain(|name, _| !ONLY_IN_THE_FILE.contains(&name.as_str()));
        named(members.into())
    };
    resources.map(without).collect()
}

fn named(resource: Value) -> (String, Value) {
    (resource["name"].as_str().expect("a name").to_owned(), resource)
}

fn key_of(queues: &Value, name: &str) -> String {
    let mut queues = queues.as_object().expect("an object").iter();
    let (key, _) = queues.find(|(_, queue)| queue["name"] == name).expect("a queue");
    key.clone()
}

/// An object without the members that are null.
fn present(object: &Value) -> Map<String, Value> {
    let mut members = object.as_object().expect("an object").clone();
    members.retain(|_, value| !value.is_null());
    members
}

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    queue: sqs::Config,
}

#[test]
fn queues_are_described_as_their_consumers_need_them() {
    let defaults = Settings::parse_from(["test", "--queue-url", "http://host/1/queue"]).queue;
    for queue in resources().queues.all() {
        let expected = u32::from(sqs::MAX_RECEIVE_COUNT);
        assert_eq!(queue.max_receive_count, expected, "{}", queue.name);
        // What AWS advises for a Lambda, which takes longer than its handler.
        let advised = 6 * u32::from(defaults.handler_timeout_seconds);
        assert!(queue.visibility_timeout_seconds > advised, "{}", queue.name);
    }
}
