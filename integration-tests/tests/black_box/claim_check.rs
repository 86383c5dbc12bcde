//! A command whose data is too large for the queue waits in S3; the worker finds it there.
//!
//! What becomes of claims that lie: `conformance/claim_checks.rs`.

use aws_sdk_sqs::types::MessageAttributeValue;
use runtime::sqs::claim_check;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::system::{TestSystem, event};

/// Sends a command whose data is in S3; returns the bucket.
pub(crate) async fn send_claimed(system: &TestSystem, subject: &str) -> String {
    let (s3, bucket) = (system.s3(), format!("data-{}", Uuid::new_v4().simple()));
    s3.create_bucket().bucket(&bucket).send().await.expect("a bucket");
    let data = json!({"title": "From S3"}).to_string();
    let reference = claim_check::put(&s3, &bucket, "data/", data).await.expect("put");
    let body = event("1", "create-task", subject, &Value::Null);
    let mut body: Value = serde_json::from_str(&body).expect("JSON");
    let members = body.as_object_mut().expect("an object");
    members.remove("data");
    members.insert("dataref".to_owned(), format!("s3://{bucket}/{}", reference.key).into());
    let claim = MessageAttributeValue::builder().data_type("String");
    let claim = claim.string_value(reference.to_json()).build().expect("an attribute");
    let send = system.sqs.send_message().queue_url(&system.queue.url).message_group_id(subject);
    let send = send.message_deduplication_id("claimed").message_body(body.to_string());
    send.message_attributes(claim_check::ATTRIBUTE, claim).send().await.expect("sent");
    bucket
}

#[tokio::test]
async fn a_command_whose_data_is_in_s3_takes_effect() {
    let system = TestSystem::new().await;
    let bucket = send_claimed(&system, &Uuid::now_v7().to_string()).await;
    let _worker = system.start_worker("command-worker", &[("CLAIM_CHECK_BUCKET", &bucket)]);
    system.processed(1).await;
    assert_eq!(system.count("SELECT count(*) FROM tasks WHERE title = 'From S3'").await, 1);
}
