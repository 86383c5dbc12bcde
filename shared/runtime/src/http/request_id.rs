//! The name by which a client, a log line and an error speak of one request.

use std::sync::Arc;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Response,
};
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LENGTH: usize = 64;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// A request's id: the client's `x-request-id` if that is a token of 1 to 64 letters, digits,
/// `-`, `_`, `.` and `=`, else a new UUID. In a Lambda the gateway's id, or the invocation's, comes
/// before a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id of the request that the current task serves, if it serves one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names a request that has no sane id by the first sane one of these.
    pub(crate) fn suggest(headers: &mut HeaderMap, ids: &[Option<&str>]) {
        let sane = ids.iter().flatten().find(|id| is_sane(id));
        if let (None, Some(id)) = (given(headers), sane)
            && let Ok(value) = HeaderValue::from_str(id)
        {
            headers.insert(HEADER, value);
        }
    }

    fn of(headers: &HeaderMap) -> Self {
        let id = given(headers).map(Arc::from);
        Self(id.unwrap_or_else(|| {
            let mut text = Uuid::encode_buffer();
            Arc::from(&*Uuid::new_v4().hyphenated().encode_lower(&mut text))
        }))
    }
}

fn given(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER)?.to_str().ok().filter(|id| is_sane(id))
}

/// Whatever is not is replaced, for it goes into logs and headers.
fn is_sane(id: &str) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.=".contains(&byte))
}

/// Middleware: gives the request its id, and the response the same.
pub(super) async fn assign<F: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let id = RequestId::of(request.headers());
    let mut response = CURRENT.scope(id.clone(), next(request)).await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
