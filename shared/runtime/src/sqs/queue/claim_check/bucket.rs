//! The one bucket that bodies are read from.

use std::sync::Arc;

use anyhow::bail;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata as _, SdkError},
    operation::get_object::{GetObjectError, GetObjectOutput},
};
use causes::with_causes;
use tracing::warn;

use super::{Config, Reference};
use crate::{
    aws,
    sqs::{Reject, Retry, Verdict},
};

/// Of an object that nobody puts.
const PROBE_KEY: &str = "probe-of-the-consumer";

pub(super) struct Bucket {
    client: Client,
    name: String,
    max_bytes: u64,
    /// Whether bodies are deleted with their messages.
    pub(super) deletes: bool,
}

impl Bucket {
    pub(super) async fn open(name: String, config: &Config) -> Self {
        let client = objects::client(&aws::client_config().await);
        let (max_bytes, deletes) = (config.claim_check_max_bytes.into(), config.claim_check_delete);
        Self { client, name, max_bytes, deletes }
    }

    /// Gives the reference back if it may be followed.
    pub(super) fn check(&self, reference: Reference) -> Result<Reference, Reject> {
        if reference.bucket != self.name {
            let detail = "the reference names a bucket that is not CLAIM_CHECK_BUCKET";
            return Err(Reject::new("claim_check_foreign_bucket", detail));
        }
        if reference.size > self.max_bytes {
            let (size, most) = (reference.size, self.max_bytes);
            let detail = format!("{size} bytes; CLAIM_CHECK_MAX_BYTES is {most}");
            return Err(Reject::new("claim_check_too_large", detail));
        }
        Ok(reference)
    }

    /// The body, if it is what the reference says.
    pub(super) async fn fetch(&self, reference: &Reference) -> Result<String, Verdict> {
        let request = self.client.get_object().bucket(&self.name).key(&reference.key);
        let object = request.send().await.map_err(|error| unfetched(&error))?;
        let announced = object.content_length.and_then(|length| u64::try_from(length).ok());
        if announced.is_some_and(|announced| announced != reference.size) {
            return Err(mismatch("the object has another size than the reference says"));
        }
        let body = read(object, reference.size).await?;
        if !reference.fits(&body) {
            return Err(mismatch("the object has another size or digest than the reference says"));
        }
        String::from_utf8(body).map_err(|_| mismatch("the object is not UTF-8"))
    }

    /// Fails if S3 does not answer. Requests the head of an object that is not there, which needs no
    /// other permission than the bodies do.
    pub(super) async fn probe(self: Arc<Self>) -> anyhow::Result<()> {
        let request = self.client.head_object().bucket(&self.name).key(PROBE_KEY);
        match request.send().await {
            Err(error) if !is_answer(&error) => bail!(with_causes(&error)),
            _ => Ok(()),
        }
    }

    pub(super) async fn delete(&self, key: String) {
        if let Err(error) = objects::remove(&self.client, &self.name, &key).await {
            warn!(%error, "a claim check's body could not be deleted: it stays");
        }
    }
}

/// Reads no more than the reference promises.
async fn read(mut object: GetObjectOutput, size: u64) -> Result<Vec<u8>, Verdict> {
    let mut body = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    while let Some(chunk) = object.body.next().await {
        let chunk = chunk.map_err(|error| unavailable(with_causes(&error)))?;
        if u64::try_from(body.len() + chunk.len()).is_ok_and(|read| read > size) {
            return Err(mismatch("the object is larger than the reference says"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// S3 denies access to a missing object, too, to whoever may not list the bucket: so a denial may
/// pass, when the object or the permission comes.
fn unfetched(error: &SdkError<GetObjectError>) -> Verdict {
    let service = error.as_service_error();
    if service.is_some_and(GetObjectError::is_no_such_key) {
        return Reject::new("claim_check_missing", "there is no such object").into();
    }
    if service.and_then(|error| error.code()) == Some("AccessDenied") {
        let detail = "S3 denies access: the consumer lacks s3:GetObject; or there is no such \
                      object, which S3 says only to those with s3:ListBucket";
        return Retry::new("claim_check_denied", detail).into();
    }
    unavailable(with_causes(error))
}

fn unavailable(detail: impl Into<String>) -> Verdict {
    Retry::unavailable("claim_check_unavailable", detail).into()
}

/// Whether S3 answers, whatever it says to this caller: a fault of its own, and throttling, are no
/// answer.
fn is_answer<E>(error: &SdkError<E>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    matches!(status, Some(200..=499)) && status != Some(429)
}

fn mismatch(detail: &str) -> Verdict {
    Reject::new("claim_check_mismatch", detail).into()
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{config::http::HttpResponse, error::ErrorMetadata, primitives::SdkBody};

    use super::*;

    #[test]
    fn a_denial_is_tried_again_for_the_object_may_be_missing_only_so_far() {
        for (code, status, expected) in [
            ("AccessDenied", 403_u16, "claim_check_denied"),
            ("SlowDown", 503, "claim_check_unavailable"),
        ] {
            let error = GetObjectError::generic(ErrorMetadata::builder().code(code).build());
            let status = status.try_into().unwrap();
            let response = HttpResponse::new(status, SdkBody::empty());
            let verdict = unfetched(&SdkError::service_error(error, response));
            let Verdict::Retry(retry) = verdict else { panic!("{verdict:?}") };
            assert_eq!(retry.reason, expected);
            assert_eq!(retry.unavailable, expected == "claim_check_unavailable");
        }
    }
}
