//! From verdicts to actions: the rules of redelivery and of FIFO groups, without I/O.

use std::collections::HashSet;

use crate::sqs::{Delivery, Reject, Retry, Verdict, queue::rules::Rules};

/// What is to be done with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// It is done with.
    Delete,
    /// Copy it to the dead-letter queue, then delete it.
    DeadLetter(Reject),
    /// It is in the dead-letter queue, for this reason: delete it.
    DeadLettered(&'static str),
    /// Hand it out again after a while.
    Retry(Retry),
    /// Hand it out again at once, for this reason: it is not at fault.
    Release(&'static str),
}

impl Action {
    /// Whether the message is done with.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Delete | Self::DeadLettered(_))
    }
}

/// Applies a batch's verdicts, which stand in the order of its deliveries.
pub(crate) fn decide(deliveries: &[Delivery], verdicts: Vec<Verdict>, rules: Rules) -> Vec<Action> {
    let mut actions: Vec<_> = verdicts.into_iter().map(Action::from).collect();
    release_blocked(deliveries, &mut actions, rules);
    for (_, action) in
        deliveries.iter().zip(&mut actions).filter(|(delivery, _)| rules.is_last(delivery))
    {
        if let Action::Retry(Retry { reason, detail, .. }) = action {
            *action = Action::DeadLetter(Reject { reason, detail: std::mem::take(detail) });
        }
    }
    actions
}

impl From<Verdict> for Action {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ack => Self::Delete,
            Verdict::Reject(reject) => Self::DeadLetter(reject),
            Verdict::Retry(retry) if retry.interrupted => Self::Release(retry.reason),
            Verdict::Retry(retry) => Self::Retry(retry),
        }
    }
}

/// Releases what follows a retry in its group, whatever its own verdict was (but not what is in the
/// dead-letter queue already). A retry at its last delivery blocks nothing, for it does not come
/// again; what is at its last delivery is handled alone and follows nothing.
pub(crate) fn release_blocked(deliveries: &[Delivery], actions: &mut [Action], rules: Rules) {
    let mut blocked = HashSet::new();
    for (delivery, action) in deliveries.iter().zip(actions).filter(|_| rules.fifo) {
        let Some(group) = delivery.group_id() else { continue };
        if rules.is_last(delivery) || matches!(action, Action::DeadLettered(_)) {
            continue;
        }
        if blocked.contains(group) {
            *action = Action::Release("group_held_back");
        } else if matches!(action, Action::Retry(_) | Action::Release(_)) {
            blocked.insert(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIFO: Rules = Rules { max_receive_count: 3, fifo: true };

    fn retry() -> Verdict {
        Retry::new("busy", "").into()
    }

    fn released() -> (&'static str, u32, Verdict, Action) {
        ("a", 1, Verdict::Ack, Action::Release("group_held_back"))
    }

    /// Each case: group, receive count, verdict, expected action.
    fn check(rules: Rules, cases: &[(&str, u32, Verdict, Action)]) {
        let delivery = |case: &(&str, u32, Verdict, Action)| Delivery::in_group(case.0, case.1);
        let deliveries: Vec<_> = cases.iter().map(delivery).collect();
        let verdicts = cases.iter().map(|case| case.2.clone()).collect();
        let expected: Vec<_> = cases.iter().map(|case| case.3.clone()).collect();
        assert_eq!(decide(&deliveries, verdicts, rules), expected);
    }

    #[test]
    fn a_retry_holds_back_the_rest_of_its_group_only() {
        let again = Action::Retry(Retry::new("busy", ""));
        let bad = Reject::new("bad", "");
        check(
            FIFO,
            &[
                ("a", 1, Verdict::Ack, Action::Delete),
                ("b", 1, Verdict::Ack, Action::Delete),
                ("a", 1, retry(), again),
                released(),
                ("b", 1, bad.clone().into(), Action::DeadLetter(bad.clone())),
                ("a", 1, bad.into(), Action::Release("group_held_back")),
                ("b", 1, Verdict::Ack, Action::Delete),
            ],
        );
    }

    #[test]
    fn a_reject_does_not_hold_its_group_back() {
        let bad = Reject::new("bad", "");
        let dead = Action::DeadLetter(bad.clone());
        check(FIFO, &[("a", 1, bad.into(), dead), ("a", 1, Verdict::Ack, Action::Delete)]);
    }

    #[test]
    fn the_last_of_a_messages_retries_is_a_dead_letter() {
        let busy = Action::DeadLetter(Reject::new("busy", ""));
        check(FIFO, &[("a", 3, retry(), busy)]);
    }

    #[test]
    fn what_was_interrupted_is_released_also_at_its_last_delivery() {
        let interrupted: Verdict = Retry::interrupted("shut_down", "").into();
        let released = Action::Release("shut_down");
        check(FIFO, &[("a", 3, interrupted, released)]);
    }

    #[test]
    fn a_standard_queue_has_no_order_to_keep() {
        let again = Action::Retry(Retry::new("busy", ""));
        let rules = Rules { fifo: false, ..FIFO };
        check(rules, &[("a", 1, retry(), again), ("a", 1, Verdict::Ack, Action::Delete)]);
    }

    #[test]
    fn what_is_in_the_dead_letter_queue_stays_there() {
        let deliveries = [Delivery::in_group("a", 1), Delivery::in_group("a", 1)];
        let mut actions =
            [Action::Retry(Retry::new("dead_letter_unsent", "")), Action::DeadLettered("bad")];
        release_blocked(&deliveries, &mut actions, FIFO);
        assert_eq!(actions[1], Action::DeadLettered("bad"));
    }
}
