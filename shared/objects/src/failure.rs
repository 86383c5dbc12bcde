//! Why S3 did not do something.

use aws_sdk_s3::error::SdkError;
use causes::with_causes;

/// S3 cannot be reached, is too busy, lacks a permission that operators can give, or refuses: try
/// again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("S3 is not available: {cause}")]
pub struct Failure {
    cause: String,
    refused: bool,
}

impl Failure {
    /// Whether S3 answered, and refused this request; else others would fail, too.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.refused
    }

    /// S3 refuses this request.
    #[must_use]
    pub fn refused(cause: String) -> Self {
        Self { cause, refused: true }
    }

    /// S3 does not answer.
    #[must_use]
    pub fn unavailable(cause: String) -> Self {
        Self { cause, refused: false }
    }

    /// A request that cannot be made.
    #[must_use]
    pub fn unusable(error: impl std::error::Error) -> Self {
        Self::refused(error.to_string())
    }
}

impl<E> From<SdkError<E>> for Failure
where
    E: std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let refused = status.is_some_and(|status| (400..500).contains(&status));
        Self { cause: with_causes(&error), refused }
    }
}
