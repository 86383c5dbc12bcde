//! The bucket of attachments. Files never pass through our processes: their owners send and fetch
//! them by signed URLs, and we only ask S3 what lies there.
//!
//! Each role signs or does one thing, and needs one permission on `attachments/*`: uploads
//! `s3:PutObject`, downloads `s3:GetObject`, verifying `s3:GetObject` (and `s3:ListBucket` on the
//! bucket: without it S3 calls a missing object forbidden), removing `s3:DeleteObject`, and in a bucket
//! with versioning more: see `remove`.

mod key;
mod object;
mod remove;
mod signed;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{DisplayErrorContext, SdkError};

pub use key::parse_object_key;
pub use object::Object;
pub use signed::Signed;

/// The bucket of attachments. Clones share one client.
#[derive(Clone, Debug)]
pub struct AttachmentBucket {
    client: Client,
    name: String,
}

/// S3 cannot be reached, is too busy, lacks a permission that operators can give, or refuses: try
/// again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("S3 is not available: {cause}")]
pub struct BucketAway {
    cause: String,
    refused: bool,
}

impl BucketAway {
    fn refused(cause: String) -> Self {
        Self { cause, refused: true }
    }

    fn unavailable(cause: String) -> Self {
        Self { cause, refused: false }
    }

    /// Whether S3 answered, and refused this request; else others would fail, too.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.refused
    }
}

impl AttachmentBucket {
    /// The bucket `name`; asks nothing of S3 yet.
    #[must_use]
    pub fn new(aws: &SdkConfig, name: String) -> Self {
        // Path style, for an endpoint that is no AWS has no name for each bucket.
        let config = Builder::from(aws).force_path_style(aws.endpoint_url().is_some()).build();
        Self { client: Client::from_conf(config), name }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn away<E>(error: SdkError<E>) -> BucketAway
where
    E: std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let refused = status.is_some_and(|status| (400..500).contains(&status));
    BucketAway { cause: DisplayErrorContext(error).to_string(), refused }
}

/// A request that cannot be made.
fn unusable(error: impl std::error::Error) -> BucketAway {
    BucketAway::refused(error.to_string())
}
