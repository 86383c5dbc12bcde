//! Operations as callers see them: writes that were accepted to be applied later.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::portable::names;
use domain::{TaskId, Timestamp, Version};
use records::{Ending, Operation, OperationId, State};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::contract::ProblemDocument;
use crate::{Problem, RespondAsync};

const OPERATION_LOCATION: HeaderName = HeaderName::from_static("operation-location");
/// Asks callers to look again in a second.
const RETRY_AFTER: (HeaderName, HeaderValue) = (header::RETRY_AFTER, HeaderValue::from_static("1"));

/// What callers get of an operation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Operation")]
pub struct Document {
    /// Its identifier.
    #[schemars(with = "OperationId")]
    id: String,
    /// What became of it.
    status: Status,
    /// The task that it is about.
    task: TaskId,
    /// When it was accepted.
    #[serde(serialize_with = "domain::time::serialize")]
    accepted_at: Timestamp,
    /// The task's address, if it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// The task's version after it, if it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    /// Why it was rejected, if it was. It has no `request_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ProblemDocument>")]
    problem: Option<Map<String, Value>>,
}

/// What became of an operation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OperationStatus", transform = names)]
enum Status {
    /// Nothing yet.
    Accepted,
    /// It was applied.
    Succeeded,
    /// It was refused, as `problem` says, and changed nothing.
    Rejected,
    /// It could not be applied. The service's operators will find out why, and may still apply it.
    DeadLettered,
}

/// A write was accepted; its operation is at `Operation-Location`: a 202.
#[must_use]
pub fn accepted(operation: Operation) -> Response {
    let location = format!("/v1/operations/{}", operation.id);
    let headers = [RespondAsync::APPLIED, RETRY_AFTER];
    let location = [(OPERATION_LOCATION, location)];
    (StatusCode::ACCEPTED, headers, location, Json(document(operation))).into_response()
}

/// An operation as it is now: a 200. While it has no outcome, `Retry-After` says when to poll again.
#[must_use]
pub fn current(operation: Operation) -> Response {
    let again = (operation.state == State::Accepted).then_some(RETRY_AFTER);
    let mut response = Json(document(operation)).into_response();
    response.headers_mut().extend(again);
    response
}

fn document(operation: Operation) -> Document {
    let Operation { id, task, accepted_at, state } = operation;
    let mut document = Document {
        id: id.to_string(),
        status: Status::Accepted,
        task,
        accepted_at,
        location: None,
        version: None,
        problem: None,
    };
    match state {
        State::Accepted => {}
        State::DeadLettered => document.status = Status::DeadLettered,
        State::Ended(Ending::Succeeded { task, version }) => {
            document.status = Status::Succeeded;
            document.task = task;
            document.version = Some(version);
            document.location = Some(format!("/v1/tasks/{task}"));
        }
        State::Ended(Ending::Rejected(refusal)) => reject(&mut document, &refusal.into()),
        State::Ended(Ending::KeyReused) => reject(&mut document, &Problem::IdempotencyKeyReused),
    }
    document
}

fn reject(document: &mut Document, problem: &Problem) {
    document.status = Status::Rejected;
    document.problem = Some(problem.document());
}

#[cfg(test)]
mod tests {
    use domain::Refusal;
    use records::OperationId;
    use serde_json::json;

    use super::*;

    fn shown(state: State) -> Value {
        let id = OperationId::of(&"acme".parse().unwrap(), "key");
        let task = "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10".parse().unwrap();
        let accepted_at = Timestamp::UNIX_EPOCH;
        serde_json::to_value(document(Operation { id, task, accepted_at, state })).unwrap()
    }

    #[test]
    fn an_operation_has_its_outcome() {
        assert_eq!(shown(State::Accepted)["status"], "accepted");
        assert_eq!(shown(State::DeadLettered)["status"], "dead_lettered");
        let task = "0192f1a0-9d02-7c11-8f6e-5b2c7e9a4d20".parse().unwrap();
        let succeeded = shown(State::Ended(Ending::Succeeded { task, version: 3 }));
        assert_eq!((&succeeded["status"], &succeeded["version"]), (&json!("succeeded"), &json!(3)));
        assert_eq!(succeeded["task"], task.to_string());
        assert_eq!(succeeded["location"], format!("/v1/tasks/{task}"));
        let rejected = shown(State::Ended(Ending::Rejected(Refusal::TaskAlreadyCompleted)));
        assert_eq!(rejected["status"], "rejected");
        assert_eq!(rejected["problem"]["type"], "urn:problem:task-already-completed");
        assert_eq!(rejected["problem"]["status"], 409);
    }
}
