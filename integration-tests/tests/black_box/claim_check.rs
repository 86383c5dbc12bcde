//! A command whose data is too large for the queue waits in S3; the worker finds it there.
//!
//! What becomes of claims that lie: `conformance/claim_checks.rs`.

use aws_sdk_sqs::types::MessageAttributeValue;
use runtime::sqs::claim_check;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, event};

#[tokio::test]
async fn a_command_whose_data_is_in_s3_takes_effect() {
    let world = World::new().await;
    let (s3, bucket) = (world.s3(), format!("data-{}", Uuid::new_v4().simple()));
    s3.create_bucket().bucket(&bucket).send().await.expect("a bucket");
    let _worker = world.start_worker("command-worker", &[("CLAIM_CHECK_BUCKET", &bucket)]);

    let data = json!({"title": "From S3"}).to_string();
    let reference = claim_check::put(&s3, &bucket, "data/", data).await.expect("put");
    let subject = Uuid::now_v7().to_string();
    let body = event("claimed", "create-task", &subject, &Value::Null);
    let mut body: Value = serde_json::from_str(&body).expect("JSON");
    let members = body.as_object_mut().expect("an object");
    members.remove("data");
    members.insert("dataref".to_owned(), format!("s3://{bucket}/{}", reference.key).into());
    let claim = MessageAttributeValue::builder().data_type("String");
    let claim = claim.string_value(reference.to_json()).build().expect("an attribute");
    let send = world.sqs.send_message().queue_url(&world.queue.url);
    let send = send.message_group_id(&subject).message_deduplication_id("claimed");
    let send =
        send.message_body(body.to_string()).message_attributes(claim_check::ATTRIBUTE, claim);
    send.send().await.expect("sent");

    world.processed(1).await;
    assert_eq!(world.count("SELECT count(*) FROM tasks WHERE title = 'From S3'").await, 1);
}
