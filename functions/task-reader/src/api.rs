//! What the operations do, for those who read the contract. What they take, and the problems that
//! come of it, their handlers' arguments say.

use axum::http::StatusCode;
use http_support::contract::{
    Answer, CACHE_CONTROL, ETAG, LINK, Operation, RETRY_AFTER, accepts, answers, cache_control,
    examples, fails, if_none_match,
};
use http_support::operation;
use http_support::problems::{NOT_FOUND, UNAVAILABLE};
use serde_json::json;

use crate::attachments::{AttachmentList, Download};
use crate::lists::{HistoryPage, TaskPage};

const ID: [(&str, &str); 1] = [("id", "$request.path.id")];

/// Not sent again to a caller who has it.
fn unless_known(operation: Operation<'_>) -> Operation<'_> {
    let unchanged = Answer::new(StatusCode::NOT_MODIFIED, "The caller has it as it is.")
        .header(ETAG)
        .header(CACHE_CONTROL);
    operation.with(accepts(if_none_match)).with(answers(unchanged))
}

pub(crate) fn list_tasks(operation: Operation<'_>) -> Operation<'_> {
    let page = json!({
        "tasks": [examples::task()],
        "next": "/v1/tasks?status=open&cursor=MkT5",
    });
    let page = Answer::new(StatusCode::OK, "A page of the tasks that fit all filters.")
        .json::<TaskPage>(page)
        .header(ETAG)
        .header(CACHE_CONTROL)
        .header(LINK.if_any())
        .then("getTask", &[("id", "$response.body#/tasks/0/id")]);
    operation
        .id("listTasks")
        .tag("Tasks")
        .summary("List tasks")
        .description(
            "The tenant's tasks that fit every filter that is given. A page begins after the task \
             that the page before ended with: what others write meanwhile neither repeats nor skips \
             what keeps its place. It may miss as much as the answer of `getTask`, and as little. A task \
             that cannot be read, for a fault of ours, is named in `unreadable`, and the others are \
             answered.",
        )
        .with(accepts(cache_control))
        .with(answers(page))
        .with(unless_known)
        .with(fails(&[UNAVAILABLE]))
}

pub(crate) fn get_task(operation: Operation<'_>) -> Operation<'_> {
    let task = Answer::new(StatusCode::OK, "The task.")
        .json::<domain::Task>(examples::task())
        .header(ETAG)
        .header(CACHE_CONTROL)
        .then("listHistory", &ID)
        .then("listAttachments", &ID)
        .then("updateTask", &[("id", "$request.path.id"), ("If-Match", "$response.header.ETag")]);
    operation
        .id("getTask")
        .tag("Tasks")
        .summary("Read a task")
        .description(
            "The task as it was a moment ago: as a rule some milliseconds, and never more than 10 \
             seconds (or what the operator set), whatever fails. With `Cache-Control: no-cache`, as \
             every write left it that was answered before.",
        )
        .with(accepts(cache_control))
        .with(answers(task))
        .with(unless_known)
        .with(fails(&[UNAVAILABLE]))
}

pub(crate) fn list_history(operation: Operation<'_>) -> Operation<'_> {
    let page = json!({
        "history": [{
            "version": 3,
            "type": "dev.task-app.task.assigned.v1",
            "time": "2026-01-31T10:00:00.000000Z",
            "task": examples::task(),
        }],
    });
    let page = Answer::new(StatusCode::OK, "A page of the task's versions, the newest first.")
        .json::<HistoryPage>(page)
        .header(ETAG)
        .header(CACHE_CONTROL)
        .header(LINK.if_any());
    operation
        .id("listHistory")
        .tag("History")
        .summary("List a task's versions")
        .description(
            "Every version that the task ever had, also after it was deleted. An entry arrives a \
             moment after the write that made it, and `Cache-Control` does not change that: the \
             history is never read from a cache.",
        )
        .with(answers(page))
        .with(unless_known)
        .with(fails(&[UNAVAILABLE]))
}

pub(crate) fn get_operation(operation: Operation<'_>) -> Operation<'_> {
    let current = Answer::new(StatusCode::OK, "The operation; `status` is its outcome.")
        .json::<operation::Document>(json!({
            "id": "7d5e9c1f0a3b4c6d8e2f1a0b9c8d7e6f",
            "status": "succeeded",
            "task": examples::TASK_ID,
            "accepted_at": "2026-01-31T09:30:00.000000Z",
            "location": format!("/v1/tasks/{}", examples::TASK_ID),
            "version": 1,
        }))
        .header(CACHE_CONTROL)
        .header(RETRY_AFTER.if_any())
        .then("getTask", &[("id", "$response.body#/task")]);
    operation
        .id("getOperation")
        .tag("Operations")
        .summary("Get the outcome of a write")
        .description(
            "Of a write that was accepted with `Prefer: respond-async`. While there is no outcome, \
             it, `Retry-After` says when to poll again. Operations expire after a week.",
        )
        .with(answers(current))
        .with(fails(&[UNAVAILABLE]))
}

pub(crate) fn list_attachments(operation: Operation<'_>) -> Operation<'_> {
    let list = Answer::new(StatusCode::OK, "All attachments of the task.")
        .json::<AttachmentList>(json!({ "attachments": [examples::attachment("pending", None)] }))
        .header(CACHE_CONTROL);
    operation
        .id("listAttachments")
        .tag("Attachments")
        .summary("List a task's attachments")
        .description("All of them on one page: there are at most 20.")
        .with(accepts(cache_control))
        .with(answers(list))
        .with(fails(&[UNAVAILABLE]))
}

pub(crate) fn get_attachment(operation: Operation<'_>) -> Operation<'_> {
    let request = json!({
        "method": "GET",
        "url": "https://bucket.example/attachments/acme?X-Amz-Signature=5e1f",
        "expires_at": "2026-01-31T09:35:00.000000Z",
    });
    let available = examples::attachment("available", Some(("download", request)));
    let attachment = Answer::new(StatusCode::OK, "The attachment.")
        .json::<Download>(available)
        .header(CACHE_CONTROL);
    operation
        .id("getAttachment")
        .tag("Attachments")
        .summary("Read an attachment")
        .description(
            "What is known of the file and, once it is available, a signed request that fetches it. \
             Whoever holds its URL can fetch the file until it expires.",
        )
        .with(answers(attachment))
        .with(fails(&[NOT_FOUND, UNAVAILABLE]))
}
