//! Sending in batches, in order.

use std::{num::NonZeroU32, time::Duration};

use aws_sdk_sqs::Client;
use causes::with_causes;
use events::{DecodeError, MAX_BYTES};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    answer::settle,
    claim::Bucket,
    message::{Claims, Message},
    outcome::{Refused, Report, SendError},
    pending::{BATCH_MESSAGES, Pending},
};

/// Before the second attempt; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Sends command events to one queue.
#[derive(Clone, Debug)]
pub struct Producer {
    sqs: Client,
    queue_url: String,
    bucket: Option<Bucket>,
    over: usize,
    per_second: Option<NonZeroU32>,
    reserved_sources: bool,
}

impl Producer {
    /// A producer for the command queue with this URL. Events of more than [`events::MAX_BYTES`] are
    /// refused.
    pub fn new(sqs: Client, queue_url: impl Into<String>) -> Self {
        let queue_url = queue_url.into();
        Self {
            sqs,
            queue_url,
            bucket: None,
            over: MAX_BYTES,
            per_second: None,
            reserved_sources: false,
        }
    }

    /// Puts the data of larger events, up to [`events::MAX_DATA_BYTES`], into this bucket, which must
    /// be the consumer's `CLAIM_CHECK_BUCKET`.
    #[must_use]
    pub fn claim_checks(self, s3: aws_sdk_s3::Client, bucket: impl Into<String>) -> Self {
        Self { bucket: Some(Bucket { s3, name: bucket.into() }), ..self }
    }

    /// How large an event may be, in bytes, to be sent whole although there is a bucket; no more than
    /// [`events::MAX_BYTES`], which is the default.
    #[must_use]
    pub fn claim_checks_over(self, bytes: usize) -> Self {
        Self { over: bytes.min(MAX_BYTES), ..self }
    }

    /// Sends no more than so many events a second.
    #[must_use]
    pub fn per_second(self, events: NonZeroU32) -> Self {
        Self { per_second: Some(events), ..self }
    }

    /// Sends events under the service's own sources, too ([`events::Source::RESERVED`]): for the
    /// service itself. The queue's consumer must allow them.
    #[must_use]
    pub fn reserved_sources(self) -> Self {
        Self { reserved_sources: true, ..self }
    }

    /// Validates the events, each a CloudEvents 1.0 event in JSON, and sends those that are valid.
    ///
    /// # Errors
    /// The queue or the bucket takes nothing: what was sent by then stays sent, and to send all of
    /// the events again is harmless.
    pub async fn send<E: AsRef<str>>(&self, events: &[E]) -> Result<Report, SendError> {
        self.send_watched(events, |_| ()).await
    }

    /// The same, and reports how many more events the queue accepted each time that it accepted some.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_watched<E: AsRef<str>>(
        &self,
        events: &[E],
        mut watch: impl FnMut(usize),
    ) -> Result<Report, SendError> {
        let (messages, refused) = self.read(events);
        let mut report = Report { sent: 0, refused };
        let mut pending = Pending::new(messages);
        let mut next = Instant::now();
        loop {
            let batch = pending.take(self.batch());
            if batch.is_empty() {
                break;
            }
            sleep_until(next).await;
            next += self.pause(batch.len());
            let sent = report.sent;
            self.send_batch(batch, &mut pending, &mut report)
                .await
                .map_err(|cause| SendError { sent, cause })?;
            watch(report.sent - sent);
        }
        report.refused.sort_by_key(|refused| refused.position);
        Ok(report)
    }

    /// Validates without sending: what [`send`](Self::send) would refuse before it sends anything.
    pub fn check<E: AsRef<str>>(&self, events: &[E]) -> Vec<Refused> {
        self.read(events).1
    }

    fn read<'a, E: AsRef<str>>(&self, events: &'a [E]) -> (Vec<Message<'a>>, Vec<Refused>) {
        let (mut messages, mut refused) = (Vec::with_capacity(events.len()), Vec::new());
        for (position, event) in events.iter().enumerate() {
            match Message::new(position, event.as_ref(), self.claims()) {
                Ok(message) if message.source_is_reserved && !self.reserved_sources => {
                    refused.push(Refused::invalid(position, DecodeError::source_reserved()));
                }
                Ok(message) => messages.push(message),
                Err(error) => refused.push(Refused::invalid(position, error)),
            }
        }
        (messages, refused)
    }

    fn claims(&self) -> Option<Claims<'_>> {
        let bucket = self.bucket.as_ref()?;
        Some(Claims { bucket: &bucket.name, over: self.over })
    }

    /// So small that the rate is kept from second to second.
    fn batch(&self) -> usize {
        let rate = self.per_second.and_then(|rate| usize::try_from(rate.get()).ok());
        rate.unwrap_or(BATCH_MESSAGES)
    }

    /// How long to send nothing after so many events.
    fn pause(&self, events: usize) -> Duration {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        self.per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(1) * events / rate.get())
    }

    async fn send_batch<'a>(
        &self,
        batch: Vec<Message<'a>>,
        pending: &mut Pending<'a>,
        report: &mut Report,
    ) -> Result<(), String> {
        if let Some(bucket) = &self.bucket {
            for data in batch.iter().filter_map(|message| message.data.as_ref()) {
                bucket.put(data).await?;
            }
        }
        let entries: Result<_, _> = batch.iter().map(Message::entry).collect();
        let entries = entries.map_err(|error| error.to_string())?;
        let request = self.sqs.send_message_batch().queue_url(&self.queue_url);
        let answer = request.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| with_causes(&error))?;
        let attempts = settle(&answer, batch, pending, report);
        if attempts > 0 {
            sleep(FIRST_WAIT * (1 << (attempts - 1))).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept_from_second_to_second() {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest());
        let producer = Producer::new(Client::from_conf(config.build()), "https://host/1/queue");
        assert_eq!((producer.batch(), producer.pause(10)), (10, Duration::ZERO));
        let slow = producer.per_second(NonZeroU32::new(4).unwrap());
        assert_eq!((slow.batch(), slow.pause(4)), (4, Duration::from_secs(1)));
        assert_eq!(slow.pause(1), Duration::from_millis(250));
    }
}
