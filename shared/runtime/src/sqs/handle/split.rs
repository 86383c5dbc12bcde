//! Which messages of a batch are handled together, and which one at a time.
//!
//! A call of a batch handler that fails fails for all of its messages. At a message's last delivery
//! that would carry healthy neighbours into the dead-letter queue, so such a message is handled
//! alone. In a FIFO group everything behind it is in its sequence: it is handled after it, in order, once
//! the message before is done or dead-lettered.

use std::collections::{HashMap, HashSet};

use crate::sqs::{Delivery, queue::rules::Rules, receive::batch::Handling};

/// How each message of a batch is handled, in order; `one_at_a_time` if the handler takes no batches.
pub(crate) fn handlings(
    deliveries: &[Delivery],
    rules: Rules,
    one_at_a_time: bool,
) -> Vec<Handling> {
    let last = deliveries.iter().filter(|delivery| rules.is_last(delivery));
    let isolated: HashSet<_> = last.filter_map(|delivery| group(delivery, rules)).collect();
    let mut begun = HashMap::new();
    let mut sequences = 0..;
    let handling = |delivery| match group(delivery, rules) {
        Some(group) if one_at_a_time || isolated.contains(group) => *begun
            .entry(group)
            .or_insert_with(|| Handling::InSequence(sequences.next().unwrap_or_default())),
        None if one_at_a_time || rules.is_last(delivery) => {
            Handling::InSequence(sequences.next().unwrap_or_default())
        }
        _ => Handling::Together,
    };
    deliveries.iter().map(handling).collect()
}

/// The group in which a message has a place.
fn group(delivery: &Delivery, rules: Rules) -> Option<&str> {
    delivery.group_id().filter(|_| rules.fifo)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn fifo(fifo: bool) -> Rules {
        Rules { max_receive_count: 3, fifo }
    }

    #[test]
    fn what_is_delivered_for_the_last_time_is_handled_alone() {
        let deliveries = [1, 3, 1, 3].map(|count| Delivery::in_group("any", count));
        let expected = [
            Handling::Together,
            Handling::InSequence(0),
            Handling::Together,
            Handling::InSequence(1),
        ];
        assert_eq!(handlings(&deliveries, fifo(false), false), expected);
    }

    #[test]
    fn a_groups_messages_stay_in_one_sequence() {
        let of = |(group, count)| Delivery::in_group(group, count);
        let deliveries = [("a", 3), ("b", 1), ("a", 1), ("c", 3), ("a", 3)].map(of);
        let sequence = Handling::InSequence;
        let expected = [sequence(0), Handling::Together, sequence(0), sequence(1), sequence(0)];
        assert_eq!(handlings(&deliveries, fifo(true), false), expected);
    }

    proptest! {
        #[test]
        fn a_handler_of_one_at_a_time_has_a_sequence_for_each_group_or_message(
            groups in vec("[abc]", 0..20), is_fifo: bool,
        ) {
            let deliveries: Vec<_> = groups.iter().map(|group| Delivery::in_group(group, 1)).collect();
            let handlings = handlings(&deliveries, fifo(is_fifo), true);
            let distinct: HashSet<_> = handlings.iter().map(|handling| format!("{handling:?}")).collect();
            let of_groups = groups.iter().collect::<HashSet<_>>().len();
            prop_assert_eq!(distinct.len(), if is_fifo { of_groups } else { groups.len() });
            prop_assert!(!handlings.contains(&Handling::Together));
            let mut by_group = HashMap::new();
            for (group, handling) in groups.iter().zip(handlings).filter(|_| is_fifo) {
                prop_assert_eq!(*by_group.entry(group).or_insert(handling), handling);
            }
        }
    }
}
