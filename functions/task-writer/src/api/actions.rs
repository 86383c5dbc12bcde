//! Steps in the life of a task.

use http_support::contract::{Operation, fails, sent};
use http_support::problems::{TASK_ALREADY_CANCELLED, TASK_ALREADY_COMPLETED, TASK_ALREADY_OPEN};
use serde_json::json;

use super::changes;

pub(crate) fn assign_task(operation: Operation<'_>) -> Operation<'_> {
    operation
        .id("assignTask")
        .tag("Actions")
        .summary("Say who is to do a task")
        .description(
            "From now on. To have nobody do it, change the task with `\"assignee\": null`.",
        )
        .with(sent(json!({ "assignee": "ann@example.org" })))
        .with(changes)
}

pub(crate) fn complete_task(operation: Operation<'_>) -> Operation<'_> {
    operation
        .id("completeTask")
        .tag("Actions")
        .summary("Mark a task as done")
        .description("An open task becomes `completed`.")
        .with(sent(json!({ "expected_version": 3 })))
        .with(changes)
        .with(fails(&[TASK_ALREADY_COMPLETED, TASK_ALREADY_CANCELLED]))
}

pub(crate) fn reopen_task(operation: Operation<'_>) -> Operation<'_> {
    operation
        .id("reopenTask")
        .tag("Actions")
        .summary("Mark a task as to be done again")
        .description("A task that is `completed` or `cancelled` becomes `open`.")
        .with(sent(json!({ "expected_version": 3 })))
        .with(changes)
        .with(fails(&[TASK_ALREADY_OPEN]))
}

pub(crate) fn cancel_task(operation: Operation<'_>) -> Operation<'_> {
    operation
        .id("cancelTask")
        .tag("Actions")
        .summary("Mark a task as not to be done")
        .description("An open task becomes `cancelled`.")
        .with(sent(json!({ "expected_version": 3 })))
        .with(changes)
        .with(fails(&[TASK_ALREADY_COMPLETED, TASK_ALREADY_CANCELLED]))
}
