//! What is read in pages.

mod history;
mod tasks;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_support::conditional::{is_not_modified, weak_etag};
use http_support::page::{List, Next};
use http_support::{Problem, VARY};
use schemars::JsonSchema;
use serde::Serialize;

use self::history::Entries;
pub(crate) use self::history::history;
use self::tasks::Tasks;
pub(crate) use self::tasks::tasks;
use crate::answers::CACHE_CONTROL;

/// A page. The header `Link` leads to the next one, too.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    #[serde(flatten)]
    elements: T,
    /// Where the next page is, if there is one: a path with a query.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// A page of tasks.
pub(crate) type TaskPage = Page<Tasks>;
/// A page of a task's history.
pub(crate) type HistoryPage = Page<Entries>;

/// Answers with a page of `list`, and where the next one is if it begins at `next`; with 304 if the
/// caller, by the `headers` of the request, has it.
fn answer<T: Serialize>(
    list: &List<'_>,
    headers: &HeaderMap,
    elements: impl Serialize,
    next: Option<T>,
) -> Result<Response, Problem> {
    let next = next.map(|position| list.next(&position)).transpose()?;
    let link = next.as_ref().map(Next::link).transpose()?;
    let page = serde_json::to_vec(&Page { elements, next }).map_err(anyhow::Error::from)?;
    let etag = weak_etag(&page);
    let not_modified = is_not_modified(headers, &etag);
    let headers = [(header::ETAG, etag), CACHE_CONTROL, VARY];
    if not_modified {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok((headers, [json], HeaderMap::from_iter(link), page).into_response())
}
