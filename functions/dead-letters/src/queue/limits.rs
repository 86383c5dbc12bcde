//! How much is read at a time. What SQS allows is from its developer guide, "Amazon SQS message quotas".

use std::time::Duration;

/// Messages of a receive, and entries of a batch: the most that SQS allows.
pub(crate) const PAGE: usize = 10;
/// What bounds a read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Messages that are held at a time.
    pub(crate) in_flight: usize,
    /// Its time, without that of the release.
    pub(crate) reading: Duration,
    /// For how long a message that was received is invisible if this process is killed before it releases it.
    /// Of what is held for half of it, it begins anew.
    pub(crate) visibility: Duration,
}

pub(crate) const LIMITS: Limits = Limits {
    in_flight: MOST_IN_FLIGHT,
    // SQS lets no message be invisible for longer than 12 hours.
    reading: Duration::from_hours(11),
    visibility: Duration::from_mins(5),
};
/// Messages that are held at a time. SQS allows about 120,000 in flight: then a standard queue answers
/// with `OverLimit` and a FIFO queue with nothing. The others are left to those who also use the queue.
pub(crate) const MOST_IN_FLIGHT: usize = 100_000;
/// Requests at a time.
pub(crate) const LANES: usize = 8;
/// A receive that waits looks at each server of the queue ("Amazon SQS short and long polling"), so
/// that an empty answer means that nothing more is visible.
pub(crate) const WAIT: Duration = Duration::from_secs(1);
/// Looks for messages whose visibility timeout is to begin anew, in the time of one.
pub(crate) const LOOKS: u32 = 20;
/// Attempts to release a message that SQS does not release.
pub(crate) const RELEASES: usize = 3;
/// Requests in a row without an answer after which nothing more is released: each was tried several times.
pub(crate) const UNANSWERED: usize = LANES;
/// Messages that are released between two looks for those whose visibility timeout is to begin anew.
pub(crate) const RELEASED_AT_A_TIME: usize = 5 * LANES * PAGE;
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
