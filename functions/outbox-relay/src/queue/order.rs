//! What may be sent together: a task's facts one after the other, those of different tasks at once.
//!
//! SQS may take one entry of a request and refuse another. So no request has two facts of one task:
//! a fact is sent when the one before it was taken.

use std::collections::HashMap;
use std::sync::Arc;

use runtime::sqs::cut_batches;

use crate::message::Message;

/// Bytes of one request, by SQS: 1 MiB, less what is not counted here.
const MOST_BYTES: usize = 1_000_000;

/// Cuts messages, which are in order, into rounds: the first of each task, the second of each task, ...
pub(crate) fn rounds(messages: impl IntoIterator<Item = Arc<Message>>) -> Vec<Vec<Arc<Message>>> {
    let mut rounds: Vec<Vec<_>> = Vec::new();
    let mut places = HashMap::new();
    for message in messages {
        let place = places.entry(message.fact.task.clone()).or_insert(0_usize);
        match rounds.get_mut(*place) {
            Some(round) => round.push(message),
            None => rounds.push(vec![message]),
        }
        *place += 1;
    }
    rounds
}

/// Cuts a round into requests.
pub(crate) fn requests(round: Vec<Arc<Message>>) -> Vec<Vec<Arc<Message>>> {
    cut_batches(round, |message| message.body.len(), MOST_BYTES)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use runtime::sqs::MOST_ENTRIES;

    use super::*;

    /// Messages in order, of the tasks with these last digits, with bodies of these sizes.
    fn messages(tasks: &[(u8, usize)]) -> Vec<Arc<Message>> {
        let message = |(seq, (digit, size)): (usize, &(u8, usize))| {
            Message::of_test(i64::try_from(seq).unwrap(), (*digit).into(), &"x".repeat(*size))
        };
        tasks.iter().enumerate().map(message).map(Arc::new).collect()
    }

    proptest! {
        #[test]
        fn a_round_has_one_fact_of_a_task_and_later_rounds_have_later_ones(
            tasks in prop::collection::vec((0..8_u8, Just(1_usize)), 0..80)
        ) {
            let messages = messages(&tasks);
            let rounds = rounds(messages.clone());
            let mut last = HashMap::new();
            for round in &rounds {
                let tasks: HashSet<_> = round.iter().map(|message| &message.fact.task).collect();
                prop_assert_eq!(tasks.len(), round.len());
                for Message { fact, .. } in round.iter().map(AsRef::as_ref) {
                    prop_assert!(last.insert(fact.task.clone(), fact.seq) < Some(fact.seq));
                }
            }
            prop_assert_eq!(rounds.concat().len(), messages.len());
        }

        #[test]
        fn requests_are_within_the_limits_and_lose_nothing(
            tasks in prop::collection::vec((Just(0_u8), 1..300_000_usize), 0..30)
        ) {
            let messages = messages(&tasks);
            let requests = requests(messages.clone());
            for request in &requests {
                prop_assert!((1..=MOST_ENTRIES).contains(&request.len()));
                let bytes: usize = request.iter().map(|message| message.body.len()).sum();
                prop_assert!(bytes <= MOST_BYTES);
            }
            let seqs: Vec<_> = requests.concat().iter().map(|message| message.fact.seq).collect();
            prop_assert_eq!(seqs, messages.iter().map(|message| message.fact.seq).collect::<Vec<_>>());
        }
    }
}
