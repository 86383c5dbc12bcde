//! What a tenant may do, and what is left of it.

const MICROSECONDS_PER_MINUTE: u64 = 60_000_000;
const MICROSECONDS_PER_SECOND: u64 = 1_000_000;

/// Requests that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Of one thing: a task, an operation, an attachment.
    Read,
    /// Of many: lists and histories.
    List,
    /// A change of one thing.
    Write,
    /// Changes of many at once.
    Bulk,
}

impl Class {
    /// Its name in headers, settings and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Write => "write",
            Self::Bulk => "bulk",
        }
    }
}

/// What a tenant may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many requests may come at once.
    pub burst: u32,
    /// Microseconds after which one more may come.
    pub(crate) interval: u64,
}

impl Limit {
    /// `None` for 0 requests per minute, which stands for no limit.
    pub(crate) fn new(per_minute: u32, burst: u32) -> Option<Self> {
        let interval =
            (per_minute > 0).then(|| MICROSECONDS_PER_MINUTE.div_ceil(per_minute.into()));
        interval.map(|interval| Self { burst, interval })
    }

    /// After how many seconds a burst that was used up is there again; from 1.
    #[must_use]
    pub fn window_seconds(self) -> u64 {
        (self.interval * u64::from(self.burst)).div_ceil(MICROSECONDS_PER_SECOND)
    }
}

/// What is left of a tenant's limit after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The limit that the request was counted against.
    pub limit: Limit,
    /// Whether the request is within it. One that is not was not counted.
    pub allowed: bool,
    /// How many requests may follow at once.
    pub remaining: u64,
    /// After how many seconds there is one more; from 1.
    pub wait_seconds: u64,
}

impl RateLimitStatus {
    /// `room` is in microseconds, and less than one interval when the request is not allowed.
    pub(crate) fn new(limit: Limit, allowed: bool, room: u64) -> Self {
        let wait = limit.interval - room % limit.interval;
        Self {
            limit,
            allowed,
            remaining: room / limit.interval,
            wait_seconds: wait.div_ceil(MICROSECONDS_PER_SECOND),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_the_time_in_which_a_burst_comes_back() {
        for (per_minute, burst, seconds) in
            [(600, 600, 60), (6_000, 1_000, 10), (1, 1, 60), (1_000_000, 1, 1), (7, 2, 18)]
        {
            let limit = Limit::new(per_minute, burst).unwrap();
            assert_eq!(limit.window_seconds(), seconds, "{per_minute} per minute, {burst} at once");
        }
        assert_eq!(Limit::new(0, 10), None);
    }

    #[test]
    fn a_status_has_what_is_left_and_when_there_is_more() {
        // One each two seconds.
        let limit = Limit::new(30, 5).unwrap();
        let status_of = |allowed, room| {
            let status = RateLimitStatus::new(limit, allowed, room);
            (status.remaining, status.wait_seconds)
        };
        assert_eq!(status_of(true, 8_000_000), (4, 2));
        assert_eq!(status_of(true, 7_999_999), (3, 1));
        assert_eq!(status_of(true, 0), (0, 2));
        assert_eq!(status_of(false, 1_999_999), (0, 1));
        assert_eq!(status_of(false, 0), (0, 2));
    }
}
