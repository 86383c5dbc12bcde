//! Many tasks created by one request, each with an outcome of its own.
//!
//! All that fit the contract are created in one transaction. A request is as large as any other may
//! be (`HTTP_MAX_BODY_BYTES`, 256 KiB by default): 100 tasks of 2,600 bytes each, which most tasks are
//! far from. One that is larger is refused as a whole, and can be sent in parts. `Prefer: respond-async`
//! is ignored, as a preference may be: an operation describes one task only.

mod check;

use axum::Json as JsonBody;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{Action, Command, CreateTask, Task, TaskId};
use http_support::conditional::etag;
use http_support::contract::ProblemDocument;
use http_support::{Caller, Json, Problem, Writer};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use store::{CommandKey, Fingerprint, Incoming, Outcome, Receipt, RequestKey};
use uuid::Uuid;

use check::{Checked, NewTasks};

use crate::command_headers::{CommandHeaders, REPLAYED};
use crate::commands::{Commands, unreadable};

/// The source of a request's idempotency key; those of its commands differ by their place.
/// A source of its own, so that no single write can have the same key.
const SOURCE: &str = "urn:task-app:http:batch";

/// What became of the tasks.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreateResults")]
pub(crate) struct Results {
    /// One for each task, in the order of the request.
    results: Vec<Item>,
}

/// What became of one task. It was created, now or by the first request under the idempotency key, or it
/// was not and `problem` says why.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreateResult")]
pub(crate) struct Item {
    /// The status that it would have had as a request of its own: 201 if it was created.
    status: u16,
    /// Its address, if it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// Its entity tag as it is now; absent if it was not created, or deleted since.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// The task as it is now; absent if it was not created, or deleted since.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Box<Task>>,
    /// Why it was not created, as problem details (RFC 9457). Pointers begin at the request's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ProblemDocument>")]
    problem: Option<Map<String, Value>>,
}

/// Answers 207, even if all tasks have the same status: callers look at one place only.
pub(crate) async fn create_all(
    Writer(caller): Writer,
    State(commands): State<Commands>,
    command_headers: CommandHeaders,
    Json(tasks): Json<NewTasks>,
) -> Result<Response, Problem> {
    let Checked { fitting, faults, fingerprint } = tasks.check()?;
    let batch = incoming(&command_headers, &caller, fitting, fingerprint)?;
    let key = CommandKey { source: SOURCE.to_owned(), id: command_headers.id.into() };
    let key = command_headers.is_keyed.then_some(RequestKey { key, caller: caller.actor });
    let receipts = commands.apply_request(&caller.tenant, key.as_ref(), batch).await?;
    let repeated = receipts.iter().any(|receipt| receipt.repeated);
    let mut receipts = receipts.into_iter();
    let results = faults.into_iter().map(|fault| match fault {
        Some(fault) => Ok(failed(&Problem::Invalid(vec![fault]))),
        None => receipts.next().ok_or(Problem::NotFound).and_then(created),
    });
    let results = Results { results: results.collect::<Result<_, _>>()? };
    let headers = repeated.then_some([REPLAYED]);
    Ok((StatusCode::MULTI_STATUS, headers, JsonBody(results)).into_response())
}

/// The commands. Whichever tasks a request under the same key has, its first command has the key of
/// the first one here, and so cannot be taken for new.
fn incoming(
    command_headers: &CommandHeaders,
    caller: &Caller,
    tasks: Vec<CreateTask>,
    fingerprint: Fingerprint,
) -> Result<Vec<Incoming>, Problem> {
    let one = |(index, new)| {
        let source = format!("{SOURCE}:{index}");
        let task = TaskId::try_from(Uuid::now_v7()).map_err(anyhow::Error::from)?;
        let action = Action::Create(new);
        Ok(Incoming {
            key: CommandKey { source, id: command_headers.id.to_string() },
            command: Command { tenant: caller.tenant.clone(), task, action },
            caller: Some(caller.actor.clone()),
            traceparent: command_headers.traceparent.clone(),
            request: Some(fingerprint),
        })
    };
    tasks.into_iter().enumerate().map(one).collect()
}

fn created(receipt: Receipt) -> Result<Item, Problem> {
    match receipt.outcome {
        Outcome::KeyReused => Err(Problem::IdempotencyKeyReused),
        Outcome::Unreadable => Ok(failed(&unreadable())),
        Outcome::Refused(refusal) => Ok(failed(&refusal.into())),
        Outcome::Applied { .. } => {
            let task = receipt.task.ok_or(Problem::NotFound)?;
            let location = format!("/v1/tasks/{}", task.id);
            let task = Some(Box::new(task)).filter(|task| !task.is_deleted());
            let etag = task
                .as_ref()
                .and_then(|task| etag(task.version).to_str().map(ToOwned::to_owned).ok());
            let (status, location) = (StatusCode::CREATED.as_u16(), Some(location));
            Ok(Item { status, location, etag, task, problem: None })
        }
    }
}

fn failed(problem: &Problem) -> Item {
    problem.log_if_ours();
    let (status, problem) = (problem.status().as_u16(), Some(problem.document()));
    Item { status, location: None, etag: None, task: None, problem }
}
