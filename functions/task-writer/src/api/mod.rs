//! What the operations do, for those who read the contract. What they take, and the problems that
//! come of it, their handlers' arguments say.

mod actions;
mod attachments;
mod tasks;

use axum::http::StatusCode;
use domain::Task;
use http_support::contract::{
    Answer, ETAG, OPERATION_LOCATION, Operation, PREFERENCE_APPLIED, REPLAYED, RETRY_AFTER,
    answers, examples,
};
use http_support::operation;

pub(crate) use self::actions::{assign_task, cancel_task, complete_task, reopen_task};
pub(crate) use self::attachments::{create_attachment, delete_attachment};
pub(crate) use self::tasks::{create_task, create_tasks, delete_task, update_task};

/// The task of the request, for what can be done next.
const SAME: [(&str, &str); 1] = [("id", "$request.path.id")];

/// A write that may be applied later.
fn later(operation: Operation<'_>) -> Operation<'_> {
    let accepted = Answer::new(
        StatusCode::ACCEPTED,
        "The caller prefers `respond-async`, and the write was accepted to be applied later.",
    );
    let accepted = accepted
        .json::<operation::Document>(examples::operation())
        .header(OPERATION_LOCATION)
        .header(PREFERENCE_APPLIED)
        .header(RETRY_AFTER)
        .then("getOperation", &[("id", "$response.body#/id")]);
    answers(accepted)(operation)
}

/// A write that changes a task, and answers with it.
fn changes(operation: Operation<'_>) -> Operation<'_> {
    let changed = Answer::new(
        StatusCode::OK,
        "The task as it is now. To a repeat, of a task that was deleted since, there is no body and \
         no `ETag`.",
    );
    let changed = changed
        .json::<Task>(examples::task())
        .header(ETAG.if_any())
        .header(REPLAYED.if_any())
        .then("getTask", &SAME);
    later(answers(changed)(operation))
}
