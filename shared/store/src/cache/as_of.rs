//! When PostgreSQL was read for a copy.
//!
//! A copy is good for as long as the cache's TTL *from then on*, and whoever reads it checks that. So
//! its age is bounded whatever Redis does: a Redis that froze may take a copy long after it was sent,
//! one that failed over may have an older one, and one that was restored anything at all.

use std::time::{Duration, SystemTime};

/// By how much the clocks of two machines may differ. A copy from further in the future is not used.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(1);

/// A time by the machine's clock, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AsOf(u64);

impl AsOf {
    /// Now, before PostgreSQL is read.
    #[expect(
        clippy::disallowed_methods,
        reason = "ages are compared between machines, so a caller must not decide what time it is"
    )]
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    pub(super) fn as_millis(self) -> u64 {
        self.0
    }

    /// For how much longer a copy of then may be used at `now`, if it may be as old as `limit`;
    /// `None` if it may not any more.
    pub(super) fn left(self, limit: Duration, now: Self) -> Option<Duration> {
        if self.0.checked_sub(now.0).map(Duration::from_millis) > Some(CLOCK_DIFFERENCE) {
            return None;
        }
        let age = Duration::from_millis(now.0.saturating_sub(self.0));
        limit.checked_sub(age).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_good_until_its_limit_and_not_from_the_future() {
        let limit = Duration::from_secs(10);
        let left = |as_of, now| {
            let left = AsOf(as_of).left(limit, AsOf(now));
            left.map(|left| u64::try_from(left.as_millis()).unwrap())
        };
        assert_eq!(left(100_000, 100_000), Some(10_000));
        assert_eq!(left(100_000, 109_999), Some(1));
        assert_eq!(left(100_000, 110_000), None);
        assert_eq!(left(100_000, 200_000), None);
        assert_eq!(left(101_000, 100_000), Some(10_000), "another machine's clock");
        assert_eq!(left(101_001, 100_000), None);
        assert_eq!(left(u64::MAX, 0), None);
        assert_eq!(AsOf(0).left(Duration::ZERO, AsOf(0)), None);
    }
}
