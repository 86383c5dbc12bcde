//! What is read in pages.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use cloud::{Entry, History};
use domain::{Task, TaskId, Version};
use http_support::page::{Cursor, Limit, next_link};
use http_support::{Path, Problem, Query, Reader};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::routes::{CACHE_CONTROL, database_away, tables_away};

/// How many, and from where.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "T: serde::de::DeserializeOwned")]
pub(crate) struct Page<T> {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor<T>>,
}

/// A page of tasks. The header `Link` leads to the next one.
#[derive(Serialize)]
struct TaskList {
    tasks: Vec<Task>,
}

/// A page of a task's history, the newest first. The header `Link` leads to the next one.
#[derive(Serialize)]
struct HistoryList {
    history: Vec<Entry>,
}

pub(crate) async fn tasks(
    Reader(caller): Reader,
    Query(page): Query<Page<TaskId>>,
    State(store): State<Store>,
    uri: Uri,
) -> Result<Response, Problem> {
    let before = page.cursor.map(|Cursor(id)| id);
    let found = store
        .tasks(&caller.tenant, page.limit.get().into(), before)
        .await
        .map_err(database_away)?;
    answer(&uri, found.next, TaskList { tasks: found.tasks })
}

/// A task that was deleted still has its history; one that never was has none.
pub(crate) async fn history(
    Reader(caller): Reader,
    Path(id): Path<TaskId>,
    Query(page): Query<Page<Version>>,
    State(history): State<History>,
    uri: Uri,
) -> Result<Response, Problem> {
    let before = page.cursor.map(|Cursor(version)| version);
    let found = history
        .page(&caller.tenant, id, page.limit.get(), before)
        .await
        .map_err(|failure| tables_away(failure, "the history"))?;
    if found.entries.is_empty() && before.is_none() {
        return Err(Problem::NotFound);
    }
    answer(&uri, found.next, HistoryList { history: found.entries })
}

fn answer<T: Serialize>(
    uri: &Uri,
    next: Option<T>,
    list: impl Serialize,
) -> Result<Response, Problem> {
    let next = next.map(|position| next_link(uri, &Cursor(position))).transpose()?;
    Ok(([CACHE_CONTROL], HeaderMap::from_iter(next), Json(list)).into_response())
}
