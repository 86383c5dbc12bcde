//! How much is read at a time. What SQS allows is from its developer guide, "Amazon SQS message quotas".

use std::time::Duration;

/// Messages of a receive, and entries of a batch: the most that SQS allows.
pub(crate) const PAGE: usize = 10;
/// What bounds a read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Messages that are held at a time.
    pub(crate) in_flight: usize,
    /// Its time.
    pub(crate) reading: Duration,
}

/// Of a read that shows what it reads.
pub(crate) const LIMITS: Limits = Limits { in_flight: MOST_IN_FLIGHT, reading: READING };
/// Of a read that writes what it reads: it takes as long as that takes.
pub(crate) const LIMITS_OF_EXPORT: Limits =
    Limits { in_flight: MOST_IN_FLIGHT, reading: EXPORTING };
/// Messages that are held at a time. SQS allows about 120,000 in flight: then a standard queue answers
/// with `OverLimit` and a FIFO queue with nothing. The others are left to those who also use the queue.
pub(crate) const MOST_IN_FLIGHT: usize = 100_000;
/// Requests at a time.
pub(crate) const LANES: usize = 8;
/// A receive that waits looks at each server of the queue ("Amazon SQS short and long polling"), so
/// that an empty answer means that nothing more is visible.
pub(crate) const WAIT: Duration = Duration::from_secs(1);
/// For how long a message that was received is invisible if this process is killed before it releases it.
pub(crate) const VISIBILITY: Duration = Duration::from_mins(5);
/// How long a read may take. What is left until [`VISIBILITY`] is for the last receives and the release.
pub(crate) const READING: Duration = Duration::from_secs(200);
/// How long an export may take: SQS lets no message be invisible for longer than 12 hours.
pub(crate) const EXPORTING: Duration = Duration::from_hours(11);
/// How often it is looked for messages whose visibility timeout is to begin anew.
pub(crate) const EXTENSIONS: Duration = Duration::from_secs(15);
/// Attempts to release a message that SQS does not release.
pub(crate) const RELEASES: usize = 3;
/// Attempts to send a message that SQS may take next time.
pub(crate) const SENDS: usize = 3;
/// Attempts to delete a message that SQS does not delete.
pub(crate) const DELETES: usize = 3;
/// Queues of a page of `ListQueues`: the most that SQS allows.
pub(crate) const QUEUES_OF_A_PAGE: i32 = 1_000;
/// Pages of queues.
pub(crate) const MOST_PAGES_OF_QUEUES: usize = 100;

/// A duration, as SQS takes it.
pub(crate) fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
