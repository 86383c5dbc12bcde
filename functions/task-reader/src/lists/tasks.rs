//! The tasks of a tenant, filtered and sorted.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use domain::{Assignee, DueDate, Priority, Status, Tag, Task, Timestamp, timestamp};
use http_support::page::{Cursor, Limit};
use http_support::{Headers, Problem, Query, Reader};
use runtime::http::LogField;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use store::{Filter, Sort, TitleText};
use uuid::Uuid;

use super::answer;
use crate::answers::read_failed;
use crate::freshness::freshness;
use crate::routes::App;

/// Which tasks, in which order, how many, and from where. A task fits all filters that are given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Only tasks in this state.
    #[schemars(example = &"open")]
    status: Option<Status>,
    /// Only tasks to be done by this one.
    #[schemars(example = &"ann@example.org")]
    assignee: Option<Assignee>,
    /// Only tasks with this among their tags.
    #[schemars(example = &"home")]
    tag: Option<Tag>,
    /// Only tasks that are this urgent.
    #[schemars(example = &"high")]
    priority: Option<Priority>,
    /// Only tasks due on an earlier day.
    #[schemars(example = &"2026-03-01")]
    due_before: Option<DueDate>,
    /// Only tasks due on a later day.
    #[schemars(example = &"2026-01-31")]
    due_after: Option<DueDate>,
    /// Only tasks that were last changed then or later. To poll for changes, send the greatest
    /// `updated_at` seen so far less five minutes, and skip what is known at that `version`: a
    /// write is seen when it commits, up to 125 seconds after its `updated_at`, and the clocks of the
    /// hosts that write may differ by up to two minutes. Deleted tasks are in no list; facts include
    /// them.
    #[serde(default, deserialize_with = "time")]
    #[schemars(example = &"2026-01-31T09:30:00.000000Z")]
    updated_since: Option<Timestamp>,
    /// Only tasks with this text in the title, in upper or lower case. A text with three letters or
    /// digits in a row is found anywhere, a shorter one, such as `QA`, where it stands as whole words.
    /// Letters of Chinese, Japanese and Korean are found anywhere, and end the words of other scripts.
    /// A text needs a letter or digit.
    #[schemars(example = &"plants")]
    title: Option<TitleText>,
    /// By what the tasks are sorted, with `-` before it for the greatest first; tasks that are equal
    /// in it, by their identifiers. Tasks without a due date come last.
    #[serde(default)]
    #[schemars(example = &"-due")]
    sort: Sort,
    /// Most tasks on the page. It may have fewer where there is a next page: their JSON has no more than
    /// 512 KiB. Only the absence of `next` says that a page is the last.
    #[serde(default)]
    #[schemars(example = 20)]
    limit: Limit,
    /// Where the page begins: the cursor of `next`.
    #[schemars(example = &"MkT5")]
    cursor: Option<Cursor>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Task")]
pub(crate) struct Tasks {
    /// In the order of the list.
    #[schemars(with = "Vec<Task>")]
    tasks: Box<RawValue>,
    /// The identifiers of tasks that belong on the page and could not be read, for a fault of ours.
    /// Absent as a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<Uuid>,
}

pub(crate) async fn tasks(
    Reader(caller): Reader,
    Query(parameters): Query<Parameters>,
    State(app): State<Arc<App>>,
    Headers(headers): Headers,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let list = app.cursors.list(&caller.tenant, &uri);
    let start = match &parameters.cursor {
        Some(cursor) => list.position(cursor)?,
        None => parameters.sort.into(),
    };
    let limit = parameters.limit.get();
    let (filter, freshness) = (parameters.into(), freshness(&headers));
    let found = app.store.page(&caller.tenant, &filter, start, limit, freshness).await;
    let (page, source) = found.map_err(read_failed)?;
    LogField::Cache.log(source.as_str());
    answer(&list, &headers, Tasks { tasks: page.tasks, unreadable: page.unreadable }, page.next)
}

impl From<Parameters> for Filter {
    fn from(parameters: Parameters) -> Self {
        Self {
            status: parameters.status,
            assignee: parameters.assignee,
            tag: parameters.tag,
            priority: parameters.priority,
            due_before: parameters.due_before,
            due_after: parameters.due_after,
            updated_since: parameters.updated_since,
            title: parameters.title,
        }
    }
}

/// Strictly RFC 3339: other spellings name years that PostgreSQL does not know.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let time = timestamp(&String::deserialize(deserializer)?);
    time.map(Some).ok_or(D::Error::custom(
        "expected a time as in RFC 3339, such as 2026-01-31T09:30:00Z, with `+` as `%2B`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Parameters, String> {
        Query::from_uri(&format!("/v1/tasks?{query}").parse().unwrap())
            .map(|Query(parameters)| parameters)
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn every_filter_is_taken() {
        let query = "status=open&assignee=ann%40example.org&tag=home&priority=high\
            &due_before=2026-02-01&due_after=2026-01-01&title=100%25\
            &updated_since=2026-01-31T09:30:00%2B01:00&sort=-due&limit=7";
        let filter = Filter::from(parse(&query.replace("100%25", "100%25+sure")).unwrap());
        let expected = Filter {
            status: Some(Status::Open),
            assignee: Some("ann@example.org".parse().unwrap()),
            tag: Some("home".parse().unwrap()),
            priority: Some(Priority::High),
            due_before: Some("2026-02-01".parse().unwrap()),
            due_after: Some("2026-01-01".parse().unwrap()),
            updated_since: Some("2026-01-31T08:30:00Z".parse().unwrap()),
            title: Some("100% sure".to_owned().try_into().unwrap()),
        };
        assert_eq!(filter, expected);
    }

    #[test]
    fn a_value_that_no_task_could_have_is_refused_by_name() {
        for bad in [
            "status=done",
            "assignee=",
            "tag=Home",
            "priority=1",
            "due_before=2026-02-30",
            "due_after=2026-02-01T00:00:00Z",
            "updated_since=2026-01-31",
            "updated_since=2026-01-31T09:30:00+01:00",
            "updated_since=2026-01-31%2009:30:00Z",
            "updated_since=-262144-01-01T00:00:00Z",
            "updated_since=2026-01-31T09:30:00%E2%88%9201:00",
            "updated_since=2026-01-31T09:30:60Z",
            "title=%25%25%25",
            "sort=title",
            "colour=red",
        ] {
            let (name, _) = bad.split_once('=').unwrap();
            let problem = parse(bad).err().unwrap();
            assert!(problem.starts_with(&format!("Parameter `{name}`: ")), "{problem}");
        }
    }
}
