//! The addresses that are written to.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json as JsonBody, Router};
use domain::{Action, AssignTask, Assignee, CreateTask, Expected, TaskId, TaskPatch, UpdateTask};
use http_support::conditional::{etag, expected_version};
use http_support::contract::Verb::{Delete, Patch, Post};
use http_support::contract::{self, Routes};
use http_support::operation::accepted;
use http_support::{Caller, Guard, Json, MergePatch, OptionalJson, Path, Problem, Writer};
use rate_limits::Class;
use schemars::JsonSchema;
use serde::Deserialize;
use store::Receipt;
use uuid::Uuid;

use crate::api;
use crate::attachments::{self, Uploads};
use crate::bulk::create_all;
use crate::command_headers::{CommandHeaders, REPLAYED};
use crate::commands::{Commands, Written};

#[derive(Clone, FromRef)]
pub(crate) struct App {
    commands: Commands,
    if_match: IfMatch,
}

/// Whether changes and deletions must name a version, so that nobody overwrites what they have not
/// seen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IfMatch {
    Optional,
    Required,
}

impl IfMatch {
    fn check(self, headers: &HeaderMap) -> Result<(), Problem> {
        match self {
            Self::Required if !headers.contains_key(header::IF_MATCH) => {
                Err(Problem::PreconditionRequired)
            }
            Self::Required | Self::Optional => Ok(()),
        }
    }
}

/// Writes of one task.
pub(crate) fn writes<R: Routes<App>>(routes: R) -> R {
    routes
        .operation(Post, "/v1/tasks", create, api::create_task)
        .operation(Patch, "/v1/tasks/{id}", update, api::update_task)
        .operation(Delete, "/v1/tasks/{id}", delete, api::delete_task)
        .operation(Post, "/v1/tasks/{id}/assign", assign, api::assign_task)
        .operation(Post, "/v1/tasks/{id}/complete", complete, api::complete_task)
        .operation(Post, "/v1/tasks/{id}/reopen", reopen, api::reopen_task)
        .operation(Post, "/v1/tasks/{id}/cancel", cancel, api::cancel_task)
}

/// Writes of many tasks.
pub(crate) fn bulk<R: Routes<App>>(routes: R) -> R {
    routes.operation(Post, "/v1/tasks/batch", create_all, api::create_tasks)
}

/// Everything that is written.
pub(crate) fn router(
    commands: Commands,
    uploads: Option<Uploads>,
    if_match: IfMatch,
    guard: &Guard,
) -> Router {
    let router = guard
        .before(Class::Write, writes(Router::new()))
        .merge(guard.before(Class::Bulk, bulk(Router::new())))
        .with_state(App { commands, if_match })
        .merge(attachment_router(uploads, guard));
    contract::refuse_other_methods(router, contract::TASKS)
}

/// Writes of attachments.
pub(crate) fn attachment_writes<R: Routes<Uploads>>(routes: R) -> R {
    let one = "/v1/tasks/{id}/attachments/{attachment}";
    routes
        .operation(
            Post,
            "/v1/tasks/{id}/attachments",
            attachments::announce,
            api::create_attachment,
        )
        .operation(Delete, one, attachments::remove, api::delete_attachment)
}

/// Attachments of a task announced, and deleted; nothing without a bucket.
fn attachment_router(uploads: Option<Uploads>, guard: &Guard) -> Router {
    let Some(uploads) = uploads else { return Router::new() };
    let router = guard.before(Class::Write, attachment_writes(Router::new())).with_state(uploads);
    contract::refuse_other_methods(router, contract::ATTACHMENTS)
}

async fn create(
    Writer(caller): Writer,
    State(commands): State<Commands>,
    command_headers: CommandHeaders,
    Json(new): Json<CreateTask>,
) -> Result<Response, Problem> {
    let id = TaskId::try_from(Uuid::now_v7()).map_err(anyhow::Error::from)?;
    let written = commands.write(command_headers, caller, id, Action::Create(new)).await?;
    Ok(answer(written, |receipt| {
        let id = receipt.task.as_ref().map_or(id, |task| task.id);
        let location = [(header::LOCATION, format!("/v1/tasks/{id}"))];
        (StatusCode::CREATED, location, task(receipt)).into_response()
    }))
}

async fn update(
    Writer(caller): Writer,
    State(commands): State<Commands>,
    State(if_match): State<IfMatch>,
    Path(id): Path<TaskId>,
    command_headers: CommandHeaders,
    headers: HeaderMap,
    MergePatch(patch): MergePatch<TaskPatch>,
) -> Result<Response, Problem> {
    if_match.check(&headers)?;
    let update = UpdateTask { expected_version: expected_version(&headers)?, patch };
    let written = commands.write(command_headers, caller, id, Action::Update(update)).await?;
    Ok(answer(written, task))
}

/// Who is to do a task.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Assignment {
    /// Who is to do it.
    assignee: Assignee,
}

async fn assign(request: TaskRequest, body: Json<Assignment>) -> Result<Response, Problem> {
    let Json(Assignment { assignee }) = body;
    let assign =
        |Expected { expected_version }| Action::Assign(AssignTask { expected_version, assignee });
    request.write(assign).await.map(|written| answer(written, task))
}

async fn complete(request: TaskRequest, body: Condition) -> Result<Response, Problem> {
    let written = request.expecting(body)?.write(Action::Complete).await;
    written.map(|written| answer(written, task))
}

async fn reopen(request: TaskRequest, body: Condition) -> Result<Response, Problem> {
    let written = request.expecting(body)?.write(Action::Reopen).await;
    written.map(|written| answer(written, task))
}

async fn cancel(request: TaskRequest, body: Condition) -> Result<Response, Problem> {
    let written = request.expecting(body)?.write(Action::Cancel).await;
    written.map(|written| answer(written, task))
}

async fn delete(
    State(if_match): State<IfMatch>,
    headers: HeaderMap,
    request: TaskRequest,
) -> Result<Response, Problem> {
    if_match.check(&headers)?;
    let written = request.write(Action::Delete).await?;
    Ok(answer(written, |_| StatusCode::NO_CONTENT.into_response()))
}

/// A write on a task, without its body.
struct TaskRequest {
    caller: Caller,
    task: TaskId,
    command_headers: CommandHeaders,
    expected: Expected,
    commands: Commands,
}

/// What a step in the life of a task may say in its body, as its command does on a queue.
type Condition = OptionalJson<Expected>;

impl TaskRequest {
    /// With the version that the body expects, if it does.
    fn expecting(mut self, OptionalJson(body): Condition) -> Result<Self, Problem> {
        let expected = &mut self.expected.expected_version;
        if let (Some(header), Some(body)) = (*expected, body.expected_version)
            && header != body
        {
            // Whichever version the task has, it is not at one of them.
            return Err(Problem::PreconditionFailed { actual: None });
        }
        *expected = expected.or(body.expected_version);
        Ok(self)
    }

    async fn write(self, action: impl FnOnce(Expected) -> Action) -> Result<Written, Problem> {
        let Self { caller, task, command_headers, expected, commands } = self;
        commands.write(command_headers, caller, task, action(expected)).await
    }
}

impl FromRequestParts<App> for TaskRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Writer(caller) = Writer::from_request_parts(parts, app).await?;
        let Path(task) = Path::from_request_parts(parts, app).await?;
        Ok(Self {
            caller,
            task,
            command_headers: CommandHeaders::from_request_parts(parts, app).await?,
            expected: Expected { expected_version: expected_version(&parts.headers)? },
            commands: app.commands.clone(),
        })
    }
}

impl OperationInput for TaskRequest {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        <(Writer, Path<TaskId>, CommandHeaders)>::operation_input(context, operation);
        contract::if_match(operation);
    }
}

/// `applied` says what to answer to a write that was applied.
fn answer(written: Written, applied: impl FnOnce(Receipt) -> Response) -> Response {
    match written {
        Written::Now(receipt) if receipt.repeated => ([REPLAYED], applied(receipt)).into_response(),
        Written::Now(receipt) => applied(receipt),
        Written::Later(operation) => accepted(operation),
    }
}

/// The task as it is now, with its entity tag; nothing of it if it was deleted since.
fn task(receipt: Receipt) -> Response {
    match receipt.task.filter(|task| !task.is_deleted()) {
        Some(task) => ([(header::ETAG, etag(task.version))], JsonBody(task)).into_response(),
        None => ().into_response(),
    }
}
