//! What is still to be sent, and which of it may be sent next.

use std::collections::{HashSet, VecDeque};

use crate::{
    message::Message,
    outcome::{Refused, Report},
};

/// What SQS takes in one request: messages, and bytes of all of them together.
pub(crate) const BATCH_MESSAGES: usize = 10;
const BATCH_BYTES: usize = 1024 * 1024;
/// How many events a batch may leave out in search of other tasks' events.
const LOOK_AHEAD: usize = 100;

/// Valid events, in order.
pub(crate) struct Pending<'a> {
    waiting: VecDeque<Message<'a>>,
}

impl<'a> Pending<'a> {
    pub(crate) fn new(messages: Vec<Message<'a>>) -> Self {
        Self { waiting: messages.into() }
    }

    /// The next batch, of at most `most` messages, no two of a task: if the queue takes one of them
    /// and not another, no event has overtaken one of its own task. Empty at the end.
    pub(crate) fn take(&mut self, most: usize) -> Vec<Message<'a>> {
        let (mut taken, mut passed) = (Vec::new(), Vec::new());
        let (mut groups, mut bytes) = (HashSet::new(), 0);
        while taken.len() < most.min(BATCH_MESSAGES) && passed.len() < LOOK_AHEAD {
            let Some(next) = self.waiting.pop_front() else { break };
            let fits = taken.is_empty() || bytes + next.weight() <= BATCH_BYTES;
            if groups.insert(next.group.clone()) && fits {
                bytes += next.weight();
                taken.push(next);
            } else {
                passed.push(next);
            }
        }
        self.put_back(passed);
        taken
    }

    /// Takes back, in order, what was not sent: it comes before all that follows it in its task.
    pub(crate) fn put_back(&mut self, messages: Vec<Message<'a>>) {
        for message in messages.into_iter().rev() {
            self.waiting.push_front(message);
        }
    }

    /// Gives a message up, and what follows it in its task.
    pub(crate) fn refuse(&mut self, message: &Message<'_>, why: Refused, report: &mut Report) {
        report.refused.push(why);
        self.waiting.retain(|later| {
            let follows = later.group == message.group;
            if follows {
                let detail = "an event of its task before it was not taken";
                report.refused.push(Refused::declined(later.position, "held_back", detail));
            }
            !follows
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(task: u8, description: &str) -> String {
        json!({
            "specversion": "1.0", "id": "1", "source": "/test", "tenant": "acme",
            "type": "dev.task-app.create-task.v1", "time": "2026-01-31T09:30:00Z",
            "subject": format!("0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e{task:02}"),
            "datacontenttype": "application/json",
            "data": {"title": "Title", "description": description},
        })
        .to_string()
    }

    fn pending(events: &[String]) -> Pending<'_> {
        let messages = events.iter().enumerate();
        let messages =
            messages.map(|(position, event)| Message::new(position, event, None).unwrap());
        Pending::new(messages.collect())
    }

    fn positions(batch: &[Message<'_>]) -> Vec<usize> {
        batch.iter().map(|message| message.position).collect()
    }

    #[test]
    fn a_batch_has_no_two_of_a_task_and_each_task_keeps_its_order() {
        let events = [1, 1, 2, 1, 3, 2].map(|task| event(task, ""));
        let mut pending = pending(&events);
        assert_eq!(positions(&pending.take(2)), [0, 2]);
        assert_eq!(positions(&pending.take(10)), [1, 4, 5]);
        assert_eq!(positions(&pending.take(10)), [3]);
        assert!(pending.take(10).is_empty());
    }

    #[test]
    fn a_batch_takes_ten_and_a_mebibyte_at_most() {
        let events: Vec<_> = (0..22).map(|task| event(task, "")).collect();
        let mut small = pending(&events);
        assert_eq!(
            [small.take(99), small.take(99), small.take(99)].map(|batch| batch.len()),
            [10, 10, 2]
        );
        let padding = " ".repeat(events::MAX_BYTES - 1_000);
        let events: Vec<_> = (0..5).map(|task| event(task, "") + &padding).collect();
        let mut large = pending(&events);
        assert_eq!([large.take(10), large.take(10)].map(|batch| batch.len()), [4, 1]);
    }

    #[test]
    fn what_comes_back_is_sent_before_what_follows_it() {
        let events = [1, 1, 2].map(|task| event(task, ""));
        let mut pending = pending(&events);
        let taken = pending.take(10);
        pending.put_back(taken);
        assert_eq!(positions(&pending.take(10)), [0, 2]);
    }

    #[test]
    fn what_follows_a_refused_event_in_its_task_is_not_sent() {
        let events = [1, 2, 1, 2].map(|task| event(task, ""));
        let (mut pending, mut report) = (pending(&events), Report::default());
        let taken = pending.take(10);
        pending.refuse(&taken[0], Refused::declined(0, "InvalidMessageContents", ""), &mut report);
        assert_eq!(positions(&pending.take(10)), [3]);
        let reasons: Vec<_> =
            report.refused.iter().map(|it| (it.position, it.reason.as_str())).collect();
        assert_eq!(reasons, [(0, "InvalidMessageContents"), (2, "held_back")]);
    }
}
