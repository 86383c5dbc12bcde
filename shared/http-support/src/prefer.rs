//! What a caller would like, and may not get (RFC 7240).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Whether the caller prefers `respond-async`: an answer that the request was accepted, rather than
/// to wait for its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RespondAsync(pub bool);

impl RespondAsync {
    /// The header that confirms the preference.
    pub const APPLIED: (HeaderName, HeaderValue) =
        (HeaderName::from_static("preference-applied"), HeaderValue::from_static("respond-async"));

    fn from_headers(headers: &HeaderMap) -> Self {
        let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let preferences = values.flat_map(|value| value.split(','));
        let mut names = preferences.filter_map(|preference| preference.split(';').next());
        Self(names.any(|name| name.trim().eq_ignore_ascii_case("respond-async")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RespondAsync {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::from_headers(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_is_found_among_others() {
        for (values, expected) in [
            (vec!["respond-async"], true),
            (vec!["return=minimal, Respond-Async; wait=10"], true),
            (vec!["return=minimal", "respond-async"], true),
            (vec!["respond-asynchronously"], false),
            (vec!["foo=respond-async"], false),
            (vec![], false),
        ] {
            let headers = values.iter().map(|value| (PREFER, HeaderValue::from_static(value)));
            let headers = headers.collect::<HeaderMap>();
            assert_eq!(RespondAsync::from_headers(&headers).0, expected, "{values:?}");
        }
    }
}
