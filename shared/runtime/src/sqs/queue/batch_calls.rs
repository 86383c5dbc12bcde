//! Batch operations over any number of entries: ten at a time, and again for those that failed.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::{backoff::exponential, sqs::queue::Answer};

/// Entries of one batch call, by SQS.
pub const MOST_ENTRIES: usize = 10;
/// Calls for one entry. The SDK retries a call that failed; these are for the entries of one that succeeded.
const ATTEMPTS: u32 = 3;
/// Doubles with each attempt.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An entry that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost<E> {
    pub(crate) entry: E,
    /// Whether the queue refused it, so that trying the same again is futile.
    pub(crate) refused: bool,
}

/// Cuts `entries`, in order, into batches of at most [`MOST_ENTRIES`], and of at most `capacity` by `weigh`; an entry that
/// weighs more goes alone.
pub fn cut_batches<E>(
    entries: Vec<E>,
    weigh: impl Fn(&E) -> usize,
    capacity: usize,
) -> Vec<Vec<E>> {
    let mut chunks: Vec<Vec<E>> = Vec::new();
    let mut weight = 0;
    for entry in entries {
        weight += weigh(&entry);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < MOST_ENTRIES && weight <= capacity => chunk.push(entry),
            _ => {
                weight = weigh(&entry);
                chunks.push(vec![entry]);
            }
        }
    }
    chunks
}

/// Runs `call` on every chunk, `concurrency` at a time; returns the entries that failed for good.
pub(crate) async fn run<E, F>(
    chunks: Vec<Vec<E>>,
    concurrency: usize,
    call: impl Fn(Vec<E>) -> F,
) -> Vec<Lost<E>>
where
    E: Clone,
    F: Future<Output = Answer>,
{
    stream::iter(chunks)
        .map(|chunk| retry_failed(chunk, &call))
        .buffered(concurrency)
        .concat()
        .await
}

async fn retry_failed<E, F>(mut entries: Vec<E>, call: impl Fn(Vec<E>) -> F) -> Vec<Lost<E>>
where
    E: Clone,
    F: Future<Output = Answer>,
{
    let mut lost = Vec::new();
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            sleep(exponential(PAUSE, attempt, LONGEST_PAUSE)).await;
        }
        let (again, futile) = attempt_once(entries, &call).await;
        lost.extend(futile.into_iter().map(|entry| Lost { entry, refused: true }));
        entries = again;
        if entries.is_empty() {
            return lost;
        }
    }
    lost.extend(entries.into_iter().map(|entry| Lost { entry, refused: false }));
    lost
}

/// Splits the entries that failed into those worth another attempt and the futile ones.
async fn attempt_once<E, F>(entries: Vec<E>, call: impl Fn(Vec<E>) -> F) -> (Vec<E>, Vec<E>)
where
    E: Clone,
    F: Future<Output = Answer>,
{
    let failures = match call(entries.clone()).await {
        Ok(failures) => failures,
        Err(error) => {
            warn!(error = format!("{error:#}"), entries = entries.len(), "a batch call failed");
            return (entries, Vec::new());
        }
    };
    let (mut again, mut lost) = (Vec::new(), Vec::new());
    for failure in failures {
        debug!(code = failure.code, futile = failure.futile, "an entry failed");
        let Some(entry) = entries.get(failure.index) else { continue };
        if failure.futile { &mut lost } else { &mut again }.push(entry.clone());
    }
    (again, lost)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::sqs::queue::Failure;

    proptest! {
        #[test]
        fn chunks_are_full_ordered_and_within_limits(weights in prop::collection::vec(0..50_usize, 0..60)) {
            let chunks = cut_batches(weights.clone(), |weight| *weight, 100);
            for chunk in &chunks {
                prop_assert!((1..=MOST_ENTRIES).contains(&chunk.len()));
                prop_assert!(chunk.iter().sum::<usize>() <= 100);
            }
            prop_assert_eq!(chunks.concat(), weights);
        }
    }

    #[test]
    fn what_is_too_heavy_goes_alone() {
        let chunks = cut_batches(vec![1, 200, 1], |weight| *weight, 100);
        assert_eq!(chunks, [vec![1], vec![200], vec![1]]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_failed_entries_are_tried_again_and_futile_ones_are_not() {
        let calls = Mutex::new(Vec::new());
        let failure = |index, futile| Failure { index, code: String::new(), futile };
        let lost = run(vec![vec!["fine", "fails", "futile"]], 1, |chunk| {
            calls.lock().unwrap().push(chunk.clone());
            async move {
                let failing = |name: &str| chunk.iter().position(|entry| *entry == name);
                let fails = failing("fails").map(|index| failure(index, false));
                Ok(fails
                    .into_iter()
                    .chain(failing("futile").map(|index| failure(index, true)))
                    .collect())
            }
        });
        let lost: Vec<_> = lost.await.into_iter().map(|lost| (lost.entry, lost.refused)).collect();
        assert_eq!(lost, [("futile", true), ("fails", false)]);
        let expected = [vec!["fine", "fails", "futile"], vec!["fails"], vec!["fails"]];
        assert_eq!(*calls.lock().unwrap(), expected);
    }
}
