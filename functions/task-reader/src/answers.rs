//! What the answers of several resources have in common.

use axum::http::{HeaderName, HeaderValue, header};
use http_support::Problem;
use records::Failure;
use store::ReadError;

/// A task may be cached by its reader and nobody between, and must be revalidated each time.
pub(crate) const CACHE_CONTROL: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));

/// The problem of a request whose rows could not be read.
pub(crate) fn read_failed(error: ReadError) -> Problem {
    match error {
        ReadError::Unavailable(_) => Problem::unavailable("the database", error),
        ReadError::Unreadable(_) => Problem::Internal(error.into()),
    }
}

/// The problem of a request whose table failed; `what` names the table.
pub(crate) fn tables_failed(failure: Failure, what: &'static str) -> Problem {
    match failure {
        Failure::Unavailable(_) => Problem::unavailable(what, failure),
        refused @ Failure::Refused(_) => Problem::Internal(refused.into()),
    }
}
