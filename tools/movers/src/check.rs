//! Checks what arrived: each message once, with its body, its sender's attributes and its group.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};

use crate::queue::{delete, is_fifo, receipts, receive};
use crate::{CONNECTIONS, State, at_once, letters};

/// Takes all that is in the queue.
pub(crate) async fn check(
    client: &Client,
    queue: &str,
    messages: usize,
    state: State,
) -> Result<()> {
    let is_fifo = is_fifo(queue);
    let seen = Arc::new(Mutex::new(Seen { numbers: vec![false; messages], state, is_fifo }));
    at_once(CONNECTIONS, |_| {
        let (client, queue, seen) = (client.clone(), queue.to_owned(), Arc::clone(&seen));
        async move {
            loop {
                let received = receive(&client, &queue).await?;
                if received.is_empty() {
                    return Ok(());
                }
                delete(&client, &queue, receipts(&received)).await?;
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                received.iter().try_for_each(|message| seen.see(message))?;
            }
        }
    })
    .await?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.complete()
}

/// Which messages were seen, by their numbers.
struct Seen {
    numbers: Vec<bool>,
    state: State,
    is_fifo: bool,
}

impl Seen {
    fn see(&mut self, message: &Message) -> Result<()> {
        let number = letters::recognize(message, self.state)?;
        let system = message.attributes();
        let group = system.and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId));
        let expected = self.is_fifo.then(|| letters::group(number));
        ensure!(group == expected.as_ref(), "the group of {number} has changed: {group:?}");
        let seen = self.numbers.get_mut(number);
        let seen = seen.with_context(|| format!("nobody sent {number}"))?;
        ensure!(!std::mem::replace(seen, true), "{number} arrived twice");
        Ok(())
    }

    fn complete(&self) -> Result<()> {
        let missing = self.numbers.iter().filter(|seen| !**seen).count();
        ensure!(missing == 0, "{missing} of {} messages are missing", self.numbers.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize, group: usize, source: Option<&str>) -> Message {
        let message = Message::builder().body(letters::body(number));
        let message = message
            .set_message_attributes(Some(letters::attributes(number, source).unwrap()))
            .attributes(MessageSystemAttributeName::MessageGroupId, letters::group(group));
        message.build()
    }

    /// What is wrong with these, of so many messages that are restored.
    fn fault(messages: usize, received: &[Message]) -> Option<String> {
        let numbers = vec![false; messages];
        let mut seen = Seen { numbers, state: State::Restored, is_fifo: true };
        let all = received.iter().try_for_each(|message| seen.see(message));
        all.and_then(|()| seen.complete()).err().map(|error| error.to_string())
    }

    #[test]
    fn each_message_arrives_once_and_whole() {
        let [first, second] = [0, 1].map(|number| message(number, number, None));
        assert_eq!(fault(2, &[second.clone(), first.clone()]), None);
        let lost = fault(2, std::slice::from_ref(&first));
        assert_eq!(lost.unwrap(), "1 of 2 messages are missing");
        assert_eq!(fault(2, &[first.clone(), first.clone()]).unwrap(), "0 arrived twice");
        assert_eq!(fault(1, &[first.clone(), second]).unwrap(), "nobody sent 1");
        let moved = fault(1, &[message(0, 7, None)]).unwrap();
        assert!(moved.starts_with("the group of 0 has changed"), "{moved}");
        let copied = fault(1, &[message(0, 0, Some("tasks.fifo"))]).unwrap();
        assert_eq!(copied, "the attributes of 0 have changed");
        let mut cut = first;
        cut.body = Some(letters::body(0).replace("home", "hom"));
        assert!(fault(1, &[cut]).unwrap().starts_with("the body of 0 has changed"));
    }
}
