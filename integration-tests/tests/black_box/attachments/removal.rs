//! Nothing stays that nobody can reach.

use fake_lambda::LambdaApi;
use records::{AttachmentBucket, parse_object_key};
use reqwest::StatusCode;
use uuid::Uuid;

use super::fixture::{FILE, Fixture, object_key};
use crate::support::event_source_mapping::TIME;
use crate::support::system::eventually;

#[tokio::test]
async fn a_deleted_task_takes_its_attachments_with_it() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let task = fixture.task().await;
    let (path, announced) = fixture.announce(&task).await;
    fixture.upload(&announced, FILE).await;
    fixture.becomes(&path, "available").await;

    fixture.delete(&task).await;
    for path in [&path, &format!("{task}/attachments")] {
        assert_eq!(fixture.get(path).await.status(), StatusCode::NOT_FOUND);
    }
    fixture.object_goes(&object_key(&path)).await;
    eventually("its row goes", async || (fixture.rows().await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_deleted_attachment_goes_and_the_others_stay() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let task = fixture.task().await;
    let (gone, announced) = fixture.announce(&task).await;
    fixture.upload(&announced, FILE).await;
    let (kept, other) = fixture.announce(&task).await;
    fixture.upload(&other, FILE).await;
    fixture.becomes(&gone, "available").await;
    fixture.becomes(&kept, "available").await;

    fixture.delete(&gone).await;
    assert_eq!(fixture.get(&gone).await.status(), StatusCode::NOT_FOUND);
    fixture.object_goes(&object_key(&gone)).await;
    eventually("its row goes", async || (fixture.rows().await == 1).then_some(())).await;
    // What comes by a URL that still holds is nobody's.
    assert_eq!(fixture.upload(&announced, FILE).await.status(), StatusCode::OK);
    fixture.object_goes(&object_key(&gone)).await;
    let available = fixture.becomes(&kept, "available").await;
    let url = available["download"]["url"].as_str().expect("a URL");
    let file = fixture.system.client.get(url).send().await.expect("an answer");
    assert_eq!(file.bytes().await.expect("a body"), FILE);
}

#[tokio::test]
async fn an_object_without_an_attachment_is_removed() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let key = format!("attachments/acme/{}/{}", Uuid::now_v7(), Uuid::now_v7());
    fixture.put(&key, FILE, "image/png").await;
    fixture.object_goes(&key).await;
}

#[tokio::test]
async fn a_lambda_on_a_schedule_sweeps() {
    let fixture = Fixture::new().await;
    let (path, announced) = fixture.announce(&fixture.task().await).await;
    fixture.upload(&announced, FILE).await;
    fixture.delete(&path).await;

    let api = LambdaApi::start().await;
    let environment = fixture.environment().with("ATTACHMENT_PART", "sweep");
    let _sweep = fixture.system.start_lambda("attachment-worker", &environment, &api);
    let schedule = serde_json::json!({"source": "aws.scheduler"});
    api.invoke("sweep", TIME, schedule).await.expect("swept");
    assert_eq!(fixture.rows().await, 0);
    fixture.object_goes(&object_key(&path)).await;
}

#[tokio::test]
async fn every_version_of_an_object_goes() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let (path, announced) = fixture.announce(&fixture.task().await).await;
    for _ in 0..3 {
        fixture.upload(&announced, FILE).await;
    }
    fixture.becomes(&path, "available").await;
    let key = object_key(&path);
    assert_eq!(fixture.versions(&key).await, 3);

    fixture.delete(&path).await;
    eventually("its row goes", async || (fixture.rows().await == 0).then_some(())).await;
    assert_eq!(fixture.versions(&key).await, 0);
}

#[tokio::test]
async fn what_comes_after_a_rejected_file_was_seen_stays() {
    let fixture = Fixture::new().await;
    let bucket = AttachmentBucket::new(&fixture.system.aws.config(), fixture.bucket.clone());
    let key = format!("attachments/acme/{}/{}", Uuid::now_v7(), Uuid::now_v7());
    let parsed = parse_object_key(&key).expect("a key");
    fixture.put(&key, b"wrong", "image/png").await;
    let seen = bucket.object(&parsed).await.expect("an answer").expect("an object");
    fixture.put(&key, FILE, "image/png").await;
    for _ in 0..2 {
        bucket.remove_seen(&parsed, &seen).await.expect("a removal");
        let there = bucket.object(&parsed).await.expect("an answer");
        assert!(there.is_some_and(|object| object != seen));
    }
    assert_eq!(fixture.versions(&key).await, 1);
}

#[tokio::test]
async fn objects_that_cannot_be_removed_hold_up_no_others() {
    let fixture = Fixture::new().await;
    fixture.enable_locks().await;
    let task = fixture.task().await;
    let held = fixture.deleted_under_legal_hold(&task, 100).await;
    let (path, announced) = fixture.announce(&task).await;
    fixture.upload(&announced, FILE).await;
    fixture.delete(&path).await;

    let worker = fixture.worker().await;
    fixture.object_goes(&object_key(&path)).await;
    eventually("its row goes", async || (fixture.rows().await == 100).then_some(())).await;
    let tried = "SELECT count(*) FROM attachments WHERE removal_attempts > 0";
    assert_eq!(fixture.system.count(tried).await, 100);
    let kept = async || (fixture.versions(&held).await == 1).then_some(());
    eventually("what is held is kept, and no delete marker", kept).await;
    let url = worker.health_url("metrics");
    let metrics = fixture.system.client.get(url).send().await.expect("an answer").text().await;
    let metrics = metrics.expect("text");
    assert!(metrics.contains("attachment_removals_failed_total"), "{metrics}");
}
