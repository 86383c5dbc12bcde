//! What holds for every request and its response.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::timeout;

use super::problem::Problem;

/// The longest body of a request, in bytes.
const MOST_BODY_BYTES: usize = 64 * 1024;
/// In which a body arrives.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Only our own scripts and styles run, and they reach only us. Texts that a script would have parsed
/// as HTML are refused by the browser (trusted types), in case one ever tries.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Adds the headers that every response has.
pub(super) async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Middleware: bounds the body of a request, and reads it whole before anything else happens.
pub(super) async fn bounded(request: Request, next: Next) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let body = timeout(BODY_TIMEOUT, to_bytes(body, MOST_BODY_BYTES)).await;
    let Ok(Ok(body)) = body else {
        return Err(Problem::bad_request(format!(
            "the body is longer than {MOST_BODY_BYTES} bytes, or does not arrive"
        )));
    };
    Ok(next.run(Request::from_parts(head, Body::from(body))).await)
}
