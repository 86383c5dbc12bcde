//! The receiver's half: from references to bodies, or to verdicts.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::{
    ATTRIBUTE, Config, Reference,
    bucket::Bucket,
    sub_batch::{self, ClaimCheck, SubBatch},
};
use crate::{
    health::Dependencies,
    sqs::{Delivery, Reject, Retry, Verdict},
};

/// Objects that one batch fetches, or deletes, at a time.
const CONCURRENCY: usize = 8;
/// For one object, its body read and the SDK's retries included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Follows claim checks into the one bucket that was configured, if one was.
pub(crate) struct ClaimChecks(Option<Store>);

struct Store {
    bucket: Arc<Bucket>,
    /// Memory for bodies, of all batches together: a permit for each byte.
    room: Arc<Semaphore>,
    bytes: u32,
}

impl ClaimChecks {
    /// Sends nothing to S3 yet: a queue is consumed even while that is unavailable.
    pub(crate) async fn open(config: &Config) -> Self {
        let Some(name) = config.claim_check_bucket.clone() else { return Self(None) };
        let bytes = config.claim_check_memory_bytes;
        let permits = usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS);
        let bucket = Arc::new(Bucket::open(name, config).await);
        Self(Some(Store { bucket, room: Arc::new(Semaphore::new(permits)), bytes }))
    }

    /// A bucket that is configured is a dependency of the harness itself.
    pub(crate) fn declare(&self, dependencies: &Dependencies) {
        let Some(store) = &self.0 else { return };
        let bucket = Arc::clone(&store.bucket);
        dependencies.declare("claim_checks", false, move || Arc::clone(&bucket).probe());
    }

    /// For a queue that is not AWS's.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) const fn disabled() -> Self {
        Self(None)
    }

    /// Cuts a batch into sub-batches whose bodies fit into memory: one, mostly.
    pub(crate) fn sub_batches<'a>(&self, deliveries: &'a [Delivery]) -> Vec<SubBatch<'a>> {
        let claim_checks = deliveries.iter().map(|delivery| self.claim_check(delivery)).collect();
        let bytes = self.0.as_ref().map_or(u32::MAX, |store| store.bytes);
        sub_batch::cut(deliveries, claim_checks, bytes.into())
    }

    /// Waits until there is memory for a sub-batch's bodies, which is taken until the permit is
    /// dropped. All of it at once: batches that took a part each would wait for each other. In a pod
    /// that comes, since every other handler has a limit; an invocation ends before, at `until`.
    pub(crate) async fn reserve(
        &self,
        sub_batch: &SubBatch<'_>,
        until: Option<Instant>,
    ) -> Result<Option<OwnedSemaphorePermit>, Retry> {
        let Some(store) = self.0.as_ref().filter(|_| sub_batch.bytes > 0) else { return Ok(None) };
        let permits = u32::try_from(sub_batch.bytes).unwrap_or(u32::MAX);
        let permit = Arc::clone(&store.room).acquire_many_owned(permits);
        let permit = match until {
            Some(until) => timeout_at(until, permit).await.ok(),
            None => Some(permit.await),
        };
        let no_room =
            || Retry::interrupted("claim_check_no_room", "CLAIM_CHECK_MEMORY_BYTES are in use");
        permit.and_then(Result::ok).map(Some).ok_or_else(no_room)
    }

    /// The body of each claim check, or its verdict if that cannot be had, or not by `deadline`;
    /// deliveries that have a verdict are left alone.
    pub(crate) async fn redeem(
        &self,
        sub_batch: SubBatch<'_>,
        verdicts: &mut [Option<Verdict>],
        deadline: Instant,
    ) -> Vec<Option<String>> {
        let claim_checks = sub_batch.claim_checks.into_iter().zip(&*verdicts);
        let open: Vec<ClaimCheck> = claim_checks
            .map(|(claim_check, verdict)| claim_check.filter(|_| verdict.is_none()))
            .collect();
        let fetch =
            |claim_check: ClaimCheck| async move { Some(self.fetch(claim_check?, deadline).await) };
        let fetched: Vec<Option<Result<String, Verdict>>> =
            stream::iter(open).map(fetch).buffered(CONCURRENCY).collect().await;
        let mut bodies = Vec::with_capacity(fetched.len());
        for (fetched, verdict) in fetched.into_iter().zip(verdicts) {
            bodies.push(match fetched {
                Some(Ok(body)) => Some(body),
                Some(Err(failed)) => {
                    *verdict = Some(failed);
                    None
                }
                None => None,
            });
        }
        bodies
    }

    /// Deletes the bodies of messages that are done with, if that is configured.
    pub(crate) async fn discard<'a>(&self, deliveries: impl Iterator<Item = &'a Delivery>) {
        let Some(store) = self.0.as_ref().filter(|store| store.bucket.deletes) else { return };
        let references = deliveries.filter_map(|delivery| self.claim_check(delivery)?.ok());
        let keys: Vec<_> = references.map(|reference| reference.key).collect();
        let delete = |key| async move { store.bucket.delete(key).await };
        stream::iter(keys).map(delete).buffer_unordered(CONCURRENCY).collect::<()>().await;
    }

    /// What a delivery refers to, if it is a claim check, and whether that may be fetched.
    fn claim_check(&self, delivery: &Delivery) -> ClaimCheck {
        let claim_check = delivery.attribute(ATTRIBUTE)?;
        let Some(store) = &self.0 else {
            let detail = "the message refers to a body in S3, and CLAIM_CHECK_BUCKET is not set";
            return Some(Err(Reject::new("claim_check_disabled", detail)));
        };
        let reference = serde_json::from_str(claim_check)
            .map_err(|error| Reject::new("claim_check_malformed", error.to_string()));
        Some(reference.and_then(|reference| store.bucket.check(reference)))
    }

    async fn fetch(
        &self,
        claim_check: Result<Reference, Reject>,
        deadline: Instant,
    ) -> Result<String, Verdict> {
        let reference = claim_check?;
        let late = || Retry::unavailable("claim_check_unavailable", "S3 took too long");
        let Some(store) = &self.0 else { return Err(late().into()) };
        let deadline = deadline.min(Instant::now() + PATIENCE);
        timeout_at(deadline, store.bucket.fetch(&reference)).await.map_err(|_| late())?
    }
}
