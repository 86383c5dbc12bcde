//! From facts to entries of the history and back to verdicts.

use events::{FactEvent, FactPayload, UncheckedEnvelope};
use records::{Change, Failure, History};
use runtime::sqs::{BatchHandler, Delivery, Origin, Reject, Retry, Verdict};

/// Appends the versions of tasks that facts carry. A refused command makes no version.
pub(crate) struct FactHandler {
    history: History,
}

impl FactHandler {
    pub(crate) fn new(history: History) -> Self {
        Self { history }
    }
}

impl BatchHandler for FactHandler {
    type Message = FactEvent;

    fn decode(&self, delivery: &Delivery) -> Result<FactEvent, Reject> {
        events::decode_fact(delivery.body())
            .map_err(|error| Reject::new(error.reason.code(), error.to_string()))
    }

    fn traceparent<'a>(&self, fact: &'a FactEvent) -> Option<&'a str> {
        fact.traceparent.as_deref()
    }

    fn origin(&self, delivery: &Delivery) -> Origin {
        let UncheckedEnvelope { tenant, source, id, .. } = UncheckedEnvelope::read(delivery.body());
        Origin { tenant, source, event_id: id }
    }

    async fn handle(&self, batch: Vec<FactEvent>) -> Vec<Verdict> {
        let changes: Vec<_> = batch.into_iter().map(change).collect();
        let is_change: Vec<_> = changes.iter().map(Option::is_some).collect();
        let changes: Vec<_> = changes.into_iter().flatten().collect();
        let mut answers = self.history.append(&changes).await.into_iter();
        let verdict = |is_change: bool| match is_change.then(|| answers.next()).flatten() {
            Some(Err(failure)) => failed(failure),
            Some(Ok(())) | None => Verdict::Ack,
        };
        is_change.into_iter().map(verdict).collect()
    }
}

fn change(fact: FactEvent) -> Option<Change> {
    let (kind, time, actor) = (fact.kind.as_str(), fact.time, fact.actor);
    match fact.payload {
        FactPayload::Task(task) => Some(Change { kind, time, actor, task }),
        FactPayload::Rejected(_) => None,
    }
}

fn failed(failure: Failure) -> Verdict {
    match failure {
        Failure::Unavailable(cause) => Retry::unavailable("history_unavailable", cause).into(),
        refused @ Failure::Refused(_) => Reject::new("history_refused", refused.to_string()).into(),
    }
}
