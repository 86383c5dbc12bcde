//! What is held of a queue: received, and neither deleted nor released.
//!
//! The first message of each FIFO group is released after all others: while it is in flight SQS hands out
//! nothing of its group, so that nobody receives a part of the group.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use tokio::time::Instant;

/// Messages that are in flight because of us, by their ids.
#[derive(Debug)]
pub(super) struct Held {
    messages: HashMap<String, Handles>,
    /// For how long they are ours.
    visibility: Duration,
}

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
    pub(super) fn new(visibility: Duration) -> Self {
        Self { messages: HashMap::new(), visibility }
    }

    /// Takes note of a message. Whether it is new: a standard queue may deliver one twice.
    pub(super) fn add(&mut self, message: &Message) -> bool {
        let Some(receipt) = message.receipt_handle.clone() else { return false };
        let id = message.message_id.clone().unwrap_or_default();
        let since = Instant::now();
        if let Some(known) = self.messages.get_mut(&id) {
            known.receipts.push(receipt);
            known.since = since;
            return false;
        }
        let place = Place::of(message);
        self.messages.insert(id, Handles { receipts: vec![receipt], since, place });
        true
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The newest handle of a message.
    pub(super) fn receipt(&self, id: &str) -> Option<&String> {
        self.messages.get(id)?.receipts.last()
    }

    /// The ids and newest handles of messages, as far as they are ours.
    pub(super) fn newest(&self, ids: &[String]) -> Vec<(String, String)> {
        let ours = ids.iter().filter(|id| self.is_ours(id));
        ours.filter_map(|id| Some((id.clone(), self.receipt(id)?.clone()))).collect()
    }

    /// The ids and handles of messages, all of each, as far as they are ours.
    pub(super) fn receipts(&self, ids: &[String]) -> Vec<(String, String)> {
        let ours = ids.iter().filter(|id| self.is_ours(id));
        let ours = ours.filter_map(|id| Some((id, &self.messages.get(id)?.receipts)));
        ours.flat_map(|(id, all)| all.iter().map(|one| (id.clone(), one.clone()))).collect()
    }

    /// Whether a message is held. What is visible by its timeout may be another consumer's by now.
    pub(super) fn is_ours(&self, id: &str) -> bool {
        self.messages.get(id).is_some_and(|handles| self.are_ours(handles))
    }

    fn are_ours(&self, handles: &Handles) -> bool {
        handles.since.elapsed() < self.visibility
    }

    /// Forgets a message that was deleted or released.
    pub(super) fn remove(&mut self, id: &str) {
        self.messages.remove(id);
    }

    /// The ids of messages that will soon be visible to others.
    pub(super) fn to_extend(&self) -> Vec<String> {
        let is_old = |handles: &Handles| handles.since.elapsed() >= self.visibility / 2;
        let old = self.messages.iter();
        let old = old.filter(|(_, handles)| is_old(handles) && self.are_ours(handles));
        old.map(|(id, _)| id.clone()).collect()
    }

    /// Takes note that the visibility timeouts of messages began anew.
    pub(super) fn extended(&mut self, ids: &[String], since: Instant) {
        for id in ids {
            if let Some(handles) = self.messages.get_mut(id) {
                handles.since = since;
            }
        }
    }

    /// The ids of what is to be released first, and of what after it.
    pub(super) fn stages(&self) -> [Vec<String>; 2] {
        let ours = || self.messages.iter().filter(|(_, handles)| self.are_ours(handles));
        let mut firsts: HashMap<&str, u128> = HashMap::new();
        for place in ours().filter_map(|(_, handles)| handles.place.as_ref()) {
            let first = firsts.entry(&place.group).or_insert(place.sequence);
            *first = place.sequence.min(*first);
        }
        let is_head = |handles: &Handles| {
            let place = handles.place.as_ref();
            place.is_some_and(|place| firsts.get(&*place.group) == Some(&place.sequence))
        };
        let mut stages = [Vec::new(), Vec::new()];
        let [others, last] = &mut stages;
        for (id, handles) in ours() {
            if is_head(handles) { &mut *last } else { &mut *others }.push(id.clone());
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

    const VISIBILITY: Duration = Duration::from_mins(5);

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
            let mut held = Held::new(VISIBILITY);
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
        let mut held = Held::new(VISIBILITY);
        assert!(held.add(&message(1, 1, false)));
        assert!(!held.add(&message(1, 1, false)));
        assert_eq!(held.len(), 1);
        assert_eq!(held.stages(), [vec!["1".to_owned()], vec![]]);
        let both = ["1".to_owned()].map(|id| [(id.clone(), id.clone()), (id.clone(), id)]).concat();
        assert_eq!(held.receipts(&["1".to_owned()]), both);
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_be_anothers_is_not_released() {
        let mut held = Held::new(VISIBILITY);
        held.add(&message(1, 1, true));
        tokio::time::advance(VISIBILITY).await;
        held.add(&message(2, 2, true));
        assert_eq!(held.stages(), [vec![], vec!["2".to_owned()]]);
        assert_eq!(held.receipts(&["1".to_owned()]), []);
        assert_eq!(held.to_extend(), [] as [&str; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_extended_at_half_of_its_time() {
        let mut held = Held::new(VISIBILITY);
        held.add(&message(1, 1, true));
        assert_eq!(held.to_extend(), [] as [&str; 0]);
        tokio::time::advance(VISIBILITY / 2).await;
        held.add(&message(2, 2, true));
        assert_eq!(held.to_extend(), ["1"]);
        held.extended(&["1".to_owned()], Instant::now());
        assert_eq!(held.to_extend(), [] as [&str; 0]);
    }
}
