//! Nothing stays that nobody can reach.

use reqwest::StatusCode;
use uuid::Uuid;

use super::stage::{FILE, Stage, object_key};
use crate::lambda_api::LambdaApi;
use crate::mapping::TIME;
use crate::world::eventually;

#[tokio::test]
async fn a_deleted_task_takes_its_attachments_with_it() {
    let stage = Stage::new().await;
    let _worker = stage.worker().await;
    let task = stage.task().await;
    let (path, announced) = stage.announce(&task).await;
    stage.upload(&announced, FILE).await;
    stage.becomes(&path, "available").await;

    stage.delete(&task).await;
    for path in [&path, &format!("{task}/attachments")] {
        assert_eq!(stage.get(path).await.status(), StatusCode::NOT_FOUND);
    }
    stage.object_goes(&object_key(&path)).await;
    eventually("its row goes", async || (stage.rows().await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_deleted_attachment_goes_and_the_others_stay() {
    let stage = Stage::new().await;
    let _worker = stage.worker().await;
    let task = stage.task().await;
    let (gone, announced) = stage.announce(&task).await;
    stage.upload(&announced, FILE).await;
    let (kept, other) = stage.announce(&task).await;
    stage.upload(&other, FILE).await;
    stage.becomes(&gone, "available").await;
    stage.becomes(&kept, "available").await;

    stage.delete(&gone).await;
    assert_eq!(stage.get(&gone).await.status(), StatusCode::NOT_FOUND);
    stage.object_goes(&object_key(&gone)).await;
    eventually("its row goes", async || (stage.rows().await == 1).then_some(())).await;
    // What comes by a URL that still holds is nobody's.
    assert_eq!(stage.upload(&announced, FILE).await.status(), StatusCode::OK);
    stage.object_goes(&object_key(&gone)).await;
    let available = stage.becomes(&kept, "available").await;
    let url = available["download"]["url"].as_str().expect("a URL");
    let file = stage.world.client.get(url).send().await.expect("an answer");
    assert_eq!(file.bytes().await.expect("a body"), FILE);
}

#[tokio::test]
async fn an_object_without_an_attachment_is_removed() {
    let stage = Stage::new().await;
    let _worker = stage.worker().await;
    let key = format!("attachments/acme/{}/{}", Uuid::now_v7(), Uuid::now_v7());
    stage.put(&key, FILE, "image/png").await;
    stage.object_goes(&key).await;
}

#[tokio::test]
async fn a_lambda_on_a_schedule_sweeps() {
    let stage = Stage::new().await;
    let (path, announced) = stage.announce(&stage.task().await).await;
    stage.upload(&announced, FILE).await;
    stage.delete(&path).await;

    let api = LambdaApi::start().await;
    let environment = stage.environment().with("ATTACHMENT_PART", "sweep");
    let _sweep = stage.world.start_lambda("attachment-worker", &environment, &api);
    let schedule = serde_json::json!({"source": "aws.scheduler"});
    api.invoke("sweep", TIME, schedule).await.expect("swept");
    assert_eq!(stage.rows().await, 0);
    stage.object_goes(&object_key(&path)).await;
}

#[tokio::test]
async fn in_a_bucket_with_versioning_every_version_goes() {
    let stage = Stage::new().await;
    stage.enable_versioning().await;
    let _worker = stage.worker().await;
    let (path, announced) = stage.announce(&stage.task().await).await;
    for _ in 0..3 {
        stage.upload(&announced, FILE).await;
    }
    stage.becomes(&path, "available").await;
    let key = object_key(&path);
    assert_eq!(stage.versions(&key).await, 3);

    stage.delete(&path).await;
    eventually("its row goes", async || (stage.rows().await == 0).then_some(())).await;
    assert_eq!(stage.versions(&key).await, 0);
}

#[tokio::test]
async fn objects_that_cannot_be_removed_hold_up_no_others() {
    let stage = Stage::new().await;
    stage.enable_versioning().await;
    let task = stage.task().await;
    let held = stage.deleted_under_legal_hold(&task, 100).await;
    let (path, announced) = stage.announce(&task).await;
    stage.upload(&announced, FILE).await;
    stage.delete(&path).await;

    let worker = stage.worker().await;
    stage.object_goes(&object_key(&path)).await;
    eventually("its row goes", async || (stage.rows().await == 100).then_some(())).await;
    let tried = "SELECT count(*) FROM attachments WHERE removal_attempts > 0";
    assert_eq!(stage.world.count(tried).await, 100);
    let kept = async || (stage.versions(&held).await == 1).then_some(());
    eventually("what is held is kept, and no delete marker", kept).await;
    let url = worker.health_url("metrics");
    let metrics = stage.world.client.get(url).send().await.expect("an answer").text().await;
    let metrics = metrics.expect("text");
    assert!(metrics.contains("attachment_removals_failed_total"), "{metrics}");
}
