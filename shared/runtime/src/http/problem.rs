//! RFC 9457 problem details: the shape of every error.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::{ProblemType, RequestId};

/// The content type of problem details.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// An error response. Members and headers can be added; `request_id` adds itself.
#[derive(Debug, Clone)]
#[must_use]
pub struct ProblemDetails {
    status: StatusCode,
    headers: HeaderMap,
    members: Map<String, Value>,
}

/// A problem of a type. `detail` describes to the client this occurrence, and nothing about our
/// insides.
pub fn problem(kind: &ProblemType, detail: impl Into<String>) -> ProblemDetails {
    let members = [
        ("type", Value::from(kind.urn())),
        ("title", kind.title.into()),
        ("status", kind.status.as_u16().into()),
        ("detail", detail.into().into()),
    ];
    let members = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    ProblemDetails { status: kind.status, headers: HeaderMap::new(), members }
}

impl ProblemDetails {
    /// Adds an extension member, such as `errors`.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a response header, such as `Retry-After`.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The document itself, as a part of another one. It has no `request_id`.
    #[must_use]
    pub fn into_document(self) -> Map<String, Value> {
        self.members
    }

    /// The response's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(mut self) -> Response {
        if let Some(id) = RequestId::current() {
            self.members.insert("request_id".to_owned(), id.as_str().into());
        }
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        let body = Body::from(Value::Object(self.members).to_string());
        (self.status, self.headers, body).into_response()
    }
}
