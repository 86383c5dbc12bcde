//! What lies in the bucket.

use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
use aws_sdk_s3::types::ChecksumMode;
use domain::{AttachmentKey, Mismatch, NewAttachment};

use super::key::object_key;
use super::{AttachmentBucket, BucketUnavailable};
use crate::available::unanswered;

/// What S3 knows of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    size: i64,
    content_type: String,
    /// In base64; empty if it was uploaded without one.
    sha256: String,
    /// Which one it is, in a bucket with versioning.
    version: Option<String>,
}

impl Object {
    /// Whether it is the file that was announced.
    ///
    /// # Errors
    /// In what it differs.
    pub fn compare(&self, file: &NewAttachment) -> Result<(), Mismatch> {
        if self.size != i64::from(file.size.bytes()) {
            return Err(Mismatch::Size);
        }
        if self.content_type != file.content_type.as_str() {
            return Err(Mismatch::ContentType);
        }
        if self.sha256 != file.sha256.to_string() {
            return Err(Mismatch::Sha256);
        }
        Ok(())
    }
}

impl From<HeadObjectOutput> for Object {
    fn from(head: HeadObjectOutput) -> Self {
        Self {
            size: head.content_length.unwrap_or_default(),
            content_type: head.content_type.unwrap_or_default(),
            sha256: head.checksum_sha256.unwrap_or_default(),
            version: head.version_id,
        }
    }
}

impl AttachmentBucket {
    /// The object of an attachment, if there is one.
    ///
    /// # Errors
    /// When S3 does not answer, or lacks a permission.
    pub async fn object(&self, key: &AttachmentKey) -> Result<Option<Object>, BucketUnavailable> {
        let request = self.client.head_object().bucket(&self.name).key(object_key(key));
        match request.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => Ok(Some(head.into())),
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an object that was seen. In a bucket with versioning, one that was uploaded since stays.
    ///
    /// # Errors
    /// As of [`remove`](Self::remove).
    pub async fn remove_seen(
        &self,
        key: &AttachmentKey,
        seen: &Object,
    ) -> Result<(), BucketUnavailable> {
        let Some(version) = &seen.version else { return self.remove(key).await };
        objects::remove_version(&self.client, &self.name, &object_key(key), version).await
    }

    /// Checks that S3 answers, by the head of an object that is not there.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub fn check(&self) -> impl Future<Output = Result<(), BucketUnavailable>> + use<> {
        let request = self.client.head_object().bucket(&self.name).key("attachments/none");
        async move {
            let unanswered = request.send().await.err().as_ref().and_then(unanswered);
            unanswered.map_or(Ok(()), |cause| Err(BucketUnavailable::unavailable(cause)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn an_object_is_the_file_that_was_announced_or_differs_in_something() {
        let file = NewAttachment {
            name: "a.png".parse().unwrap(),
            content_type: "image/png".parse().unwrap(),
            size: 3.try_into().unwrap(),
            sha256: SHA256.parse().unwrap(),
        };
        let compare = |size: i64, content_type: &str, sha256: Option<&str>| {
            let head = HeadObjectOutput::builder()
                .content_length(size)
                .content_type(content_type)
                .set_checksum_sha256(sha256.map(str::to_owned));
            Object::from(head.build()).compare(&file)
        };
        assert_eq!(compare(3, "image/png", Some(SHA256)), Ok(()));
        assert_eq!(compare(4, "image/png", Some(SHA256)), Err(Mismatch::Size));
        assert_eq!(compare(3, "text/html", Some(SHA256)), Err(Mismatch::ContentType));
        for other in [None, Some("AAAA"), Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-1")] {
            assert_eq!(compare(3, "image/png", other), Err(Mismatch::Sha256));
        }
    }
}
