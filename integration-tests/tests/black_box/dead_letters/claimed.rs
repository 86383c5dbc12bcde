//! A body that is in S3 is shown, if it is the one that the message says.

use aws_sdk_s3::primitives::ByteStream;
use runtime::sqs::claim_check::Reference;
use serde_json::json;

use super::fixture::{Fixture, stderr};

#[tokio::test]
async fn the_body_of_a_claim_check_is_fetched_and_verified_or_it_says_why_not() {
    let fixture = Fixture::standard().await;
    let (s3, bucket) = fixture.bucket().await;
    let put = async |body: &'static str| {
        let put = s3.put_object().bucket(&bucket).key("claims/1");
        put.body(ByteStream::from_static(body.as_bytes())).send().await.expect("put");
    };
    let body = r#"{"title": "Milk","n":1.50}"#;
    put(body).await;
    let reference = Reference::new(&bucket, "claims/1", body.as_bytes());
    fixture.put("", "see S3", &[("ClaimCheck", &reference.to_json())]).await;
    let queue = fixture.name();
    let listed = fixture.json(&["ls", queue]).await;
    let id = listed[0]["message_id"].as_str().expect("an id");

    let shown = fixture.printed(&["show", queue, id]).await;
    let expected =
        "body\n  see S3\nbody in S3\n  {\n    \"title\": \"Milk\",\n    \"n\": 1.50\n  }\n";
    assert!(shown.ends_with(expected), "{shown}");
    let shown = &fixture.json(&["show", queue, id]).await[0];
    assert_eq!((&shown["body"], &shown["claimed_body"]), (&json!("see S3"), &json!(body)));
    assert_eq!(shown["claimed_body_failure"], json!(null));
    let unfetched = &fixture.json(&["show", queue, id, "--no-fetch"]).await[0];
    assert_eq!(unfetched["claimed_body"], json!(null));
    assert_eq!(unfetched["claimed_body_failure"], json!(null));

    let fails = async |cause: &str| {
        let output = fixture.run(&["show", queue, id]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let note =
            format!("note: the body in S3 could not be fetched: s3://{bucket}/claims/1: {cause}\n");
        assert_eq!(stderr(&output), note);
        assert!(!String::from_utf8_lossy(&output.stdout).contains("body in S3\n"), "{output:?}");
        let shown = &fixture.json(&["show", queue, id]).await[0];
        assert!(shown["claimed_body"].is_null() && shown["claimed_body_failure"].is_string());
    };
    for other in ["another", "much longer than the message says that it is"] {
        put(other).await;
        fails("it has another size or digest than the message says").await;
    }
    s3.delete_object().bucket(&bucket).key("claims/1").send().await.expect("deleted");
    fails("it is gone: there is no such object").await;
    assert_eq!(fixture.depth().await, (1, 0));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_fetched() {
    let fixture = Fixture::standard().await;
    let reference =
        json!({"bucket": "b", "key": "k", "size": 16_777_217, "sha256": "0".repeat(64)});
    fixture.put("", "see S3", &[("ClaimCheck", &reference.to_string())]).await;
    let listed = fixture.json(&["ls", fixture.name()]).await;
    let id = listed[0]["message_id"].as_str().expect("an id");
    let output = fixture.run(&["show", fixture.name(), id]).await;
    assert!(
        stderr(&output).contains("s3://b/k: 16777217 bytes; 16777216 are fetched at most"),
        "{output:?}"
    );
}
