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
#[derive(Clone)]
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
        let series = self.known(method, route, status);
        let series = series.unwrap_or_else(|| self.add(Series::new(method, route, status), route));
        series.requests.increment(1);
        series.duration.record(elapsed.as_secs_f64());
        if status >= 500 {
            counter!(HTTP_SERVER_ERRORS).increment(1);
        }
    }

    fn known(&self, method: &'static str, route: &str, status: u16) -> Option<Series> {
        let all = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        let is_it = |series: &&Series| series.method == method && series.status == status;
        all.get(route)?.iter().find(is_it).cloned()
    }

    fn add(&self, series: Series, route: &str) -> Series {
        let mut all = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(route.to_owned()).or_default().push(series.clone());
        series
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
}
