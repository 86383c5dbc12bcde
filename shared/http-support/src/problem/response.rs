//! A problem on the wire: extension members and headers around the document that `runtime` gives
//! to every error.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime::http::{RequestId, problem};
use serde_json::{Map, Value, json};

use super::Problem;
use crate::NO_STORE;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log_if_ours();
        let (name, value) = NO_STORE;
        let mut response = self.details().header(name, value);
        if let Some((name, value)) = self.header() {
            response = response.header(name, value);
        }
        response.into_response()
    }
}

impl Problem {
    /// The document (RFC 9457), as a part of another one.
    #[must_use]
    pub fn document(&self) -> Map<String, Value> {
        self.details().into_document()
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind().status
    }

    fn details(&self) -> runtime::http::ProblemDetails {
        let details = problem(self.kind(), self.to_string());
        self.members().into_iter().fold(details, |details, (name, value)| details.with(name, value))
    }

    /// Logs a fault of ours, under the id that the caller gets. A problem that is a whole answer is
    /// logged when it becomes one.
    pub fn log_if_ours(&self) {
        let id = RequestId::current();
        let request_id = id.as_ref().map(RequestId::as_str);
        match self {
            Self::Internal(error) => {
                tracing::error!(
                    request_id,
                    error = format!("{error:#}"),
                    "request failed: {error:#}"
                );
            }
            Self::Unavailable { what, cause, .. } => {
                let cause = format!("{cause:#}");
                tracing::warn!(request_id, what, cause, "request failed: {what} is not available");
            }
            _ => {}
        }
    }

    fn members(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::InvalidParameter { name, .. } => vec![("parameter", json!(name))],
            Self::InvalidHeader { name, .. } => vec![("header", json!(name))],
            Self::MalformedBody { line, column, .. } => {
                vec![("line", json!(line)), ("column", json!(column))]
            }
            Self::Invalid(errors) => vec![("errors", json!(errors))],
            Self::PreconditionFailed { actual: Some(version) } => vec![("actual", json!(version))],
            // As draft-ietf-httpapi-ratelimit-headers names it.
            Self::RateLimited { policies, .. } => vec![("violated-policies", json!(policies))],
            _ => Vec::new(),
        }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unavailable { retry_after, .. } => {
                Some((header::RETRY_AFTER, (*retry_after).into()))
            }
            Self::RateLimited { retry_after, .. } => {
                Some((header::RETRY_AFTER, (*retry_after).into()))
            }
            Self::IdempotencyKeyInFlight => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("1")))
            }
            // What RFC 9110, section 12.5.3, wants of this 415.
            Self::EncodedBody => {
                Some((header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
            }
            _ => Some((header::WWW_AUTHENTICATE, self.challenge()?.try_into().ok()?)),
        }
    }

    /// The `WWW-Authenticate` challenge (RFC 6750, section 3): without an error code for a caller
    /// who did not try.
    fn challenge(&self) -> Option<String> {
        const REALM: &str = r#"Bearer realm="task-app""#;
        match self {
            Self::Unauthenticated => Some(REALM.to_owned()),
            Self::InvalidToken(why) => {
                Some(format!(r#"{REALM}, error="invalid_token", error_description="{why}""#))
            }
            Self::InsufficientScope(scope) => {
                Some(format!(r#"{REALM}, error="insufficient_scope", scope="{scope}""#))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, StatusCode};
    use http_body_util::BodyExt;

    use super::*;
    use crate::FieldError;

    async fn document(problem: Problem) -> (StatusCode, HeaderMap, Value) {
        let (parts, body) = problem.into_response().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_problem_is_a_problem_document() {
        let error = FieldError { pointer: "/title".into(), detail: "too long".into() };
        let (status, headers, body) = document(Problem::Invalid(vec![error])).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        let expected = json!({
            "type": "urn:problem:invalid-body",
            "title": "Invalid body",
            "status": 422,
            "detail": "The body does not fit the contract; `errors` says where.",
            "errors": [{ "pointer": "/title", "detail": "too long" }],
        });
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn an_internal_error_shows_no_insides() {
        let error = anyhow::anyhow!("password=hunter2").context("relation tasks");
        let (status, _, body) = document(Problem::Internal(error)).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        let text = body.to_string();
        assert!(!text.contains("hunter2") && !text.contains("relation"), "{text}");
    }

    #[tokio::test]
    async fn headers_let_clients_act() {
        let (_, headers, _) = document(Problem::Unauthenticated).await;
        assert_eq!(headers[header::WWW_AUTHENTICATE], r#"Bearer realm="task-app""#);
        let (_, headers, _) = document(Problem::InvalidToken("it expired")).await;
        assert_eq!(
            headers[header::WWW_AUTHENTICATE],
            r#"Bearer realm="task-app", error="invalid_token", error_description="it expired""#
        );
        let (_, headers, _) = document(Problem::InsufficientScope("tasks:write".to_owned())).await;
        assert_eq!(
            headers[header::WWW_AUTHENTICATE],
            r#"Bearer realm="task-app", error="insufficient_scope", scope="tasks:write""#
        );
        let unavailable = Problem::unavailable("the store", anyhow::anyhow!("refused by 10.0.0.7"));
        let (status, headers, body) = document(unavailable).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers[header::RETRY_AFTER], "2");
        assert!(!body.to_string().contains("10.0.0.7"), "{body}");
    }

    #[tokio::test]
    async fn refusals_become_problems() {
        use domain::Refusal;
        let conflict = Refusal::VersionConflict { expected: 3, actual: 4 };
        let (status, _, body) = document(conflict.into()).await;
        assert_eq!(status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(body["actual"], 4);
        for (refusal, status) in [
            (Refusal::TaskNotFound, StatusCode::NOT_FOUND),
            (Refusal::TaskAlreadyExists, StatusCode::CONFLICT),
            (Refusal::TaskAlreadyCompleted, StatusCode::CONFLICT),
            (Refusal::TooManyTags, StatusCode::CONFLICT),
        ] {
            assert_eq!(Problem::from(refusal).into_response().status(), status);
        }
    }
}
