//! The other shape of a handler: one message at a time.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::{BatchHandler, Record, Reject, Retry, Verdict, worker::panicked};

/// Messages of one batch that are handled at a time unless told otherwise.
const AT_A_TIME: usize = 10;
/// Longest time before a batch's deadline at which its messages are cut off one by one, so that
/// those that are done keep their verdicts.
const LONGEST_MARGIN: Duration = Duration::from_secs(1);
/// For a caller without a deadline.
const FAR: Duration = Duration::from_hours(12);

/// Handles the messages of a queue, one at a time. [`Each`] makes a [`BatchHandler`] of it.
///
/// Delivery is at least once, as it is for a batch handler: make the effect idempotent.
pub trait Handler: Send + Sync + 'static {
    /// A decoded message.
    type Message: Send + 'static;

    /// Decodes one record; `Err` dead-letters it. So does a panic.
    fn decode(&self, record: &Record) -> Result<Self::Message, Reject>;

    /// The W3C `traceparent` that a message carries in its body; see
    /// [`BatchHandler::traceparent`].
    fn traceparent<'a>(&self, message: &'a Self::Message) -> Option<&'a str> {
        let _ = message;
        None
    }

    /// Handles one message.
    ///
    /// A panic, or taking until shortly before `HANDLER_TIMEOUT_SECONDS` (the future is dropped
    /// then), retries this message and touches no other, except what follows it in its FIFO group.
    fn handle(&self, message: Self::Message) -> impl Future<Output = Verdict> + Send;
}

/// Runs a [`Handler`] on a batch: messages side by side, but those of a FIFO group in their order.
///
/// After a retry in a FIFO group the rest of that group is not begun: it is handed out again behind
/// the retried message. (A message of that rest which is on its last delivery becomes a dead letter
/// unhandled, for the queue would drop it there itself, without saying why.)
#[derive(Debug)]
pub struct Each<H> {
    handler: Arc<H>,
    at_a_time: usize,
}

/// A message and the FIFO group in which it has its place.
#[derive(Debug)]
pub struct Placed<M> {
    group: Option<String>,
    message: M,
}

/// Messages to be handled one after the other, each with its position in the batch.
type Line<M> = Vec<(usize, M)>;

impl<H: Handler> Each<H> {
    /// Ten messages of a batch at a time.
    pub fn new(handler: H) -> Self {
        Self { handler: Arc::new(handler), at_a_time: AT_A_TIME }
    }

    /// At most `count` messages of a batch at a time, and one at least. `QUEUE_CONCURRENCY` batches
    /// are handled at a time, each with as many.
    #[must_use]
    pub fn at_a_time(self, count: usize) -> Self {
        Self { at_a_time: count.max(1), ..self }
    }
}

impl<H: Handler> BatchHandler for Each<H> {
    type Message = Placed<H::Message>;

    fn decode(&self, record: &Record) -> Result<Self::Message, Reject> {
        let group = record.group_id().filter(|_| record.is_ordered()).map(str::to_owned);
        Ok(Placed { group, message: self.handler.decode(record)? })
    }

    fn traceparent<'a>(&self, placed: &'a Self::Message) -> Option<&'a str> {
        self.handler.traceparent(&placed.message)
    }

    async fn handle(&self, batch: Vec<Self::Message>) -> Vec<Verdict> {
        self.handle_until(batch, Instant::now() + FAR).await
    }

    async fn handle_until(&self, batch: Vec<Self::Message>, deadline: Instant) -> Vec<Verdict> {
        let left = deadline.saturating_duration_since(Instant::now());
        let cut_off = deadline - (left / 10).min(LONGEST_MARGIN);
        let lines = lines(batch).into_iter();
        let handling = lines.map(|line| handle_line(&self.handler, line, cut_off));
        let mut verdicts: Vec<_> =
            stream::iter(handling).buffer_unordered(self.at_a_time).concat().await;
        verdicts.sort_by_key(|(position, _)| *position);
        verdicts.into_iter().map(|(_, verdict)| verdict).collect()
    }
}

/// One line for each group, and one for each message without.
fn lines<M>(batch: Vec<Placed<M>>) -> Vec<Line<M>> {
    let mut lines: Vec<Line<M>> = Vec::new();
    let mut places = HashMap::new();
    for (position, Placed { group, message }) in batch.into_iter().enumerate() {
        let place = match group.map(|group| places.entry(group)) {
            Some(Entry::Occupied(place)) => *place.get(),
            Some(Entry::Vacant(place)) => *place.insert(lines.len()),
            None => lines.len(),
        };
        match lines.get_mut(place) {
            Some(line) => line.push((position, message)),
            None => lines.push(vec![(position, message)]),
        }
    }
    lines
}

async fn handle_line<H: Handler>(
    handler: &Arc<H>,
    line: Line<H::Message>,
    cut_off: Instant,
) -> Vec<(usize, Verdict)> {
    let mut verdicts = Vec::with_capacity(line.len());
    let mut held_back = false;
    for (position, message) in line {
        let verdict = if held_back {
            let detail = "a message before it in its group is retried";
            Retry::new("group_held_back", detail).after(Duration::ZERO).into()
        } else {
            handle_one(Arc::clone(handler), message, cut_off).await
        };
        held_back |= matches!(verdict, Verdict::Retry(_));
        verdicts.push((position, verdict));
    }
    verdicts
}

/// In a task of its own, so that neither a panic nor a handler that never yields gets past here.
async fn handle_one<H: Handler>(handler: Arc<H>, message: H::Message, cut_off: Instant) -> Verdict {
    if Instant::now() >= cut_off {
        let detail = "the time was up before the message was begun";
        return Retry::new("handler_timed_out", detail).into();
    }
    let handling = async move { handler.handle(message).await }.in_current_span();
    let task = AbortOnDropHandle::new(tokio::spawn(handling));
    match timeout_at(cut_off, task).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(error)) => panicked(error).into(),
        Err(_) => Retry::new("handler_timed_out", "the handler was cut off").into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_hold_every_message_once_and_a_group_in_its_order(
            groups in prop::collection::vec(prop::option::of("[ab]"), 0..20),
        ) {
            let place = |(position, group): (usize, &Option<String>)| {
                Placed { group: group.clone(), message: position }
            };
            let lines = lines(groups.iter().enumerate().map(place).collect());
            let mut seen: Vec<_> = lines.iter().flatten().map(|(position, _)| *position).collect();
            for line in &lines {
                prop_assert!(line.is_sorted());
                prop_assert!(line.iter().all(|(position, message)| position == message));
                let group = &groups[line[0].0];
                prop_assert!(line.len() == 1 || group.is_some());
                prop_assert!(line.iter().all(|(position, _)| groups[*position] == *group));
            }
            let grouped = groups.iter().flatten().collect::<std::collections::BTreeSet<_>>().len();
            let alone = groups.iter().filter(|group| group.is_none()).count();
            prop_assert_eq!(lines.len(), grouped + alone);
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..groups.len()).collect::<Vec<_>>());
        }
    }
}
