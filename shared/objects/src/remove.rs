//! Removal of objects, for good.
//!
//! In a bucket with versioning a deletion only adds a delete marker: its versions stay, and somebody pays
//! for them and can read them. So each version is deleted, and the delete markers too.
//!
//! A bucket without versioning needs `s3:DeleteObject`, and takes one request. One with versioning
//! also needs `s3:DeleteObjectVersion`, and `s3:ListBucketVersions` on the bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::Failure;

/// Pages of versions of one object, of a thousand each, that one attempt deletes.
const MOST_PAGES: usize = 100;

/// Removes an object with all of its versions; one that is not there is removed already.
///
/// # Errors
/// When S3 does not answer, or lacks a permission, or refuses (because of a retention, say).
pub async fn remove(client: &Client, bucket: &str, key: &str) -> Result<(), Failure> {
    let deleted = client.delete_object().bucket(bucket).key(key).send().await?;
    if is_versioned(&deleted) { remove_versions(client, bucket, key).await } else { Ok(()) }
}

/// Removes one version of an object; one that is not there is removed already.
///
/// # Errors
/// As of [`remove`].
pub async fn remove_version(
    client: &Client,
    bucket: &str,
    key: &str,
    version: &str,
) -> Result<(), Failure> {
    client.delete_object().bucket(bucket).key(key).version_id(version).send().await?;
    Ok(())
}

async fn remove_versions(client: &Client, bucket: &str, key: &str) -> Result<(), Failure> {
    for _ in 0..MOST_PAGES {
        // From the beginning each time, since what was found is gone.
        let page = client.list_object_versions().bucket(bucket).prefix(key).send().await?;
        let versions = versions(&page, key)?;
        if versions.is_empty() {
            return Ok(());
        }
        delete_versions(client, bucket, versions).await?;
    }
    Err(Failure::refused(format!("more than {MOST_PAGES} pages of versions")))
}

async fn delete_versions(
    client: &Client,
    bucket: &str,
    versions: Vec<ObjectIdentifier>,
) -> Result<(), Failure> {
    let delete = Delete::builder().set_objects(Some(versions)).quiet(true).build();
    let delete = delete.map_err(Failure::unusable)?;
    let deleted = client.delete_objects().bucket(bucket).delete(delete).send().await?;
    match deleted.errors().first() {
        None => Ok(()),
        Some(error) => {
            let code = error.code().unwrap_or("unknown");
            let message = error.message().unwrap_or_default();
            Err(Failure::refused(format!("a version was not deleted: {code} {message}")))
        }
    }
}

/// Only a bucket that has or had versioning says so in its answer.
fn is_versioned(deleted: &DeleteObjectOutput) -> bool {
    deleted.delete_marker() == Some(true) || deleted.version_id().is_some()
}

/// The versions and delete markers of one object, of a page of those that begin like it.
fn versions(page: &ListObjectVersionsOutput, key: &str) -> Result<Vec<ObjectIdentifier>, Failure> {
    let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    versions
        .chain(markers)
        .filter(|(found, _)| *found == Some(key))
        .map(|(_, id)| {
            let version = ObjectIdentifier::builder().key(key);
            version.set_version_id(id.map(str::to_owned)).build().map_err(Failure::unusable)
        })
        .collect()
}
