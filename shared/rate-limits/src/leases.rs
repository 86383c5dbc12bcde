//! Requests that were counted in advance. A process that is busy counts some of a tenant's requests at
//! once, and lets as many through by itself: a round trip to Redis for each costs more than to answer most
//! of them.
//!
//! The first request after a pause is counted alone. Each lease that is used up in time doubles the next
//! one, up to [`PART`] of the burst. What is not used within [`LIFE`] is lost to the tenant. So a process
//! holds at most that part: a tenant may be refused so many requests too early, or be let through so
//! many of them up to a second after they were counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use crate::limit::{Limit, RateLimitStatus, Whose};

/// For how long a lease may be used.
const LIFE: Duration = Duration::from_secs(1);
/// A lease is at most the burst divided by this: with the default limits, 50 reads or 5 writes.
const PART: u32 = 100;
/// Leases of a class that are kept, at most: of the tenants, or callers, that were here last.
const MOST: usize = 10_000;

/// The leases of a process for one class, by whose requests are counted together.
#[derive(Debug)]
pub(crate) struct Leases(Cache<String, Arc<Mutex<Lease>>>);

#[derive(Debug, Default)]
struct Lease {
    left: u32,
    until: Option<Instant>,
    /// How many requests it was, when it was new.
    size: u32,
    /// As they were when it was counted.
    statuses: Vec<RateLimitStatus>,
    is_being_renewed: bool,
}

/// What is to be done for a request.
pub(crate) enum Next {
    /// Nothing: it was counted before.
    Counted(Vec<RateLimitStatus>),
    /// Count it, and as many more as the renewal wants.
    Count(Renewal),
}

/// A lease that is to be renewed, or, if that goes on already, a single request.
pub(crate) struct Renewal {
    lease: Option<Arc<Mutex<Lease>>>,
    /// Requests to count, at most; from 1.
    pub(crate) size: u32,
}

impl Leases {
    pub(crate) fn new() -> Self {
        Self(Cache::new(MOST))
    }

    /// A request that is counted against `limits`, at `now`.
    pub(crate) fn next(&self, whose: &str, limits: &[(Whose, Limit)], now: Instant) -> Next {
        let most = limits.iter().map(|(_, limit)| limit.burst / PART).min().unwrap_or(1);
        if most <= 1 {
            return Next::Count(Renewal { lease: None, size: 1 });
        }
        let shared =
            self.0.get_or_insert_with::<_, std::convert::Infallible>(whose, || Ok(Arc::default()));
        let Ok(shared) = shared;
        let mut lease = lock(&shared);
        let is_in_time = lease.until.is_some_and(|until| now < until);
        if lease.left > 0 && is_in_time {
            lease.left -= 1;
            return Next::Counted(lease.statuses());
        }
        if lease.is_being_renewed {
            return Next::Count(Renewal { lease: None, size: 1 });
        }
        lease.size = if is_in_time { lease.size.saturating_mul(2).min(most) } else { 1 };
        lease.left = 0;
        lease.is_being_renewed = true;
        let size = lease.size;
        drop(lease);
        Next::Count(Renewal { lease: Some(shared), size })
    }
}

impl Lease {
    fn statuses(&self) -> Vec<RateLimitStatus> {
        let with_left = |status: &RateLimitStatus| RateLimitStatus {
            remaining: status.remaining + u64::from(self.left),
            ..*status
        };
        self.statuses.iter().map(with_left).collect()
    }
}

impl Renewal {
    /// `taken` requests were counted at `now`, this one among them.
    pub(crate) fn counted(
        &self,
        taken: u32,
        statuses: Vec<RateLimitStatus>,
        now: Instant,
    ) -> Vec<RateLimitStatus> {
        let Some(lease) = &self.lease else { return statuses };
        let mut lease = lock(lease);
        lease.left = taken.saturating_sub(1);
        lease.until = Some(now + LIFE);
        lease.statuses = statuses;
        lease.statuses()
    }
}

/// However the count ended, the next request may renew the lease.
impl Drop for Renewal {
    fn drop(&mut self) {
        if let Some(lease) = &self.lease {
            lock(lease).is_being_renewed = false;
        }
    }
}

fn lock(lease: &Mutex<Lease>) -> MutexGuard<'_, Lease> {
    lease.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With leases of at most 8 requests.
    fn limits() -> [(Whose, Limit); 1] {
        [(Whose::Tenant, Limit::new(1, 800).unwrap())]
    }

    fn status(remaining: u64) -> RateLimitStatus {
        let [limit] = limits();
        RateLimitStatus::new(limit, true, remaining * limit.1.interval)
    }

    /// What a request has counted, and what is left; nothing is refused.
    fn request(leases: &Leases, now: Instant) -> (u32, u64) {
        match leases.next("key", &limits(), now) {
            Next::Counted(statuses) => (0, statuses[0].remaining),
            Next::Count(renewal) => {
                let statuses = renewal.counted(renewal.size, vec![status(100)], now);
                (renewal.size, statuses[0].remaining)
            }
        }
    }

    #[test]
    fn a_busy_process_counts_more_and_more_in_advance_up_to_a_part_of_the_burst() {
        let (leases, now) = (Leases::new(), Instant::now());
        let counted: Vec<_> =
            (0..31).map(|_| request(&leases, now).0).filter(|it| *it > 0).collect();
        assert_eq!(counted, [1, 2, 4, 8, 8, 8]);
    }

    #[test]
    fn after_a_pause_a_request_is_counted_alone_and_what_was_left_is_lost() {
        let (leases, now) = (Leases::new(), Instant::now());
        assert_eq!(request(&leases, now), (1, 100));
        assert_eq!(request(&leases, now), (2, 101));
        assert_eq!(request(&leases, now + LIFE), (1, 100));
        assert_eq!(request(&leases, now + LIFE), (2, 101));
        assert_eq!(request(&leases, now + LIFE), (0, 100));
    }

    #[test]
    fn while_a_lease_is_renewed_others_are_counted_alone_and_one_that_failed_is_renewed_again() {
        let (leases, now) = (Leases::new(), Instant::now());
        request(&leases, now);
        let Next::Count(renewal) = leases.next("key", &limits(), now) else {
            panic!("none is left")
        };
        assert_eq!(renewal.size, 2);
        assert_eq!(request(&leases, now), (1, 100));
        drop(renewal);
        assert_eq!(request(&leases, now), (4, 103));
    }

    #[test]
    fn a_refused_lease_lets_nothing_through() {
        let (leases, now) = (Leases::new(), Instant::now());
        let Next::Count(renewal) = leases.next("key", &limits(), now) else {
            panic!("none is left")
        };
        renewal.counted(0, vec![status(0)], now);
        drop(renewal);
        assert!(matches!(leases.next("key", &limits(), now), Next::Count(_)));
    }

    #[test]
    fn a_small_burst_is_counted_one_by_one() {
        let (leases, now) = (Leases::new(), Instant::now());
        let small = [limits()[0], (Whose::Caller, Limit::new(1, 199).unwrap())];
        for _ in 0..3 {
            let Next::Count(renewal) = leases.next("key", &small, now) else {
                panic!("counted before")
            };
            assert_eq!(renewal.size, 1);
        }
    }
}
