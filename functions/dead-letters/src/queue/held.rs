//! What is held of a queue: received, and neither deleted nor released.
//!
//! The first message of each FIFO group is released after all others: while it is in flight SQS hands out
//! nothing of its group, so that nobody receives a part of the group.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use tokio::time::Instant;

use super::limits::VISIBILITY;

/// Messages that are in flight because of us, by their ids.
#[derive(Debug, Default)]
pub(super) struct Held(HashMap<String, Handles>);

/// What releases and deletes a message, as long as it is ours.
#[derive(Debug)]
struct Handles {
    /// More than one if a standard queue delivered the message more than once. The last one is the newest.
    receipts: Vec<String>,
    /// Since when SQS counts its visibility timeout.
    since: Instant,
    place: Option<Place>,
}

/// Where a message stands in its FIFO group.
#[derive(Debug)]
struct Place {
    group: String,
    sequence: u128,
}

impl Held {
    /// Takes note of a message. Whether it is new: a standard queue may deliver one twice.
    pub(super) fn add(&mut self, message: &Message) -> bool {
        let Some(receipt) = message.receipt_handle.clone() else { return false };
        let id = message.message_id.clone().unwrap_or_default();
        let since = Instant::now();
        if let Some(known) = self.0.get_mut(&id) {
            known.receipts.push(receipt);
            known.since = since;
            return false;
        }
        let place = Place::of(message);
        self.0.insert(id, Handles { receipts: vec![receipt], since, place });
        true
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The newest handle of a message.
    pub(super) fn receipt(&self, id: &str) -> Option<&String> {
        self.0.get(id)?.receipts.last()
    }

    /// Forgets a message that was deleted.
    pub(super) fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// The ids and handles of messages that will soon be visible to others.
    pub(super) fn to_extend(&self) -> Vec<(String, String)> {
        let is_old = |handles: &&Handles| handles.since.elapsed() >= VISIBILITY / 2;
        let old = self.0.iter().filter(|(_, handles)| is_old(handles));
        old.filter_map(|(id, handles)| Some((id.clone(), handles.receipts.last()?.clone())))
            .collect()
    }

    /// Takes note that the visibility timeouts of messages began anew.
    pub(super) fn extended(&mut self, ids: &[String], since: Instant) {
        for id in ids {
            if let Some(handles) = self.0.get_mut(id) {
                handles.since = since;
            }
        }
    }

    /// What is to be released first, and what after it. What is visible by its timeout already is not
    /// among them: it may be another consumer's by now.
    pub(super) fn stages(self) -> [Vec<String>; 2] {
        let ours = self.0.into_values().filter(|handles| handles.since.elapsed() < VISIBILITY);
        let ours: Vec<_> = ours.collect();
        let mut firsts: HashMap<&str, u128> = HashMap::new();
        for place in ours.iter().filter_map(|handles| handles.place.as_ref()) {
            let first = firsts.entry(&place.group).or_insert(place.sequence);
            *first = place.sequence.min(*first);
        }
        let is_head = |handles: &Handles| {
            let place = handles.place.as_ref();
            place.is_some_and(|place| firsts.get(&*place.group) == Some(&place.sequence))
        };
        let heads: Vec<_> = ours.iter().map(is_head).collect();
        let mut stages = [Vec::new(), Vec::new()];
        let [others, last] = &mut stages;
        for (handles, is_head) in ours.into_iter().zip(heads) {
            if is_head { &mut *last } else { &mut *others }.extend(handles.receipts);
        }
        stages
    }
}

impl Place {
    /// In a standard queue a message has none.
    fn of(message: &Message) -> Option<Self> {
        let attributes = message.attributes.as_ref()?;
        let sequence = attributes.get(&MessageSystemAttributeName::SequenceNumber)?;
        let group = attributes.get(&MessageSystemAttributeName::MessageGroupId)?.clone();
        Some(Self { group, sequence: sequence.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(number: usize, group: u8, fifo: bool) -> Message {
        let message = Message::builder().message_id(number.to_string());
        let message = message
            .receipt_handle(number.to_string())
            .attributes(MessageSystemAttributeName::MessageGroupId, group.to_string());
        let sequence = MessageSystemAttributeName::SequenceNumber;
        if fifo { message.attributes(sequence, number.to_string()) } else { message }.build()
    }

    proptest! {
        #[test]
        fn the_first_of_each_group_is_released_after_all_others(
            groups in prop::collection::vec(0..4_u8, 0..60), deleted in 0..60_usize,
        ) {
            let mut held = Held::default();
            for (number, group) in groups.iter().enumerate() {
                prop_assert!(held.add(&message(number, *group, true)));
            }
            for number in 0..deleted.min(groups.len()) {
                held.remove(&number.to_string());
            }
            let left = groups.iter().enumerate().skip(deleted);
            let [first, last] = held.stages();
            prop_assert_eq!(first.len() + last.len(), left.len());
            for (number, group) in left {
                let is_head = !groups[deleted..number].contains(group);
                prop_assert_eq!(last.contains(&number.to_string()), is_head);
            }
        }
    }

    #[test]
    fn a_message_that_comes_twice_is_read_once_and_released_twice() {
        let mut held = Held::default();
        assert!(held.add(&message(1, 1, false)));
        assert!(!held.add(&message(1, 1, false)));
        assert_eq!(held.len(), 1);
        assert_eq!(held.stages(), [vec!["1".to_owned(), "1".to_owned()], vec![]]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_be_anothers_is_not_released() {
        let mut held = Held::default();
        held.add(&message(1, 1, true));
        tokio::time::advance(VISIBILITY).await;
        held.add(&message(2, 2, true));
        assert_eq!(held.stages(), [vec![], vec!["2".to_owned()]]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_extended_at_half_of_its_time() {
        let mut held = Held::default();
        held.add(&message(1, 1, true));
        assert_eq!(held.to_extend(), []);
        tokio::time::advance(VISIBILITY / 2).await;
        held.add(&message(2, 2, true));
        assert_eq!(held.to_extend(), [("1".to_owned(), "1".to_owned())]);
        held.extended(&["1".to_owned()], Instant::now());
        assert_eq!(held.to_extend(), []);
    }
}
