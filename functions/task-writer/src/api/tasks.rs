//! Tasks: created, changed, deleted.

use axum::http::StatusCode;
use domain::Task;
use http_support::contract::{
    Answer, ETAG, LOCATION, Operation, REPLAYED, accepts, answers, examples, fails, if_match, sent,
};
use http_support::problems::{PRECONDITION_REQUIRED, TASK_ALREADY_EXISTS};
use serde_json::json;

use super::{changes, later};
use crate::bulk::Results;

/// What can be done next with a task that was created.
const NEXT: [&str; 9] = [
    "getTask",
    "updateTask",
    "deleteTask",
    "assignTask",
    "completeTask",
    "cancelTask",
    "listHistory",
    "createAttachment",
    "listAttachments",
];

pub(crate) fn create_task(operation: Operation<'_>) -> Operation<'_> {
    let created = Answer::new(
        StatusCode::CREATED,
        "The task that was created, by this request or by the first one under its \
         `Idempotency-Key`. To a repeat, of a task that was deleted since, there is no body and no \
         `ETag`.",
    );
    let created = created
        .json::<Task>(examples::task())
        .header(LOCATION)
        .header(ETAG.if_any())
        .header(REPLAYED.if_any());
    let id = [("id", "$response.body#/id")];
    let created = NEXT.iter().fold(created, |created, next| created.then(next, &id));
    operation
        .id("createTask")
        .tag("Tasks")
        .summary("Create a task")
        .description("The service chooses the task's identifier.")
        .with(sent(json!({ "title": "Water the plants", "due_date": "2026-02-01" })))
        .with(answers(created))
        .with(later)
        .with(fails(&[TASK_ALREADY_EXISTS]))
}

pub(crate) fn create_tasks(operation: Operation<'_>) -> Operation<'_> {
    let results = json!({ "results": [
        {
            "status": 201,
            "location": format!("/v1/tasks/{}", examples::TASK_ID),
            "etag": "\"1\"",
            "task": examples::task(),
        },
        {
            "status": 422,
            "problem": {
                "type": "urn:problem:invalid-body",
                "title": "Invalid body",
                "status": 422,
                "detail": "The body does not fit the contract; `errors` says where.",
                "errors": [{ "pointer": "/tasks/1/title", "detail": "missing field `title`" }],
            },
        },
    ] });
    let results = Answer::new(StatusCode::MULTI_STATUS, "What became of each task, in order.")
        .json::<Results>(results)
        .header(REPLAYED.if_any());
    operation
        .id("createTasks")
        .tag("Tasks")
        .summary("Create up to 100 tasks")
        .description(
            "Each task has an outcome of its own: one that does not fit the contract, or cannot be \
             created, spoils no other. What is created, is created at once. The answer is never \
             deferred. A repeat under the same `Idempotency-Key` gets the results of the first \
             request.",
        )
        .parameter_untyped("Prefer", |prefer| prefer.hidden(true))
        .with(sent(json!({ "tasks": [
            { "title": "Water the plants" },
            { "title": "Feed the cat", "tags": ["home"] },
        ] })))
        .with(answers(results))
}

pub(crate) fn update_task(operation: Operation<'_>) -> Operation<'_> {
    operation
        .id("updateTask")
        .tag("Tasks")
        .summary("Change a task")
        .description(
            "A JSON merge patch (RFC 7396): a member that is absent stays, `null` clears it, a value \
             replaces it. A change of nothing is a success, and no new version.",
        )
        .with(sent(json!({ "priority": "high", "due_date": null })))
        .with(accepts(if_match))
        .with(changes)
        .with(fails(&[PRECONDITION_REQUIRED]))
}

pub(crate) fn delete_task(operation: Operation<'_>) -> Operation<'_> {
    let deleted = Answer::new(StatusCode::NO_CONTENT, "The task is deleted, for good.")
        .header(REPLAYED.if_any());
    operation
        .id("deleteTask")
        .tag("Tasks")
        .summary("Delete a task")
        .description("Its attachments are deleted with it. Its history stays.")
        .with(answers(deleted))
        .with(later)
        .with(fails(&[PRECONDITION_REQUIRED]))
}
