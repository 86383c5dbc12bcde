//! Depths over time: the last samples of each queue, in a ring.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use causes::with_causes;
use chrono::{DateTime, Utc};
use domain::time::rfc3339;
use serde::{Serialize, Serializer};

/// Samples that are kept.
const MOST_SAMPLES: usize = 240;

#[derive(Default)]
pub(super) struct Depths(Mutex<Ring>);

#[derive(Default)]
struct Ring {
    times: VecDeque<DateTime<Utc>>,
    /// By URL; as long as `times`, with `None` where it is not known.
    queues: BTreeMap<String, (String, VecDeque<Option<u64>>)>,
    error: Option<String>,
}

/// A queue's depth at a time.
pub(super) struct Sample {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) depth: u64,
}

/// What the API answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct History {
    #[serde(serialize_with = "texts")]
    times: Vec<DateTime<Utc>>,
    queues: Vec<Series>,
    /// Why there is no sample of the last time.
    error: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Series {
    queue: String,
    url: String,
    /// At each of the times.
    depths: Vec<Option<u64>>,
}

fn texts<S: Serializer>(times: &[DateTime<Utc>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().copied().map(rfc3339))
}

impl Depths {
    /// Adds the samples of a time.
    pub(super) fn add(&self, at: DateTime<Utc>, samples: Vec<Sample>) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.error = None;
        ring.times.push_back(at);
        let before = ring.times.len() - 1;
        for (_, depths) in ring.queues.values_mut() {
            depths.push_back(None);
        }
        for Sample { url, name, depth } in samples {
            let new = || (name, std::iter::repeat_n(None, before + 1).collect());
            let (_, depths) = ring.queues.entry(url).or_insert_with(new);
            if let Some(last) = depths.back_mut() {
                *last = Some(depth);
            }
        }
        if ring.times.len() > MOST_SAMPLES {
            ring.times.pop_front();
            for (_, depths) in ring.queues.values_mut() {
                depths.pop_front();
            }
        }
        // Those that are gone, and have been for all the time that is shown.
        ring.queues.retain(|_, (_, depths)| depths.iter().any(Option::is_some));
    }

    /// Notes why there is no sample.
    pub(super) fn fail(&self, error: &anyhow::Error) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.error = Some(with_causes(error.as_ref()));
    }

    pub(super) fn history(&self) -> History {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queues = ring.queues.iter().map(|(url, (queue, depths))| Series {
            queue: queue.clone(),
            url: url.clone(),
            depths: depths.iter().copied().collect(),
        });
        History {
            times: ring.times.iter().copied().collect(),
            queues: queues.collect(),
            error: ring.error.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use proptest::prelude::*;

    fn sample(queue: u8, depth: u64) -> Sample {
        Sample { url: format!("http://sqs/{queue}"), name: queue.to_string(), depth }
    }

    fn time(seconds: usize) -> DateTime<Utc> {
        DateTime::from_timestamp(i64::try_from(seconds).unwrap(), 0).unwrap()
    }

    #[test]
    fn an_error_is_said_until_the_next_sample() {
        let depths = Depths::default();
        depths.fail(&anyhow!("cause").context("listing"));
        assert_eq!(depths.history().error.as_deref(), Some("listing: cause"));
        depths.add(time(0), Vec::new());
        assert_eq!(depths.history().error, None);
    }

    proptest! {
        #[test]
        fn each_depth_stands_at_its_time_and_the_oldest_go(
            rounds in prop::collection::vec(prop::collection::btree_map(0..4_u8, 0..9_u64, 0..4), 0..300),
        ) {
            let depths = Depths::default();
            for (number, round) in rounds.iter().enumerate() {
                let samples = round.iter().map(|(queue, depth)| sample(*queue, *depth)).collect();
                depths.add(time(number), samples);
            }
            let kept = &rounds[rounds.len().saturating_sub(MOST_SAMPLES)..];
            let history = depths.history();
            prop_assert_eq!(history.times.len(), kept.len());
            let mut queues: Vec<_> = kept.iter().flat_map(|round| round.keys()).collect();
            queues.sort();
            queues.dedup();
            prop_assert_eq!(history.queues.len(), queues.len());
            for (series, queue) in history.queues.iter().zip(queues) {
                let expected: Vec<_> = kept.iter().map(|round| round.get(queue).copied()).collect();
                prop_assert_eq!(&series.depths, &expected);
            }
        }
    }
}
