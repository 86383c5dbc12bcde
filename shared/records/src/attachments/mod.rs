//! The bucket of attachments. Files never pass through our processes: their owners send and fetch
//! them by signed URLs, and we only read from S3 what is there.
//!
//! Each role signs or does one thing, and needs one permission on `attachments/*`: uploads
//! `s3:PutObject`, downloads `s3:GetObject`, verifying `s3:GetObject` (and `s3:ListBucket` on the
//! bucket: without it S3 calls a missing object forbidden), removing `s3:DeleteObject`, and in a bucket
//! with versioning also `s3:DeleteObjectVersion` and `s3:ListBucketVersions`.

mod key;
mod object;
mod signed;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use domain::AttachmentKey;
use key::object_key;

pub use key::parse_object_key;
pub use object::Object;
pub use objects::Failure as BucketUnavailable;
pub use signed::Signed;

/// The bucket of attachments. Clones share one client.
#[derive(Clone, Debug)]
pub struct AttachmentBucket {
    client: Client,
    name: String,
}

impl AttachmentBucket {
    /// The bucket `name`; sends nothing to S3 yet.
    #[must_use]
    pub fn new(aws: &SdkConfig, name: String) -> Self {
        Self { client: objects::client(aws), name }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Removes the object of an attachment with all of its versions; one that is not there is removed
    /// already.
    ///
    /// # Errors
    /// When S3 does not answer, or lacks a permission, or refuses (because of a retention, say).
    pub async fn remove(&self, key: &AttachmentKey) -> Result<(), BucketUnavailable> {
        objects::remove(&self.client, &self.name, &object_key(key)).await
    }
}
