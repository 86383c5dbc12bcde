//! The addresses that are read.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::TaskId;
use http_support::conditional::{etag, is_not_modified};
use http_support::contract::Verb::Get;
use http_support::contract::{self, Routes};
use http_support::operation::current;
use http_support::page::Cursors;
use http_support::{Guard, Headers, Path, Problem, Reader};
use rate_limits::Class;
use records::{History, OperationId, Operations};
use runtime::http::LogField;
use runtime::{Clock as _, SystemClock};
use store::Store;

use crate::answers::{CACHE_CONTROL, read_failed, tables_failed};
use crate::api;
use crate::attachments::{self, Downloads};
use crate::freshness::freshness;
use crate::lists::{history, tasks};

/// What the handlers need.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) history: History,
    pub(crate) operations: Operations,
    pub(crate) cursors: Cursors,
    pub(crate) clock: SystemClock,
}

/// What is read in pages.
pub(crate) fn lists<R: Routes<Arc<App>>>(routes: R) -> R {
    let routes = routes.operation(Get, "/v1/tasks", tasks, api::list_tasks);
    routes.operation(Get, "/v1/tasks/{id}/history", history, api::list_history)
}

/// What is read one at a time.
pub(crate) fn reads<R: Routes<Arc<App>>>(routes: R) -> R {
    let routes = routes.operation(Get, "/v1/tasks/{id}", task, api::get_task);
    routes.operation(Get, "/v1/operations/{id}", operation, api::get_operation)
}

/// Everything that is read, and the contract that describes it.
pub(crate) fn router(app: App, downloads: Option<Downloads>, guard: &Guard) -> Router {
    let router = guard
        .before(Class::Read, reads(Router::new()))
        .merge(guard.before(Class::List, lists(Router::new())))
        .with_state(Arc::new(app))
        .merge(attachment_router(downloads, guard))
        .merge(contract::router());
    contract::refuse_other_methods(router, contract::TASKS)
}

/// Attachments that are listed.
pub(crate) fn attachment_lists<R: Routes<Downloads>>(routes: R) -> R {
    routes.operation(Get, "/v1/tasks/{id}/attachments", attachments::list, api::list_attachments)
}

/// Attachments that are read one at a time.
pub(crate) fn attachment_reads<R: Routes<Downloads>>(routes: R) -> R {
    let path = "/v1/tasks/{id}/attachments/{attachment}";
    routes.operation(Get, path, attachments::one, api::get_attachment)
}

/// A task's attachments, and one of them; nothing without a bucket.
fn attachment_router(downloads: Option<Downloads>, guard: &Guard) -> Router {
    let Some(downloads) = downloads else { return Router::new() };
    let router = guard
        .before(Class::Read, attachment_reads(Router::new()))
        .merge(guard.before(Class::List, attachment_lists(Router::new())))
        .with_state(downloads);
    contract::refuse_other_methods(router, contract::ATTACHMENTS)
}

async fn task(
    Reader(caller): Reader,
    Path(id): Path<TaskId>,
    State(app): State<Arc<App>>,
    Headers(headers): Headers,
) -> Result<Response, Problem> {
    let found = app.store.read(&caller.tenant, id, freshness(&headers)).await;
    let (task, source) = found.map_err(read_failed)?;
    LogField::Cache.log(source.as_str());
    let task = task.ok_or(Problem::NotFound)?;
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
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let found = app.operations.get(&caller.tenant, id, app.clock.now()).await;
    let operation = found.map_err(|failure| tables_failed(failure, "the store of operations"))?;
    let operation = operation.ok_or(Problem::NotFound)?;
    Ok(([CACHE_CONTROL], current(operation)).into_response())
}
