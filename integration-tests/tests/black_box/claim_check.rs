//! A body too large for the queue waits in S3; a message that lies about it becomes a dead letter.

use std::collections::HashMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::MessageAttributeValue;
use runtime::sqs::claim_check::{self, Reference};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, event, eventually};

/// What stands in the queue instead of the body; it is no JSON, so nobody takes it for one.
const SMALL: &str = "see S3";

struct Bodies<'a> {
    world: &'a World,
    s3: Client,
    bucket: String,
}

impl<'a> Bodies<'a> {
    async fn new(world: &'a World) -> Self {
        let (s3, bucket) = (world.s3(), format!("bodies-{}", Uuid::new_v4().simple()));
        s3.create_bucket().bucket(&bucket).send().await.expect("a bucket");
        Self { world, s3, bucket }
    }

    async fn put(&self, body: String) -> Reference {
        claim_check::put(&self.s3, &self.bucket, "commands/", body).await.expect("put")
    }

    async fn send(&self, claim: &str) {
        let claim = MessageAttributeValue::builder().data_type("String").string_value(claim);
        self.world
            .sqs
            .send_message()
            .queue_url(&self.world.queue.url)
            .message_group_id(Uuid::new_v4().to_string())
            .message_deduplication_id(Uuid::new_v4().to_string())
            .message_body(SMALL)
            .message_attributes(claim_check::ATTRIBUTE, claim.build().expect("an attribute"))
            .send()
            .await
            .expect("sent");
    }

    async fn keys(&self) -> Vec<String> {
        let objects = self.s3.list_objects_v2().bucket(&self.bucket).send().await;
        let objects = objects.expect("a list").contents.unwrap_or_default();
        objects.into_iter().filter_map(|object| object.key).collect()
    }

    /// The reason of each dead letter, by its claim; the small body must be what was sent.
    async fn dead_letters(&self, count: usize) -> HashMap<String, String> {
        let mut found = HashMap::new();
        eventually("every bad claim check is a dead letter", async || {
            for letter in self.world.take_dead_letters().await {
                assert_eq!(letter.body(), Some(SMALL));
                let attributes = letter.message_attributes().expect("attributes");
                let text = |name: &str| attributes[name].string_value().expect("text").to_owned();
                found.insert(text(claim_check::ATTRIBUTE), text("DeadLetterReason"));
            }
            (found.len() >= count).then_some(())
        })
        .await;
        found
    }
}

fn command(title: &str) -> String {
    let subject = Uuid::now_v7().to_string();
    event(&Uuid::new_v4().to_string(), "create-task", &subject, &json!({"title": title}))
}

/// A claim with one member changed.
fn altered(reference: &Reference, member: &str, value: impl Into<Value>) -> String {
    let mut claim = json!(reference);
    claim[member] = value.into();
    claim.to_string()
}

#[tokio::test]
async fn a_body_in_s3_is_handled_like_any_other_and_stays_there() {
    let world = World::new().await;
    let bodies = Bodies::new(&world).await;
    let _worker = world.start_worker("command-worker", &[("CLAIM_CHECK_BUCKET", &bodies.bucket)]);
    let reference = bodies.put(command("From S3")).await;
    bodies.send(&reference.to_json()).await;
    world.processed(1).await;
    assert_eq!(world.count("SELECT count(*) FROM tasks WHERE title = 'From S3'").await, 1);
    assert_eq!(bodies.keys().await, [reference.key]);
}

#[tokio::test]
async fn a_body_is_deleted_with_its_message_if_asked_for_and_a_dead_letters_is_not() {
    let world = World::new().await;
    let bodies = Bodies::new(&world).await;
    let settings = [("CLAIM_CHECK_BUCKET", bodies.bucket.as_str()), ("CLAIM_CHECK_DELETE", "true")];
    let _worker = world.start_worker("command-worker", &settings);
    let bad = bodies.put("no command".to_owned()).await;
    bodies.send(&bad.to_json()).await;
    let good = bodies.put(command("Deleted")).await;
    bodies.send(&good.to_json()).await;
    let dead = bodies.dead_letters(1).await;
    assert_eq!(dead[&bad.to_json()], "malformed_json");
    world.processed(1).await;
    eventually("only the dead letter's body is left", async || {
        (bodies.keys().await == [bad.key.as_str()]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_lies_is_dead_lettered_with_its_reason() {
    let world = World::new().await;
    let bodies = Bodies::new(&world).await;
    let settings =
        [("CLAIM_CHECK_BUCKET", bodies.bucket.as_str()), ("CLAIM_CHECK_MAX_BYTES", "1000")];
    let _worker = world.start_worker("command-worker", &settings);
    let true_one = bodies.put(command("Never")).await;
    let large = bodies.put("x".repeat(1_001)).await;
    let tampered = bodies.put(command("Before")).await;
    let after = ByteStream::from(command("Behind").into_bytes());
    let put = bodies.s3.put_object().bucket(&bodies.bucket).key(&tampered.key).body(after);
    put.send().await.expect("tampered with");

    let expected = HashMap::from(
        [
            ("nonsense".to_owned(), "claim_check_malformed"),
            (altered(&true_one, "bucket", "elsewhere"), "claim_check_foreign_bucket"),
            (altered(&true_one, "key", "commands/none"), "claim_check_missing"),
            (altered(&true_one, "size", true_one.size - 1), "claim_check_mismatch"),
            (altered(&true_one, "sha256", "0".repeat(64)), "claim_check_mismatch"),
            (tampered.to_json(), "claim_check_mismatch"),
            (large.to_json(), "claim_check_too_large"),
        ]
        .map(|(claim, reason)| (claim, reason.to_owned())),
    );
    for claim in expected.keys() {
        bodies.send(claim).await;
    }
    assert_eq!(bodies.dead_letters(expected.len()).await, expected);
    assert_eq!(world.count("SELECT count(*) FROM tasks").await, 0);
}

#[tokio::test]
async fn without_a_bucket_no_claim_is_followed() {
    let world = World::new().await;
    let bodies = Bodies::new(&world).await;
    let _worker = world.worker().await;
    let reference = bodies.put(command("Never")).await;
    bodies.send(&reference.to_json()).await;
    let dead = bodies.dead_letters(1).await;
    assert_eq!(dead[&reference.to_json()], "claim_check_disabled");
}

#[tokio::test]
async fn while_s3_is_away_a_claim_is_tried_again() {
    let world = World::new().await;
    let bodies = Bodies::new(&world).await;
    let settings = [
        ("CLAIM_CHECK_BUCKET", bodies.bucket.as_str()),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("BACKOFF_MAX_SECONDS", "1"),
    ];
    let _worker = world.start_worker("command-worker", &settings);
    let reference = bodies.put(command("Never")).await;
    bodies.send(&reference.to_json()).await;
    let dead = bodies.dead_letters(1).await;
    assert_eq!(dead[&reference.to_json()], "claim_check_unavailable");
    assert_eq!(bodies.keys().await, [reference.key], "a replay finds it");
}
