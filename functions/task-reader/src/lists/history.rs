//! The history of a task.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use domain::{TaskId, Version};
use http_support::page::{Cursor, Limit};
use http_support::{Headers, Path, Problem, Query, Reader};
use records::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer;
use crate::answers::tables_failed;
use crate::routes::App;

/// How many, and from where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Most entries on the page. It may have fewer where there is a next page: their JSON has no more
    /// than 512 KiB. Only the absence of `next` says that a page is the last.
    #[serde(default)]
    #[schemars(example = 20)]
    limit: Limit,
    /// Where the page begins: the cursor of `next`.
    #[schemars(example = &"MkT5")]
    cursor: Option<Cursor>,
}

/// The newest entries first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "History")]
pub(crate) struct Entries {
    /// The newest first.
    history: Vec<Entry>,
    /// The versions that belong on the page and could not be read, for a fault of ours. Absent as a
    /// rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<Version>,
}

/// A task that was deleted still has its history; one that never was has none.
pub(crate) async fn history(
    Reader(caller): Reader,
    Path(id): Path<TaskId>,
    Query(parameters): Query<Parameters>,
    State(app): State<Arc<App>>,
    Headers(headers): Headers,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let list = app.cursors.list(&caller.tenant, &uri);
    let before: Option<Version> =
        parameters.cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let found = app
        .history
        .page(&caller.tenant, id, parameters.limit.get(), before)
        .await
        .map_err(|failure| tables_failed(failure, "the history"))?;
    if found.entries.is_empty() && found.unreadable.is_empty() && before.is_none() {
        return Err(Problem::NotFound);
    }
    answer(
        &list,
        &headers,
        Entries { history: found.entries, unreadable: found.unreadable },
        found.next,
    )
}
