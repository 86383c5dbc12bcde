//! What is read in pages.

mod history;
mod tasks;

use axum::Json;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use http_support::Problem;
use http_support::page::{List, Next};
use serde::Serialize;

pub(crate) use self::history::history;
pub(crate) use self::tasks::tasks;
use crate::routes::CACHE_CONTROL;

/// A page. The header `Link` leads to the next one, too.
#[derive(Serialize)]
struct Page<T> {
    #[serde(flatten)]
    elements: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// Answers with a page of `list`, and where the next one is if it begins at `next`.
fn answer<T: Serialize>(
    list: &List<'_>,
    elements: impl Serialize,
    next: Option<T>,
) -> Result<Response, Problem> {
    let next = next.map(|position| list.next(&position)).transpose()?;
    let link = next.as_ref().map(Next::link).transpose()?;
    let page = Json(Page { elements, next });
    Ok(([CACHE_CONTROL], HeaderMap::from_iter(link), page).into_response())
}
