//! What a read holds: received, and to be released.
//!
//! The first message of each FIFO group is kept apart, since it is released after all others: while it
//! is in flight SQS hands out nothing of its group, so that nobody receives a part of the group.

use std::collections::HashSet;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use tokio::time::Instant;

use super::limits::VISIBILITY;

/// Messages that are in flight because of us.
#[derive(Debug, Default)]
pub(super) struct Held {
    others: Vec<Handle>,
    heads: Vec<Handle>,
    ids: HashSet<String>,
    groups: HashSet<String>,
}

/// What releases a message, as long as it is ours.
#[derive(Clone, Debug)]
struct Handle {
    receipt: String,
    received_at: Instant,
}

impl Held {
    /// Takes note of a message. Whether it is new: a standard queue may deliver one twice.
    pub(super) fn add(&mut self, message: &Message) -> bool {
        let Some(receipt) = message.receipt_handle.clone() else { return false };
        let handle = Handle { receipt, received_at: Instant::now() };
        let is_head = ordered_group(message).is_some_and(|group| self.groups.insert(group.clone()));
        if is_head {
            self.heads.push(handle);
        } else {
            self.others.push(handle);
        }
        self.ids.insert(message.message_id.clone().unwrap_or_default())
    }

    pub(super) fn len(&self) -> usize {
        self.others.len() + self.heads.len()
    }

    /// What is to be released first, and what after it. What is visible by its timeout already is not
    /// among them: it may be another consumer's by now.
    pub(super) fn stages(self) -> [Vec<String>; 2] {
        [self.others, self.heads].map(|handles| {
            let ours = handles.into_iter().filter(|h| h.received_at.elapsed() < VISIBILITY);
            ours.map(|handle| handle.receipt).collect()
        })
    }
}

/// The group in which a message has a place: in a standard queue it has none.
fn ordered_group(message: &Message) -> Option<&String> {
    let attributes = message.attributes.as_ref()?;
    attributes.get(&MessageSystemAttributeName::SequenceNumber)?;
    attributes.get(&MessageSystemAttributeName::MessageGroupId)
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
            groups in prop::collection::vec(0..4_u8, 0..60),
        ) {
            let mut held = Held::default();
            for (number, group) in groups.iter().enumerate() {
                prop_assert!(held.add(&message(number, *group, true)));
            }
            let [first, last] = held.stages();
            prop_assert_eq!(first.len() + last.len(), groups.len());
            for (number, group) in groups.iter().enumerate() {
                let is_head = !groups[..number].contains(group);
                prop_assert_eq!(last.contains(&number.to_string()), is_head);
            }
        }
    }

    #[test]
    fn a_message_that_comes_twice_is_read_once_and_released_twice() {
        let mut held = Held::default();
        assert!(held.add(&message(1, 1, false)));
        assert!(!held.add(&message(1, 1, false)));
        assert_eq!(held.len(), 2);
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
}
