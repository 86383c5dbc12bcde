//! URLs that let their holder do one thing with one object, for a while.
//!
//! An upload's signature binds media type, length and digest: S3 itself refuses what differs. A URL
//! ends with the credentials that signed it, if that is earlier than it says.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use domain::{AttachmentKey, AttachmentName, NewAttachment, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Serialize;

use super::key::object_key;
use super::{AttachmentBucket, BucketUnavailable};

/// All but `attr-char` (RFC 8187).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A request that its holder may send as it stands. A secret while it lasts: not for a log.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignedRequest")]
pub struct Signed {
    /// The method to send it with.
    method: String,
    /// Where to send it.
    url: String,
    /// To be sent with it; the signature holds for no others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// Until when the signature holds, at most.
    #[serde(serialize_with = "domain::time::serialize")]
    expires_at: Timestamp,
}

impl Signed {
    fn new(request: &PresignedRequest, expires_at: Timestamp) -> Self {
        let headers = request.headers();
        Self {
            method: request.method().to_owned(),
            url: request.uri().to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            expires_at,
        }
    }
}

impl AttachmentBucket {
    /// An upload of `file` and of nothing else.
    ///
    /// # Errors
    /// When there are no credentials to sign with.
    pub async fn upload(
        &self,
        key: &AttachmentKey,
        file: &NewAttachment,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Signed, BucketUnavailable> {
        let request = self.client.put_object().bucket(&self.name).key(object_key(key));
        let request = request
            .content_type(file.content_type.as_str())
            .content_length(file.size.bytes().into())
            .checksum_sha256(file.sha256.to_string());
        let request = request.presigned(presigning(now, lifetime)?).await?;
        Ok(Signed::new(&request, now + lifetime))
    }

    /// A download under the name that the file was announced with.
    ///
    /// # Errors
    /// When there are no credentials to sign with.
    pub async fn download(
        &self,
        key: &AttachmentKey,
        file: &NewAttachment,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Signed, BucketUnavailable> {
        let request = self.client.get_object().bucket(&self.name).key(object_key(key));
        let request = request
            .response_content_type(file.content_type.as_str())
            .response_content_disposition(disposition(&file.name));
        let request = request.presigned(presigning(now, lifetime)?).await?;
        Ok(Signed::new(&request, now + lifetime))
    }
}

fn presigning(now: Timestamp, lifetime: Duration) -> Result<PresigningConfig, BucketUnavailable> {
    PresigningConfig::builder()
        .start_time(SystemTime::from(now))
        .expires_in(lifetime)
        .build()
        .map_err(BucketUnavailable::unusable)
}

/// To be saved, never to be shown: what a tenant uploaded must not run in another's browser.
fn disposition(name: &AttachmentName) -> String {
    format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(name.as_str(), ESCAPED))
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};

    use super::*;

    #[tokio::test]
    async fn an_upload_is_bound_to_its_type_length_and_digest() {
        let credentials = Credentials::new("key", "secret", None, None, "test");
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let key = AttachmentKey {
            tenant: "acme".parse().unwrap(),
            task: "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10".parse().unwrap(),
            id: "0192f1a0-9d02-7c11-8f6e-5b2c7e9a4d20".parse().unwrap(),
        };
        let file = NewAttachment {
            name: "a.png".parse().unwrap(),
            content_type: "image/png".parse().unwrap(),
            size: 3.try_into().unwrap(),
            sha256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse().unwrap(),
        };
        let now = "2026-01-31T09:30:00Z".parse().unwrap();
        let bucket = AttachmentBucket::new(&aws, "files".to_owned());
        let signed = bucket.upload(&key, &file, now, Duration::from_mins(15)).await.unwrap();
        let headers = "content-length%3Bcontent-type%3Bhost%3Bx-amz-checksum-sha256";
        for part in [
            "https://files.s3.us-east-1.amazonaws.com/attachments/acme/",
            "X-Amz-Date=20260131T093000Z",
            "X-Amz-Expires=900",
            &format!("X-Amz-SignedHeaders={headers}"),
        ] {
            assert!(signed.url.contains(part), "{part} {}", signed.url);
        }
        let sent: Vec<_> = signed.headers.keys().map(String::as_str).collect();
        assert_eq!(sent, ["content-length", "content-type", "x-amz-checksum-sha256"]);
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_header() {
        let disposition = |name: &str| disposition(&name.parse().unwrap());
        assert_eq!(disposition("a-b.pdf"), "attachment; filename*=UTF-8''a-b.pdf");
        assert_eq!(
            disposition("ü \"1\"; x='y'%"),
            "attachment; filename*=UTF-8''%C3%BC%20%221%22%3B%20x%3D%27y%27%25"
        );
    }
}
