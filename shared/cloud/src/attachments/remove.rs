//! Removal of objects, for good.
//!
//! In a bucket with versioning a deletion only hides an object: its versions stay, and somebody pays
//! for them and can read them. So each version is deleted, and the delete markers too.
//!
//! A bucket without versioning needs `s3:DeleteObject`, and takes one request. One with versioning
//! also needs `s3:DeleteObjectVersion`, and `s3:ListBucketVersions` on the bucket.

use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use domain::AttachmentKey;

use super::key::object_key;
use super::{AttachmentBucket, BucketAway, away, unusable};

/// Pages of versions of one object, of a thousand each, that one attempt deletes.
const MOST_PAGES: usize = 100;

impl AttachmentBucket {
    /// Removes the object of an attachment with all of its versions; one that is not there is removed
    /// already.
    ///
    /// # Errors
    /// When S3 does not answer, or lacks a permission, or refuses (because of a retention, say).
    pub async fn remove(&self, key: &AttachmentKey) -> Result<(), BucketAway> {
        let object = object_key(key);
        let request = self.client.delete_object().bucket(&self.name).key(&object);
        let deleted = request.send().await.map_err(away)?;
        if is_versioned(&deleted) { self.remove_versions(&object).await } else { Ok(()) }
    }

    async fn remove_versions(&self, object: &str) -> Result<(), BucketAway> {
        for _ in 0..MOST_PAGES {
            // From the beginning each time, since what was found is gone.
            let request = self.client.list_object_versions().bucket(&self.name).prefix(object);
            let page = request.send().await.map_err(away)?;
            let versions = versions(&page, object)?;
            if versions.is_empty() {
                return Ok(());
            }
            self.delete_versions(versions).await?;
        }
        Err(BucketAway::refused(format!("more than {MOST_PAGES} pages of versions")))
    }

    async fn delete_versions(&self, versions: Vec<ObjectIdentifier>) -> Result<(), BucketAway> {
        let delete = Delete::builder().set_objects(Some(versions)).quiet(true).build();
        let request = self.client.delete_objects().bucket(&self.name);
        let deleted = request.delete(delete.map_err(unusable)?).send().await.map_err(away)?;
        match deleted.errors().first() {
            None => Ok(()),
            Some(error) => {
                let code = error.code().unwrap_or("unknown");
                let message = error.message().unwrap_or_default();
                Err(BucketAway::refused(format!("a version was not deleted: {code} {message}")))
            }
        }
    }
}

/// Only a bucket that has or had versioning says so in its answer.
fn is_versioned(deleted: &DeleteObjectOutput) -> bool {
    deleted.delete_marker() == Some(true) || deleted.version_id().is_some()
}

/// The versions and delete markers of one object, of a page of those that begin like it.
fn versions(
    page: &ListObjectVersionsOutput,
    object: &str,
) -> Result<Vec<ObjectIdentifier>, BucketAway> {
    let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    versions
        .chain(markers)
        .filter(|(key, _)| *key == Some(object))
        .map(|(_, id)| {
            let version = ObjectIdentifier::builder().key(object);
            version.set_version_id(id.map(str::to_owned)).build().map_err(unusable)
        })
        .collect()
}
