//! Parts of a batch: what of it is in memory at a time, and what of it has to wait.

use std::collections::HashSet;

use super::Reference;
use crate::sqs::{Delivery, Reject, Retry, Verdict};

/// What a claim check refers to, if that may be fetched; of any other message nothing.
pub(super) type ClaimCheck = Option<Result<Reference, Reject>>;

/// Consecutive deliveries of a batch that are handled together.
pub(crate) struct SubBatch<'a> {
    pub(crate) deliveries: &'a [Delivery],
    pub(super) claim_checks: Vec<ClaimCheck>,
    /// What their bodies take, all together.
    pub(super) bytes: u64,
}

/// Cuts a batch, in order, wherever the bodies would take more than `most` bytes. A batch of nothing
/// is one sub-batch of nothing.
pub(super) fn cut(
    deliveries: &[Delivery],
    claim_checks: Vec<ClaimCheck>,
    most: u64,
) -> Vec<SubBatch<'_>> {
    let mut sub_batches = Vec::new();
    let mut claim_checks = claim_checks.into_iter();
    let mut rest = deliveries;
    loop {
        let (length, bytes) = fitting(claim_checks.as_slice(), most);
        let (deliveries, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        sub_batches.push(SubBatch {
            deliveries,
            claim_checks: claim_checks.by_ref().take(length).collect(),
            bytes,
        });
        if after.is_empty() {
            return sub_batches;
        }
        rest = after;
    }
}

/// How many of the first claims fit, but at least one; and their bytes.
fn fitting(claim_checks: &[ClaimCheck], most: u64) -> (usize, u64) {
    let mut bytes = 0_u64;
    for (length, claim_check) in claim_checks.iter().enumerate() {
        let more = claim_check
            .as_ref()
            .and_then(|claim_check| claim_check.as_ref().ok())
            .map_or(0, |it| it.size);
        if length > 0 && bytes.saturating_add(more) > most {
            return (length, bytes);
        }
        bytes = bytes.saturating_add(more);
    }
    (claim_checks.len(), bytes)
}

/// The FIFO groups of a batch in which a message is retried: nothing that follows it may be handled
/// before it.
#[derive(Default)]
pub(crate) struct BlockedGroups<'a>(HashSet<&'a str>);

impl<'a> BlockedGroups<'a> {
    /// Takes note of a delivery's verdict.
    pub(crate) fn note(&mut self, delivery: &'a Delivery, verdict: &Verdict) {
        if let (Some(group), Verdict::Retry(_)) = (group(delivery), verdict) {
            self.0.insert(group);
        }
    }

    /// Notes the verdicts that there are, and gives what follows a retry one, too.
    pub(crate) fn release_blocked(
        &mut self,
        deliveries: &'a [Delivery],
        verdicts: &mut [Option<Verdict>],
    ) {
        for (delivery, verdict) in deliveries.iter().zip(verdicts) {
            if group(delivery).is_some_and(|group| self.0.contains(group)) {
                let detail = "a message before it in its group is retried";
                *verdict = Some(Retry::interrupted("group_held_back", detail).into());
            } else if let Some(verdict) = verdict {
                self.note(delivery, verdict);
            }
        }
    }
}

/// The group in which the delivery has a place.
fn group(delivery: &Delivery) -> Option<&str> {
    delivery.group_id().filter(|_| delivery.is_ordered())
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};

    use super::*;

    fn delivery(group: &str) -> Delivery {
        let message = Message::builder().message_id("id").receipt_handle("handle");
        let message = message
            .attributes(System::MessageGroupId, group)
            .attributes(System::SequenceNumber, "1");
        message.build().try_into().unwrap()
    }

    fn reasons<const N: usize>(verdicts: [Option<Verdict>; N]) -> [&'static str; N] {
        verdicts.map(|verdict| match verdict {
            Some(Verdict::Retry(retry)) => retry.reason,
            Some(Verdict::Reject(reject)) => reject.reason,
            _ => "handled",
        })
    }

    #[test]
    fn what_follows_a_body_that_cannot_be_fetched_waits_for_it_also_in_later_portions() {
        let mut blocked = BlockedGroups::default();
        let deliveries = ["a", "b", "a", "c", "c"].map(delivery);
        let unavailable = Retry::new("unavailable", "").into();
        let wrong = Reject::new("wrong", "").into();
        let mut verdicts = [Some(unavailable), None, None, Some(wrong), None];
        blocked.release_blocked(&deliveries, &mut verdicts);
        let expected = ["unavailable", "handled", "group_held_back", "wrong", "handled"];
        assert_eq!(reasons(verdicts), expected);

        blocked.note(&deliveries[1], &Retry::new("failed", "").into());
        let later = ["a", "b", "c"].map(delivery);
        let mut verdicts = [None, None, None];
        blocked.release_blocked(&later, &mut verdicts);
        assert_eq!(reasons(verdicts), ["group_held_back", "group_held_back", "handled"]);
    }

    /// The lengths and bytes of the sub-batches of claims of `sizes`; 0 is no claim.
    fn sub_batches(sizes: &[u64], most: u64) -> Vec<(usize, u64)> {
        let deliveries = vec![delivery("a"); sizes.len()];
        let claim_check = |size: &u64| {
            let (bucket, key, sha256) = <(String, String, String)>::default();
            (*size > 0).then_some(Ok(Reference { bucket, key, size: *size, sha256 }))
        };
        let sub_batches = cut(&deliveries, sizes.iter().map(claim_check).collect(), most);
        assert!(
            sub_batches
                .iter()
                .all(|sub_batch| sub_batch.deliveries.len() == sub_batch.claim_checks.len())
        );
        sub_batches.iter().map(|sub_batch| (sub_batch.deliveries.len(), sub_batch.bytes)).collect()
    }

    #[test]
    fn a_portion_holds_what_fits_and_the_batch_keeps_its_order() {
        assert_eq!(sub_batches(&[], 10), [(0, 0)]);
        assert_eq!(sub_batches(&[0, 0, 0], 10), [(3, 0)]);
        assert_eq!(sub_batches(&[0, 5, 5, 0, 1, 9, 10, 0], 10), [(4, 10), (2, 10), (2, 10)]);
        assert_eq!(sub_batches(&[10, 10], 10), [(1, 10), (1, 10)]);
    }
}
