//! The addresses that are read.

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloud::{Failure, History, OperationId, Operations};
use domain::TaskId;
use http_support::conditional::{etag, is_not_modified};
use http_support::operation::told;
use http_support::page::Cursors;
use http_support::{Authenticator, Path, Problem, Reader};
use runtime::{Clock as _, SystemClock};
use store::{ReadError, Store};

use crate::attachments::{self, Downloads};
use crate::lists::{history, tasks};

/// A task may be kept by its reader and nobody between, and must be asked about each time.
pub(crate) const CACHE_CONTROL: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));

/// What the handlers need.
#[derive(Clone, FromRef)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) history: History,
    pub(crate) operations: Operations,
    pub(crate) cursors: Cursors,
    pub(crate) authenticator: Authenticator,
    pub(crate) clock: SystemClock,
}

/// `GET` of tasks, of a task and its history, and of an operation.
pub(crate) fn router(app: App, downloads: Option<Downloads>) -> Router {
    let attachments = attachments::router(downloads, app.authenticator.clone());
    Router::new()
        .route("/v1/tasks", get(tasks))
        .route("/v1/tasks/{id}", get(task))
        .route("/v1/tasks/{id}/history", get(history))
        .route("/v1/operations/{id}", get(operation))
        .with_state(app)
        .merge(attachments)
}

async fn task(
    Reader(caller): Reader,
    Path(id): Path<TaskId>,
    State(store): State<Store>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let task =
        store.task(&caller.tenant, id).await.map_err(database_away)?.ok_or(Problem::NotFound)?;
    let etag = etag(task.version);
    let not_modified = is_not_modified(&headers, &etag);
    let headers = [(header::ETAG, etag), CACHE_CONTROL];
    if not_modified {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok((headers, [json], task.json).into_response())
}

async fn operation(
    Reader(caller): Reader,
    Path(id): Path<OperationId>,
    State(operations): State<Operations>,
    State(clock): State<SystemClock>,
) -> Result<Response, Problem> {
    let found = operations.get(&caller.tenant, id, clock.now()).await;
    let operation = found.map_err(|failure| tables_away(failure, "the store of operations"))?;
    let operation = operation.ok_or(Problem::NotFound)?;
    Ok(([CACHE_CONTROL], told(operation)).into_response())
}

pub(crate) fn database_away(_: ReadError) -> Problem {
    Problem::DATABASE_AWAY
}

pub(crate) fn tables_away(failure: Failure, what: &'static str) -> Problem {
    match failure {
        Failure::Unavailable(cause) => {
            tracing::warn!(cause, "DynamoDB failed");
            Problem::Unavailable { what, retry_after: 2 }
        }
        refused @ Failure::Refused(_) => Problem::Internal(refused.into()),
    }
}
