//! Bodies: JSON, checked against the contract, with faults that a caller can find.
//!
//! Syntax is answered with 400, line and column; a value that does not fit with 422 and a JSON
//! Pointer. Unknown fields are faults too, where the type denies them.

use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use domain::json::{Fault, parse_object};
use serde::de::DeserializeOwned;

use crate::{FieldError, Problem};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// Extracts a body of the type `application/json`.
///
/// How large a body may be is set around the router, by `runtime`.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

/// Extracts a merge patch (RFC 7396); takes `application/json` for one as well.
#[derive(Clone, Debug)]
pub struct MergePatch<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_of_type(request.headers(), &[JSON]) {
            return Err(Problem::UnsupportedMediaType(JSON));
        }
        read(request, state).await.map(Self)
    }
}

/// Extracts a body that may be left out: none, of any type, is a `T` by default.
#[derive(Clone, Debug)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let typed = is_of_type(request.headers(), &[JSON]);
        let encoded = is_encoded(request.headers());
        let body = bytes(request, state).await?;
        match (body.is_empty(), encoded, typed) {
            (true, _, _) => Ok(Self(T::default())),
            (false, true, _) => Err(Problem::EncodedBody),
            (false, false, false) => Err(Problem::UnsupportedMediaType(JSON)),
            (false, false, true) => parse(&body).map(Self),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MergePatch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_of_type(request.headers(), &[MERGE_PATCH, JSON]) {
            return Err(Problem::UnsupportedMediaType(MERGE_PATCH));
        }
        read(request, state).await.map(Self)
    }
}

/// Parameters, such as `charset`, change nothing: JSON is UTF-8. Who names two types names none.
fn is_of_type(headers: &HeaderMap, accepted: &[&str]) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none());
    only.and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|sent| accepted.iter().any(|name| name.eq_ignore_ascii_case(sent.trim())))
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

async fn read<T: DeserializeOwned, S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<T, Problem> {
    if is_encoded(request.headers()) {
        return Err(Problem::EncodedBody);
    }
    parse(&bytes(request, state).await?)
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Problem::BodyTooLarge
        }
        _ => Problem::UnreadableBody,
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    parse_object(body).map_err(|fault| match fault {
        Fault::Syntax { detail, line, column } => Problem::MalformedBody { detail, line, column },
        Fault::Data { pointer, detail } => Problem::Invalid(vec![FieldError { pointer, detail }]),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::Router;
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use axum::http::StatusCode;
    use axum::routing::{patch, post};
    use http_body_util::Limited;
    use serde::Deserialize;
    use tower::ServiceExt;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Task {
        title: String,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default, rename = "a/b~c")]
        odd: BTreeMap<String, u8>,
    }

    fn field_error(body: &str) -> (String, String) {
        match parse::<Task>(body.as_bytes()) {
            Err(Problem::Invalid(mut errors)) => {
                let error = errors.pop().unwrap();
                (error.pointer, error.detail)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_field_that_does_not_fit_is_pointed_at() {
        let (pointer, detail) = field_error(r#"{"title":"x","tags":["a",7]}"#);
        assert_eq!(pointer, "/tags/1");
        assert_eq!(detail, "invalid type: integer `7`, expected a string");
        assert_eq!(field_error(r#"{"title":"x","a/b~c":{"k":256}}"#).0, "/a~1b~0c/k");
    }

    #[test]
    fn unknown_and_missing_fields_are_named() {
        let (pointer, detail) = field_error(r#"{"title":"x","titel":"y"}"#);
        assert_eq!(pointer, "/titel");
        assert!(detail.starts_with("unknown field `titel`, expected one of"), "{detail}");
        let (pointer, detail) = field_error("{}");
        assert_eq!((pointer.as_str(), detail.as_str()), ("", "missing field `title`"));
    }

    #[test]
    fn syntax_errors_have_their_place() {
        for (body, at) in [
            ("{\n  \"title\": }", (2, 12)),
            ("{", (1, 1)),
            ("", (1, 0)),
            (r#"{"title":"x"} x"#, (1, 15)),
        ] {
            match parse::<Task>(body.as_bytes()) {
                Err(Problem::MalformedBody { line, column, detail }) => {
                    assert_eq!((line, column), at, "{body}");
                    assert!(!detail.contains(" at line "), "{detail}");
                }
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn json_that_nothing_can_hold_is_pointed_at_all_the_same() {
        for value in ["1e999", r#""\ud800""#, r#""\udc00x""#, r#""\ud800x""#] {
            assert_eq!(field_error(&format!(r#"{{"title":{value}}}"#)).0, "/title", "{value}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused_before_it_costs() {
        let body = format!(r#"{{"title":{}"#, "[".repeat(100_000));
        assert!(parse::<serde_json::Value>(body.as_bytes()).is_err());
    }

    fn size(task: &Task) -> String {
        (task.title.len() + task.tags.len() + task.odd.len()).to_string()
    }

    async fn status(path: &str, content_type: &str, body: &str) -> StatusCode {
        let router: Router = Router::new()
            .route("/json", post(|Json(task): Json<Task>| async move { size(&task) }))
            .route(
                "/optional",
                post(|OptionalJson(tags): OptionalJson<Vec<String>>| async move {
                    tags.len().to_string()
                }),
            )
            .route("/patch", patch(|MergePatch(task): MergePatch<Task>| async move { size(&task) }))
            .layer(DefaultBodyLimit::disable());
        let request = Request::builder()
            .method(if path == "/patch" { "PATCH" } else { "POST" })
            .uri(path)
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::new(Limited::new(Body::from(body.to_owned()), 64)));
        router.oneshot(request.unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn only_json_is_json() {
        let body = r#"{"title":"x"}"#;
        assert_eq!(status("/json", "Application/JSON; charset=utf-8", body).await, StatusCode::OK);
        for other in ["text/plain", MERGE_PATCH, "application/jsonp", ""] {
            let status = status("/json", other, body).await;
            assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{other}");
        }
        assert_eq!(status("/patch", MERGE_PATCH, body).await, StatusCode::OK);
        assert_eq!(status("/optional", "text/plain", "").await, StatusCode::OK);
        assert_eq!(
            status("/optional", "text/plain", "x").await,
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        );
        assert_eq!(status("/optional", JSON, "7").await, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(status("/patch", JSON, body).await, StatusCode::OK);
    }

    #[test]
    fn only_identity_is_no_encoding() {
        let encoded = |values: &[&'static str]| {
            let values = values.iter().map(|value| value.parse().unwrap());
            is_encoded(&values.map(|value| (header::CONTENT_ENCODING, value)).collect())
        };
        assert!(!encoded(&[]) && !encoded(&["Identity"]));
        assert!(encoded(&["gzip"]) && encoded(&["identity", "br"]) && encoded(&[""]));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_too_large() {
        let body = format!(r#"{{"title":"{}"}}"#, "x".repeat(64));
        assert_eq!(status("/json", JSON, &body).await, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
