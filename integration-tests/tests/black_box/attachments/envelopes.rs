//! S3's notifications on each way that they may take, in both hosts, beside what is none of ours.

use aws_sdk_s3::types::NotificationConfiguration;
use serde_json::{Value, json};

use super::fixture::{FILE, Fixture, object_key};
use super::verification::{dead_letters, drained};
use crate::conformance::Host;
use crate::support::event_source_mapping::Mapping;
use crate::support::system::eventually;

/// A running worker, and what feeds it if it is a Lambda.
async fn worker(fixture: &Fixture, host: Host) -> (local_stack::Function, Option<Mapping>) {
    if host == Host::Pod {
        return (fixture.worker().await, None);
    }
    let (function, mapping) = fixture.lambda().await;
    (function, Some(mapping))
}

/// From here on only the test notifies.
async fn silence(fixture: &Fixture) {
    let none = NotificationConfiguration::builder().build();
    let put = fixture.s3.put_bucket_notification_configuration().bucket(&fixture.bucket);
    put.notification_configuration(none).send().await.expect("no notifications");
}

fn record(bucket: &str, key: &str) -> Value {
    json!({
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": key}},
    })
}

fn by_event_bridge(bucket: &str, key: &str) -> Value {
    json!({
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"version": "0", "bucket": {"name": bucket}, "object": {"key": key}},
    })
}

fn by_sns(event: &Value) -> Value {
    let topic = "arn:aws:sns:us-east-1:000000000000:uploads";
    json!({"Type": "Notification", "TopicArn": topic, "Message": event.to_string()})
}

/// A new file that nobody was notified of: its attachment's path, and its key.
async fn uploaded(fixture: &Fixture, task: &str) -> (String, String) {
    let (path, announced) = fixture.announce(task).await;
    fixture.upload(&announced, FILE).await;
    let key = object_key(&path);
    (path, key)
}

#[tokio::test]
async fn a_notification_is_taken_from_s3_by_sns_and_by_event_bridge_in_both_hosts() {
    for host in [Host::Pod, Host::Lambda] {
        let fixture = Fixture::new().await;
        silence(&fixture).await;
        let _worker = worker(&fixture, host).await;
        let (task, bucket) = (fixture.task().await, fixture.bucket.as_str());
        let from_s3 = |key: &str| json!({ "Records": [record(bucket, key)] });
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent"});
        for event in [&test, &by_sns(&test)] {
            fixture.send(&event.to_string()).await;
        }
        for envelope in [
            &(|key: &str| by_sns(&from_s3(key))) as &(dyn Fn(&str) -> Value + Sync),
            &|key| by_event_bridge(bucket, key),
            &|key| by_sns(&by_event_bridge(bucket, key)),
            &from_s3,
        ] {
            let (path, key) = uploaded(&fixture, &task).await;
            assert_eq!(fixture.becomes(&path, "pending").await["status"], "pending");
            fixture.send(&envelope(&key).to_string()).await;
            fixture.becomes(&path, "available").await;
        }
        drained(&fixture).await;
        assert!(dead_letters(&fixture).await.is_empty(), "{host:?}");
    }
}

#[tokio::test]
async fn what_is_foreign_costs_its_neighbours_nothing_in_both_hosts() {
    for host in [Host::Pod, Host::Lambda] {
        let fixture = Fixture::new().await;
        silence(&fixture).await;
        let (task, bucket) = (fixture.task().await, fixture.bucket.as_str());
        let (in_one, first) = uploaded(&fixture, &task).await;
        let (alone, second) = uploaded(&fixture, &task).await;
        let records = [record("elsewhere", "a"), json!({}), record(bucket, &first)];
        fixture.send(&json!({ "Records": records }).to_string()).await;
        let other = json!({"source": "aws.ec2", "detail-type": "State-change", "detail": {}});
        fixture.send(&by_sns(&other).to_string()).await;
        fixture.send(&json!({ "Records": [record(bucket, &second)] }).to_string()).await;

        // Only now, so that a batch has them all.
        let _worker = worker(&fixture, host).await;
        fixture.becomes(&in_one, "available").await;
        fixture.becomes(&alone, "available").await;
        let mut reasons = Vec::new();
        eventually("two dead letters", async || {
            reasons.extend(dead_letters(&fixture).await);
            (reasons.len() >= 2).then_some(())
        })
        .await;
        reasons.sort();
        reasons.dedup();
        assert_eq!(reasons, ["foreign_bucket", "notification_malformed"], "{host:?}");
        drained(&fixture).await;
    }
}
