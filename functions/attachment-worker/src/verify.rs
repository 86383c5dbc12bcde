//! From notifications of S3 to attachments that are available, rejected, or gone.
//!
//! A notification only says where to look. What is there now is compared with what was announced, so
//! a repeat, a late one, or two in the wrong order come to the same.

use domain::{AttachmentKey, AttachmentState};
use records::{AttachmentBucket, BucketUnavailable, parse_object_key};
use runtime::sqs::{Delivery, Handler, Reject, Retry, Verdict};
use runtime::{Clock, SystemClock};
use store::{ReadError, Store};
use tracing::info;

use crate::event;

/// Verifies what was uploaded.
pub(crate) struct Verifier {
    store: Store,
    bucket: AttachmentBucket,
    clock: SystemClock,
}

/// What a notification names.
pub(crate) struct Uploaded {
    keys: Vec<AttachmentKey>,
    /// Why the first of its other objects is none of ours.
    foreign: Option<Reject>,
}

impl Handler for Verifier {
    type Message = Uploaded;

    fn decode(&self, delivery: &Delivery) -> Result<Uploaded, Reject> {
        let (mut keys, mut foreign) = (Vec::new(), None);
        for created in event::decode(delivery.body())? {
            match created.and_then(|created| self.key(&created)) {
                Ok(key) => keys.push(key),
                Err(reject) => foreign = foreign.or(Some(reject)),
            }
        }
        match foreign {
            Some(reject) if keys.is_empty() => Err(reject),
            foreign => Ok(Uploaded { keys, foreign }),
        }
    }

    /// No object costs another one its verification. The message is retried for one that may succeed
    /// later, and else a dead letter for one that cannot.
    async fn handle(&self, Uploaded { keys, foreign }: Uploaded) -> Verdict {
        let mut verdict = foreign.map_or(Verdict::Ack, Verdict::Reject);
        for key in &keys {
            match self.verify(key).await {
                Err(Verdict::Retry(retry)) if retry.unavailable => return retry.into(),
                Err(retry @ Verdict::Retry(_)) => verdict = retry,
                Err(reject) if verdict == Verdict::Ack => verdict = reject,
                Ok(()) | Err(_) => {}
            }
        }
        verdict
    }
}

impl Verifier {
    pub(crate) fn new(store: Store, bucket: AttachmentBucket, clock: SystemClock) -> Self {
        Self { store, bucket, clock }
    }

    /// What is not ours is left alone: operators see it among the dead letters.
    fn key(&self, created: &event::Created) -> Result<AttachmentKey, Reject> {
        if created.bucket != self.bucket.name() {
            let detail = "the notification is of a bucket that is not ATTACHMENT_BUCKET";
            return Err(Reject::new("foreign_bucket", detail));
        }
        parse_object_key(&created.key).ok_or_else(|| {
            Reject::new("foreign_object", "the object's key is not one of an attachment")
        })
    }

    async fn verify(&self, key: &AttachmentKey) -> Result<(), Verdict> {
        let Some(attachment) = self.store.attachment(key).await.map_err(unread)? else {
            info!(task = %key.task, attachment = %key.id, "an object without an attachment");
            return self.bucket.remove(key).await.map_err(bucket_unavailable);
        };
        let Some(object) = self.bucket.object(key).await.map_err(bucket_unavailable)? else {
            return Ok(());
        };
        let compared = object.compare(&attachment.file);
        let state =
            compared.map_or_else(AttachmentState::Rejected, |()| AttachmentState::Available);
        // First recorded and then removed: were it the other way round, a crash between would leave an
        // attachment that waits for an object that was there.
        let recorded = self.store.record_verification(key, state, self.clock.now()).await;
        recorded.map_err(unread)?;
        if let Err(mismatch) = compared {
            let reason = mismatch.as_str();
            info!(task = %key.task, attachment = %key.id, reason, "an upload was rejected");
            // Its owner may have sent the right one meanwhile.
            self.bucket.remove_seen(key, &object).await.map_err(bucket_unavailable)?;
        }
        Ok(())
    }
}

fn unread(error: ReadError) -> Verdict {
    match error {
        ReadError::Unavailable(cause) => {
            Retry::unavailable("database_unavailable", cause.to_string()).into()
        }
        ReadError::Unreadable(_) => Reject::new("row_unreadable", error.to_string()).into(),
    }
}

/// What S3 refuses is a matter of one object, and no reason to stop the others.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn bucket_unavailable(cause: BucketUnavailable) -> Verdict {
    if cause.is_refusal() {
        return Retry::new("bucket_refused", cause.to_string()).into();
    }
    Retry::unavailable("bucket_unavailable", cause.to_string()).into()
}
