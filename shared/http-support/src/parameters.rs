//! Parameters in the query and in the path, with problems that name the one at fault.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt::Display;
use std::mem::take;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::Problem;

/// Extracts the query. Whoever misspells a filter must not get an unfiltered list, so `T` should
/// deny unknown fields.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> Query<T> {
    /// Parses the query of an address. A parameter may be given once.
    pub fn from_uri(uri: &Uri) -> Result<Self, Problem> {
        let pairs = || form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut seen = HashSet::new();
        if let Some((name, _)) = pairs().find(|(name, _)| !seen.insert(name.clone())) {
            return Err(invalid(&name, "given more than once"));
        }
        let deserializer = serde_urlencoded::Deserializer::new(pairs());
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            match error.path().iter().next_back() {
                Some(Segment::Map { key }) => invalid(key, error.inner()),
                _ => invalid("query", error.inner()),
            }
        })
    }
}

fn invalid(name: &str, detail: impl Display) -> Problem {
    Problem::InvalidParameter { name: name.to_owned(), detail: detail.to_string() }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_uri(&parts.uri)
    }
}

/// Extracts the only parameter of the path, such as `{id}`.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: FromStr<Err: Display>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = path(parts, state).await?;
        parse(parameters.iter().next()).map(Self)
    }
}

/// Extracts the two parameters of the path, such as `{id}` and `{attachment}`, in their order.
#[derive(Clone, Copy, Debug)]
pub struct PathPair<T, U>(pub T, pub U);

impl<T, U, S> FromRequestParts<S> for PathPair<T, U>
where
    T: FromStr<Err: Display>,
    U: FromStr<Err: Display>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = path(parts, state).await?;
        let mut parameters = parameters.iter();
        Ok(Self(parse(parameters.next())?, parse(parameters.next())?))
    }
}

/// Takes the request's headers; an extractor after it finds none. `HeaderMap` copies them.
#[derive(Clone, Debug)]
pub struct Headers(pub HeaderMap);

impl<S: Send + Sync> FromRequestParts<S> for Headers {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(take(&mut parts.headers)))
    }
}

/// What is not UTF-8 names nothing.
async fn path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Problem> {
    RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::NotFound)
}

fn parse<T: FromStr<Err: Display>>(parameter: Option<(&str, &str)>) -> Result<T, Problem> {
    let (name, text) = parameter.ok_or(Problem::NotFound)?;
    text.parse().map_err(|error: T::Err| invalid(name, error))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use domain::TaskId;
    use http_body_util::BodyExt;
    use serde::Deserialize;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        status: Option<String>,
        assignee: Option<String>,
    }

    async fn get_json(uri: &str) -> (StatusCode, Value) {
        let list = |Query(filter): Query<Filter>| async move {
            format!("{:?}", [filter.status, filter.assignee])
        };
        let router: Router = Router::new()
            .route("/tasks", get(list))
            .route("/tasks/{id}", get(|Path(id): Path<TaskId>| async move { id.to_string() }))
            .route("/tasks/{id}/{page}", get(async |PathPair(_, _): PathPair<TaskId, u8>| ()));
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn an_unknown_or_repeated_parameter_is_named() {
        assert_eq!(get_json("/tasks?status=open").await.0, StatusCode::OK);
        for (uri, name) in [
            ("/tasks?statsu=open", "statsu"),
            ("/tasks?status=open&status=done", "status"),
            ("/tasks?a%20b", "a b"),
        ] {
            let (status, problem) = get_json(uri).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{uri}");
            assert_eq!(problem["parameter"], name, "{problem}");
        }
    }

    #[tokio::test]
    async fn a_malformed_identifier_is_explained() {
        let good = "/tasks/0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10";
        assert_eq!(get_json(good).await.0, StatusCode::OK);
        let (status, problem) = get_json("/tasks/42").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(problem["parameter"], "id");
        assert!(problem["detail"].as_str().unwrap().contains("UUID of version 7"), "{problem}");
        assert_eq!(get_json("/tasks/%ff").await.0, StatusCode::NOT_FOUND);

        assert_eq!(get_json(&format!("{good}/7")).await.0, StatusCode::OK);
        for (uri, name) in [(format!("{good}/x"), "page"), ("/tasks/42/7".to_owned(), "id")] {
            assert_eq!(get_json(&uri).await.1["parameter"], name, "{uri}");
        }
    }
}
