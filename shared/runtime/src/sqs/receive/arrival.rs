//! What is measured of messages as they come in, whichever host brings them.

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};

use crate::{
    metrics::{MESSAGES_RECEIVED, QUEUE_AGE},
    sqs::Delivery,
};

/// Counts messages and takes their age.
pub(crate) fn report(queue: &str, deliveries: &[Delivery], now: DateTime<Utc>) {
    counter!(MESSAGES_RECEIVED, "queue" => queue.to_owned())
        .increment(u64::try_from(deliveries.len()).unwrap_or(u64::MAX));
    let age = histogram!(QUEUE_AGE, "queue" => queue.to_owned());
    for sent_at in deliveries.iter().filter_map(Delivery::sent_at) {
        // Two machines' clocks differ; an age is never negative.
        age.record((now - sent_at).to_std().unwrap_or_default().as_secs_f64());
    }
}
