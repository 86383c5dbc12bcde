//! The addresses that are read.

use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use domain::{Task, TaskId};
use http_support::conditional::{etag, is_not_modified};
use http_support::page::{Cursor, Limit, next_link};
use http_support::{Authenticator, Path, Problem, Query, Reader};
use serde::{Deserialize, Serialize};
use store::{ReadError, Store};

/// A task may be kept by its reader and nobody between, and must be asked about each time.
const CACHE_CONTROL: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));

#[derive(Clone, FromRef)]
struct App {
    store: Store,
    authenticator: Authenticator,
}

/// `GET /v1/tasks/{id}` and `GET /v1/tasks`.
pub(crate) fn router(store: Store, authenticator: Authenticator) -> Router {
    Router::new()
        .route("/v1/tasks", get(list))
        .route("/v1/tasks/{id}", get(one))
        .with_state(App { store, authenticator })
}

async fn one(
    Reader(caller): Reader,
    Path(id): Path<TaskId>,
    State(store): State<Store>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let task =
        store.task(&caller.tenant, id).await.map_err(unavailable)?.ok_or(Problem::NotFound)?;
    let etag = etag(task.version);
    let not_modified = is_not_modified(&headers, &etag);
    let headers = [(header::ETAG, etag), CACHE_CONTROL];
    if not_modified {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok((headers, [json], task.json).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParameters {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor<TaskId>>,
}

/// A page of tasks. The header `Link` leads to the next one.
#[derive(Serialize)]
struct TaskList {
    tasks: Vec<Task>,
}

async fn list(
    Reader(caller): Reader,
    Query(parameters): Query<ListParameters>,
    State(store): State<Store>,
    uri: Uri,
) -> Result<Response, Problem> {
    let before = parameters.cursor.map(|Cursor(id)| id);
    let page = store
        .tasks(&caller.tenant, parameters.limit.get().into(), before)
        .await
        .map_err(unavailable)?;
    let next = page.next.map(|id| next_link(&uri, &Cursor(id))).transpose()?;
    let headers = HeaderMap::from_iter(next);
    Ok(([CACHE_CONTROL], headers, Json(TaskList { tasks: page.tasks })).into_response())
}

fn unavailable(_: ReadError) -> Problem {
    Problem::DATABASE_AWAY
}
