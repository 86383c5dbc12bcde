//! The metrics of requests. Each series is looked up once: a name with its labels is hashed and compared
//! at every look-up, which takes longer than to count.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::metrics::{HTTP_DURATION, HTTP_IN_FLIGHT, HTTP_REQUESTS, HTTP_SERVER_ERRORS};

/// What requests are counted in.
pub(super) struct RequestMetrics {
    /// Those that were begun and have not been answered.
    pub(super) in_flight: Gauge,
    /// By route: as many as the router has, with few methods and statuses each.
    ended: RwLock<HashMap<String, Vec<Series>>>,
}

/// What is counted under one set of labels.
struct Series {
    method: &'static str,
    status: u16,
    requests: Counter,
    duration: Histogram,
}

impl RequestMetrics {
    pub(super) fn new() -> Self {
        Self { in_flight: gauge!(HTTP_IN_FLIGHT), ended: RwLock::default() }
    }

    /// Counts a request that has ended.
    pub(super) fn count(&self, method: &'static str, route: &str, status: u16, elapsed: Duration) {
        if !self.count_known(method, route, status, elapsed) {
            let series = Series::new(method, route, status);
            series.count(elapsed);
            let mut all = self.ended.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(route.to_owned()).or_default().push(series);
        }
        if status >= 500 {
            counter!(HTTP_SERVER_ERRORS).increment(1);
        }
    }

    /// Whether its series was looked up before.
    fn count_known(&self, method: &str, route: &str, status: u16, elapsed: Duration) -> bool {
        let all = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        let is_it = |series: &&Series| series.method == method && series.status == status;
        let known = all.get(route).and_then(|series| series.iter().find(is_it));
        known.map(|series| series.count(elapsed)).is_some()
    }
}

impl Series {
    fn new(method: &'static str, route: &str, status: u16) -> Self {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        let requests = counter!(HTTP_REQUESTS, &labels);
        Self { method, status, requests, duration: histogram!(HTTP_DURATION, &labels) }
    }

    fn count(&self, elapsed: Duration) {
        self.requests.increment(1);
        self.duration.record(elapsed.as_secs_f64());
    }
}
