//! How recent an answer the caller wants (`Cache-Control` of a request; RFC 9111, section 5.2.1).

use axum::http::{HeaderMap, header};

/// Whether only the present state will do: `no-cache`, or `max-age=0`, as a browser's reload says.
/// Without it, an answer may miss what was written a moment ago.
#[must_use]
pub fn wants_current(headers: &HeaderMap) -> bool {
    let values =
        headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut wishes = values.flat_map(|value| value.split(',')).map(str::trim);
    wishes.any(|wish| ["no-cache", "max-age=0"].iter().any(|one| wish.eq_ignore_ascii_case(one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_the_present_state_says_so() {
        let of = |values: &[&'static str]| -> HeaderMap {
            let value = |value: &&'static str| (header::CACHE_CONTROL, value.parse().unwrap());
            values.iter().map(value).collect()
        };
        for values in
            [&["no-cache"][..], &["max-age=0"], &["no-transform , No-Cache"], &["x", "no-cache"]]
        {
            assert!(wants_current(&of(values)), "{values:?}");
        }
        for values in [&[][..], &["max-age=60"], &["no-store"], &["no-cached"], &["max-age=0x"]] {
            assert!(!wants_current(&of(values)), "{values:?}");
        }
    }
}
