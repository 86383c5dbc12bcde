//! `dead-letters export` to S3: an object appears whole, or not at all.

use aws_sdk_s3::Client;
use serde_json::json;

use super::export::lines;
use super::fixture::{Fixture, stderr};
use super::gateway::{Gateway, Later};

/// Each quote takes two bytes in JSON.
const LARGE: usize = 1_000_000;

async fn text(s3: &Client, bucket: &str, key: &str) -> String {
    let got = s3.get_object().bucket(bucket).key(key).send().await.expect("an object");
    let bytes = got.body.collect().await.expect("a body").to_vec();
    String::from_utf8(bytes).expect("text")
}

async fn keys(s3: &Client, bucket: &str) -> Vec<String> {
    let listed = s3.list_objects_v2().bucket(bucket).send().await.expect("a list");
    listed.contents().iter().map(|object| object.key().expect("a key").to_owned()).collect()
}

async fn uploads(s3: &Client, bucket: &str) -> usize {
    let listed = s3.list_multipart_uploads().bucket(bucket).send().await.expect("a list");
    listed.uploads().len()
}

#[tokio::test]
async fn an_object_is_replaced_only_if_it_is_to_be() {
    let fixture = Fixture::fifo().await;
    fixture.put("g", "first", &[]).await;
    let (s3, bucket) = fixture.bucket().await;
    let target = format!("s3://{bucket}/folder/a.ndjson");
    let arguments = ["export", fixture.name(), &target];
    let summary = &fixture.json(&arguments).await[0];
    assert_eq!((&summary["target"], &summary["messages"]), (&json!(target), &json!(1)));
    assert_eq!(lines(&text(&s3, &bucket, "folder/a.ndjson").await)[1]["body"], "first");
    fixture.put("h", "second", &[]).await;
    let refused = fixture.run(&arguments).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains(&format!("{target} is there already")), "{refused:?}");
    assert_eq!(lines(&text(&s3, &bucket, "folder/a.ndjson").await).len(), 3);
    fixture.printed(&[&arguments[..], &["--overwrite"]].concat()).await;
    assert_eq!(lines(&text(&s3, &bucket, "folder/a.ndjson").await).len(), 4);
    let missing = fixture.run(&["export", fixture.name(), "s3://no-such-bucket/a"]).await;
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
}

#[tokio::test]
async fn a_large_object_is_sent_in_parts_and_none_is_left_of_one_that_failed() {
    let fixture = Fixture::standard().await;
    let body = "\"".repeat(LARGE);
    let messages: Vec<_> = (0..9).map(|_| ("", body.clone())).collect();
    fixture.fill(&messages).await;
    let (s3, bucket) = fixture.bucket().await;
    let target = format!("s3://{bucket}/a.ndjson");
    let arguments = ["export", fixture.name(), &target];

    let gateway = Gateway::start(&fixture.aws.endpoint, Later::Refused).await;
    let run = fixture.command(&gateway.url, &arguments).output().await.expect("a run");
    assert_eq!(run.status.code(), Some(1));
    assert_eq!((keys(&s3, &bucket).await, uploads(&s3, &bucket).await), (Vec::new(), 0));

    fixture.printed(&arguments).await;
    let text = text(&s3, &bucket, "a.ndjson").await;
    assert!(text.len() > 9 * 2 * LARGE);
    let lines = lines(&text);
    assert!(lines[1..10].iter().all(|line| line["body"] == body));
    assert_eq!(lines[10]["messages"], 9);
    assert_eq!(uploads(&s3, &bucket).await, 0);
    assert_eq!(fixture.depth().await, (9, 0));
}
