//! The responses of the harness itself.

use axum::response::{IntoResponse as _, Response};

use super::{ProblemDetails, problem, problems};

/// The answer to a request that a pod's server refuses by itself: its target is no URI, or its body
/// is not what it says.
pub(crate) fn unsound() -> Response {
    let detail = "The request's target is not a URI, or its body is not encoded as it says.";
    problem(&problems::BAD_REQUEST, detail).into_response()
}

/// The answer to a path that no route has.
pub(super) fn not_found() -> ProblemDetails {
    problem(&problems::NOT_FOUND, "There is nothing at this path.")
}

/// The answer to a method that a path does not have. Say in `Allow` which it has; axum says it of the
/// routes that it knows.
pub fn method_not_allowed() -> ProblemDetails {
    let detail = "This path does not support the request's method; see Allow.";
    problem(&problems::METHOD_NOT_ALLOWED, detail)
}
