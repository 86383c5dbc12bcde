//! How recent an answer the caller wants (`Cache-Control` of a request; RFC 9111, section 5.2.1).
//!
//! | directive | the answer |
//! |---|---|
//! | none | may come from a cache, within its bound |
//! | `max-age=N` | may miss what was written in the last `N` seconds, if that is less than the bound |
//! | `max-age=0`, `no-cache`, `no-store`, `min-fresh=N` | from PostgreSQL: what is in a cache is good only once it was confirmed |
//!
//! Of several, the strictest counts; an age that is no number counts as 0. The others mean nothing
//! here.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use store::Freshness;

/// How recent an answer the request wants.
pub(crate) fn freshness(headers: &HeaderMap) -> Freshness {
    let values =
        headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives = values.flat_map(|value| value.split(',')).map(str::trim);
    match directives.filter_map(max_age).min() {
        None => Freshness::Recent,
        Some(Duration::ZERO) => Freshness::Current,
        Some(age) => Freshness::Within(age),
    }
}

/// How old an answer may be at most, if the directive says so.
fn max_age(directive: &str) -> Option<Duration> {
    let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
    let is = |other: &str| name.trim_end().eq_ignore_ascii_case(other);
    if is("max-age") {
        return Some(seconds(value));
    }
    (is("no-cache") || is("no-store") || is("min-fresh")).then_some(Duration::ZERO)
}

/// A number of any length, as a token or in quotes.
fn seconds(value: &str) -> Duration {
    let digits = value.trim().trim_matches('"');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Duration::ZERO;
    }
    Duration::from_secs(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_directive_counts() {
        let of = |values: &[&'static str]| {
            let value = |value: &&'static str| (header::CACHE_CONTROL, value.parse().unwrap());
            freshness(&values.iter().map(value).collect::<HeaderMap>())
        };
        for current in [
            &["no-cache"][..],
            &["max-age=0"],
            &["max-age=\"0\""],
            &["max-age=000"],
            &["no-store"],
            &["min-fresh=5"],
            &["no-transform , No-Cache"],
            &["x", "no-cache"],
            &["max-age=60, no-cache"],
            &["max-age=60", "MAX-AGE=0"],
            &["no-cache=\"x\""],
            &["max-age"],
            &["max-age="],
            &["max-age=-1"],
            &["max-age=soon"],
        ] {
            assert_eq!(of(current), Freshness::Current, "{current:?}");
        }
        for recent in
            [&[][..], &["no-cached"], &["no-transform"], &["max-stale=60"], &["xmax-age=0"]]
        {
            assert_eq!(of(recent), Freshness::Recent, "{recent:?}");
        }
        let within = |seconds| Freshness::Within(Duration::from_secs(seconds));
        assert_eq!(of(&["max-age=60"]), within(60));
        assert_eq!(of(&["max-age=\"60\"", "max-age=5"]), within(5));
        assert_eq!(of(&["max-age=99999999999999999999999"]), within(u64::MAX));
    }
}
