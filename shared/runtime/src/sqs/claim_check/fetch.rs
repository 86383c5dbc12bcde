//! The receiver's half: from a reference to the body, or to a verdict.

use std::{collections::HashSet, time::Duration};

use aws_sdk_s3::{
    Client,
    error::{DisplayErrorContext, SdkError},
    operation::get_object::{GetObjectError, GetObjectOutput},
};
use futures::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::{ATTRIBUTE, Config, Reference};
use crate::{
    aws,
    sqs::{Record, Reject, Retry, Verdict},
};

/// Objects that one batch fetches, or deletes, at a time.
const CONCURRENCY: usize = 8;
/// For one object, its body read and the SDK's retries included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Follows claim checks into the one bucket that was configured, if one was.
pub(crate) struct Claims(Option<Bucket>);

struct Bucket {
    client: Client,
    name: String,
    max_bytes: u64,
    delete: bool,
}

impl Claims {
    /// Asks nothing of S3 yet: a queue is consumed even while it is away.
    pub(crate) async fn open(config: &Config) -> Self {
        let Some(name) = config.claim_check_bucket.clone() else { return Self(None) };
        let (max_bytes, delete) = (config.claim_check_max_bytes.into(), config.claim_check_delete);
        // Path style, for an endpoint that is no AWS has no name for each bucket.
        let sdk = aws::client_config().await;
        let client = aws_sdk_s3::config::Builder::from(&sdk)
            .force_path_style(sdk.endpoint_url().is_some())
            .build();
        Self(Some(Bucket { client: Client::from_conf(client), name, max_bytes, delete }))
    }

    /// For a queue that is not AWS's.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) const fn disabled() -> Self {
        Self(None)
    }

    /// Gives each record that is a claim check its body, or a verdict if that cannot be had, or not
    /// by `deadline`.
    pub(crate) async fn redeem(
        &self,
        records: &[Record],
        deadline: Instant,
    ) -> Vec<Option<Verdict>> {
        let references: Vec<_> =
            records.iter().map(|record| record.attribute(ATTRIBUTE).map(str::to_owned)).collect();
        if references.iter().all(Option::is_none) {
            return vec![None; records.len()];
        }
        let redeem = |reference: Option<String>| async move {
            match reference {
                Some(reference) => Some(self.body(&reference, deadline).await),
                None => None,
            }
        };
        let bodies: Vec<_> =
            stream::iter(references).map(redeem).buffered(CONCURRENCY).collect().await;
        let redeemed = records.iter().zip(bodies);
        let mut verdicts: Vec<_> =
            redeemed.map(|(record, body)| body?.map(|body| record.redeem(body)).err()).collect();
        hold_back(records, &mut verdicts);
        verdicts
    }

    /// Deletes the bodies of messages that are done with, if that was asked for.
    pub(crate) async fn discard<'a>(&self, records: impl Iterator<Item = &'a Record>) {
        let Some(bucket) = self.0.as_ref().filter(|bucket| bucket.delete) else { return };
        let keys: Vec<_> = records.filter_map(|record| bucket.key(record)).collect();
        let delete = |key| async move { bucket.delete(key).await };
        stream::iter(keys).map(delete).buffer_unordered(CONCURRENCY).collect::<()>().await;
    }

    async fn body(&self, reference: &str, deadline: Instant) -> Result<String, Verdict> {
        let Some(bucket) = &self.0 else {
            let detail = "the message refers to a body in S3, and CLAIM_CHECK_BUCKET is not set";
            return Err(Reject::new("claim_check_disabled", detail).into());
        };
        let reference = serde_json::from_str(reference)
            .map_err(|error| Reject::new("claim_check_malformed", error.to_string()))?;
        bucket.check(&reference)?;
        let deadline = deadline.min(Instant::now() + PATIENCE);
        let body = timeout_at(deadline, bucket.fetch(&reference))
            .await
            .map_err(|_| unavailable("S3 took too long"))??;
        if !reference.fits(&body) {
            return Err(mismatch("the object has another size or digest than the reference says"));
        }
        String::from_utf8(body).map_err(|_| mismatch("the object is not UTF-8"))
    }
}

impl Bucket {
    fn check(&self, reference: &Reference) -> Result<(), Reject> {
        if reference.bucket != self.name {
            let detail = "the reference names a bucket that is not CLAIM_CHECK_BUCKET";
            return Err(Reject::new("claim_check_foreign_bucket", detail));
        }
        if reference.size > self.max_bytes {
            let (size, most) = (reference.size, self.max_bytes);
            let detail = format!("{size} bytes; CLAIM_CHECK_MAX_BYTES is {most}");
            return Err(Reject::new("claim_check_too_large", detail));
        }
        Ok(())
    }

    /// Reads no more than the reference promises.
    async fn fetch(&self, reference: &Reference) -> Result<Vec<u8>, Verdict> {
        let request = self.client.get_object().bucket(&self.name).key(&reference.key);
        let object = request.send().await.map_err(|error| unfetched(&error))?;
        let announced = object.content_length.and_then(|length| u64::try_from(length).ok());
        if announced.is_some_and(|announced| announced != reference.size) {
            return Err(mismatch("the object has another size than the reference says"));
        }
        read(object, reference.size).await
    }

    /// The key of the record's body.
    fn key(&self, record: &Record) -> Option<String> {
        let reference: Reference = serde_json::from_str(record.attribute(ATTRIBUTE)?).ok()?;
        (reference.bucket == self.name).then_some(reference.key)
    }

    async fn delete(&self, key: String) {
        let request = self.client.delete_object().bucket(&self.name).key(key);
        if let Err(error) = request.send().await {
            let error = DisplayErrorContext(&error).to_string();
            warn!(error, "a claim check's body could not be deleted: it stays");
        }
    }
}

/// Nothing that follows a retry in its FIFO group may be handled before it.
fn hold_back(records: &[Record], verdicts: &mut [Option<Verdict>]) {
    let mut held = HashSet::new();
    for (record, verdict) in records.iter().zip(verdicts).filter(|(record, _)| record.is_ordered())
    {
        let Some(group) = record.group_id() else { continue };
        if matches!(verdict, Some(Verdict::Retry(_))) {
            held.insert(group);
        } else if held.contains(group) {
            let detail = "a message before it in its group is retried";
            *verdict = Some(Retry::new("group_held_back", detail).after(Duration::ZERO).into());
        }
    }
}

async fn read(mut object: GetObjectOutput, size: u64) -> Result<Vec<u8>, Verdict> {
    let mut body = Vec::new();
    while let Some(chunk) = object.body.next().await {
        let chunk = chunk.map_err(|error| unavailable(error.to_string()))?;
        body.extend_from_slice(&chunk);
        if u64::try_from(body.len()).is_ok_and(|read| read > size) {
            return Err(mismatch("the object is larger than the reference says"));
        }
    }
    Ok(body)
}

fn unfetched(error: &SdkError<GetObjectError>) -> Verdict {
    if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) {
        return Reject::new("claim_check_missing", "there is no such object").into();
    }
    unavailable(DisplayErrorContext(error).to_string())
}

fn unavailable(detail: impl Into<String>) -> Verdict {
    Retry::new("claim_check_unavailable", detail).into()
}

fn mismatch(detail: &str) -> Verdict {
    Reject::new("claim_check_mismatch", detail).into()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};

    use super::*;

    fn record(group: &str) -> Record {
        let message = Message::builder().message_id("id").receipt_handle("handle");
        let message = message
            .attributes(System::MessageGroupId, group)
            .attributes(System::SequenceNumber, "1");
        message.build().try_into().unwrap()
    }

    #[test]
    fn what_follows_a_body_that_cannot_be_fetched_waits_for_it() {
        let records = ["a", "b", "a", "c", "c"].map(record);
        let mut verdicts = [Some(unavailable("away")), None, None, Some(mismatch("")), None];
        hold_back(&records, &mut verdicts);
        let reasons = verdicts.map(|verdict| match verdict {
            Some(Verdict::Retry(retry)) => retry.reason,
            Some(Verdict::Reject(reject)) => reject.reason,
            _ => "handled",
        });
        let expected = [
            "claim_check_unavailable",
            "handled",
            "group_held_back",
            "claim_check_mismatch",
            "handled",
        ];
        assert_eq!(reasons, expected);
    }
}
