//! `backup prune`: old backups go, in every version, and the last good ones stay.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use serde_json::{Value, json};

use super::fixture::{Fixture, id};

/// The same backup as if it had been made at another time.
async fn copied(fixture: &Fixture, manifest: &Value, time: &str) -> String {
    let (_, random) = id(manifest).split_once('-').expect("an identifier");
    let copy = format!("{time}-{random}");
    fixture.put(&copy, fixture.object(id(manifest)).await).await;
    let mut manifest = manifest.clone();
    manifest["id"] = copy.as_str().into();
    let put = fixture.s3.put_object().bucket(&fixture.bucket);
    let put = put.key(format!("tasks/{copy}/manifest.json"));
    put.body(manifest.to_string().into_bytes().into()).send().await.expect("written");
    copy
}

#[tokio::test]
async fn old_backups_go_with_all_their_versions() {
    let fixture = Fixture::new().await;
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let versioning = fixture.s3.put_bucket_versioning().bucket(&fixture.bucket);
    versioning.versioning_configuration(enabled.build()).send().await.expect("versions");
    let foreign = fixture.s3.put_object().bucket(&fixture.bucket).key("tasks/of-others/a");
    foreign.body(b"x".to_vec().into()).send().await.expect("written");

    let manifest = fixture.dump().await;
    let oldest = copied(&fixture, &manifest, "20200101T000000Z").await;
    let old = copied(&fixture, &manifest, "20200102T000000Z").await;
    let prune = ["prune", "--keep-newest", "1"];
    let expected = json!({
        "deleted": [oldest, old], "kept": 1, "aborted_uploads": 0, "dry_run": true,
    });
    let dry = fixture.json(&[&prune[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry.first(), Some(&expected));
    assert_eq!(fixture.json(&["list"]).await.len(), 3);
    let pruned = &fixture.json(&prune).await[0];
    assert_eq!(pruned["deleted"], expected["deleted"]);
    let listed = fixture.json(&["list"]).await;
    assert_eq!(listed.iter().map(|one| &one["id"]).collect::<Vec<_>>(), [&manifest["id"]]);
    let versions = fixture.s3.list_object_versions().bucket(&fixture.bucket).send().await;
    let versions = versions.expect("a list");
    let keys = versions.versions().iter().filter_map(|version| version.key());
    assert_eq!(keys.filter(|key| key.contains("2020")).count(), 0);
    assert_eq!(versions.delete_markers().len(), 0);
    assert!(fixture.keys().await.contains(&"tasks/of-others/a".to_owned()));

    // However old it is, the last good one stays.
    let delete = fixture.s3.delete_object().bucket(&fixture.bucket);
    let last = copied(&fixture, &manifest, "20200103T000000Z").await;
    delete.key(format!("tasks/{}/manifest.json", id(&manifest))).send().await.expect("deleted");
    assert_eq!(fixture.json(&prune).await[0]["deleted"], json!([]));
    assert_eq!(fixture.json(&["list"]).await[0]["id"], last.as_str());
}
