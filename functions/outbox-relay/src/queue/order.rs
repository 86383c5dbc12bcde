//! What may be sent together: a task's facts one after the other, those of different tasks at once.
//!
//! SQS may take one entry of a request and refuse another. So no request has two facts of one task:
//! a fact is sent when the one before it was taken.

use std::collections::HashMap;
use std::sync::Arc;

use runtime::sqs::cut_batches;

use crate::encoded_fact::EncodedFact;

/// Bytes of one request, by SQS: 1 MiB, less what is not counted here.
const MOST_BYTES: usize = 1_000_000;

/// Cuts facts, which are in order, into rounds: the first of each task, the second of each task, ...
pub(crate) fn rounds(
    facts: impl IntoIterator<Item = Arc<EncodedFact>>,
) -> Vec<Vec<Arc<EncodedFact>>> {
    let mut rounds: Vec<Vec<_>> = Vec::new();
    let mut places = HashMap::new();
    for fact in facts {
        let place = places.entry(fact.task.clone()).or_insert(0_usize);
        match rounds.get_mut(*place) {
            Some(round) => round.push(fact),
            None => rounds.push(vec![fact]),
        }
        *place += 1;
    }
    rounds
}

/// Cuts a round into requests.
pub(crate) fn requests(round: Vec<Arc<EncodedFact>>) -> Vec<Vec<Arc<EncodedFact>>> {
    cut_batches(round, |fact| fact.body.len(), MOST_BYTES)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use runtime::sqs::MOST_ENTRIES;
    use store::TaskKey;
    use uuid::Uuid;

    use super::*;

    /// Facts in order, of the tasks with these last digits, with bodies of these sizes.
    fn facts(tasks: &[(u8, usize)]) -> Vec<Arc<EncodedFact>> {
        let fact = |(seq, (digit, size)): (usize, &(u8, usize))| EncodedFact {
            seq: i64::try_from(seq).unwrap(),
            id: Uuid::from_u128(seq as u128),
            task: TaskKey { tenant: "acme".to_owned(), task: Uuid::from_u128((*digit).into()) },
            body: "x".repeat(*size),
            published_to: Vec::new(),
        };
        tasks.iter().enumerate().map(fact).map(Arc::new).collect()
    }

    proptest! {
        #[test]
        fn a_round_has_one_fact_of_a_task_and_later_rounds_have_later_ones(
            tasks in prop::collection::vec((0..8_u8, Just(1_usize)), 0..80)
        ) {
            let facts = facts(&tasks);
            let rounds = rounds(facts.clone());
            let mut last = HashMap::new();
            for round in &rounds {
                let tasks: HashSet<_> = round.iter().map(|fact| &fact.task).collect();
                prop_assert_eq!(tasks.len(), round.len());
                for fact in round {
                    prop_assert!(last.insert(fact.task.clone(), fact.seq) < Some(fact.seq));
                }
            }
            prop_assert_eq!(rounds.concat().len(), facts.len());
        }

        #[test]
        fn requests_are_within_the_limits_and_lose_nothing(
            tasks in prop::collection::vec((Just(0_u8), 1..300_000_usize), 0..30)
        ) {
            let facts = facts(&tasks);
            let requests = requests(facts.clone());
            for request in &requests {
                prop_assert!((1..=MOST_ENTRIES).contains(&request.len()));
                prop_assert!(request.iter().map(|fact| fact.body.len()).sum::<usize>() <= MOST_BYTES);
            }
            let seqs: Vec<_> = requests.concat().iter().map(|fact| fact.seq).collect();
            prop_assert_eq!(seqs, facts.iter().map(|fact| fact.seq).collect::<Vec<_>>());
        }
    }
}
