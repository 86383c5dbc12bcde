//! What a tenant or a caller may do, and what is left of it.

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

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of all callers of a tenant.
    Tenant,
    /// Those of one caller.
    Caller,
}

impl Whose {
    /// Its name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Caller => "caller",
        }
    }

    /// The name of a limit in headers and problems.
    #[must_use]
    pub fn policy(self, class: Class) -> &'static str {
        match (self, class) {
            (Self::Tenant, class) => class.as_str(),
            (Self::Caller, Class::Read) => "read-caller",
            (Self::Caller, Class::List) => "list-caller",
            (Self::Caller, Class::Write) => "write-caller",
            (Self::Caller, Class::Bulk) => "bulk-caller",
        }
    }
}

/// What a tenant, or a caller, may do.
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

    /// So many per cent of it; one request at least.
    pub(crate) fn share(self, percent: u32) -> Self {
        let burst = u64::from(self.burst) * u64::from(percent) / 100;
        Self {
            burst: u32::try_from(burst).unwrap_or(self.burst).max(1),
            interval: (self.interval * 100).div_ceil(percent.max(1).into()),
        }
    }

    /// After how many seconds a burst that was used up is there again; from 1.
    #[must_use]
    pub fn window_seconds(self) -> u64 {
        (self.interval * u64::from(self.burst)).div_ceil(MICROSECONDS_PER_SECOND)
    }
}

/// What is left of a limit after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The limit that the request was counted against.
    pub limit: Limit,
    /// Whose it is.
    pub whose: Whose,
    /// Whether the request is within it. One that is not within all limits was not counted.
    pub allowed: bool,
    /// How many requests may follow at once.
    pub remaining: u64,
    /// After how many seconds there is one more; from 1.
    pub wait_seconds: u64,
}

impl RateLimitStatus {
    /// `room` is in microseconds, and less than one interval when the request is not allowed.
    pub(crate) fn new((whose, limit): (Whose, Limit), allowed: bool, room: u64) -> Self {
        let wait = limit.interval - room % limit.interval;
        Self {
            limit,
            whose,
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
        for (per_minute, burst, seconds) in [
            (600, 600, 60),
            (6_000, 1_000, 10),
            (1, 1, 60),
            (1_000_000, 1, 1),
            (10_000_000, 1_000_000, 6),
            (7, 2, 18),
        ] {
            let limit = Limit::new(per_minute, burst).unwrap();
            assert_eq!(limit.window_seconds(), seconds, "{per_minute} per minute, {burst} at once");
        }
        assert_eq!(Limit::new(0, 10), None);
    }

    #[test]
    fn a_share_is_a_part_of_a_limit_and_one_request_at_least() {
        let limit = Limit::new(60, 50).unwrap();
        assert_eq!(limit.share(20), Limit::new(12, 10).unwrap());
        assert_eq!(limit.share(1), Limit { burst: 1, interval: 100_000_000 });
    }

    #[test]
    fn a_status_has_what_is_left_and_when_there_is_more() {
        // One each two seconds.
        let limit = Limit::new(30, 5).unwrap();
        let status_of = |allowed, room| {
            let status = RateLimitStatus::new((Whose::Tenant, limit), allowed, room);
            (status.remaining, status.wait_seconds)
        };
        assert_eq!(status_of(true, 8_000_000), (4, 2));
        assert_eq!(status_of(true, 7_999_999), (3, 1));
        assert_eq!(status_of(true, 0), (0, 2));
        assert_eq!(status_of(false, 1_999_999), (0, 1));
        assert_eq!(status_of(false, 0), (0, 2));
    }
}
