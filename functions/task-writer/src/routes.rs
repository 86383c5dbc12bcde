//! The addresses that are written to.

use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};
use axum::{Json as JsonBody, Router};
use domain::{Action, CreateTask, Expected, TaskId, TaskPatch, UpdateTask};
use http_support::conditional::{etag, expected_version};
use http_support::{Authenticator, Json, MergePatch, Path, Problem, Writer};
use store::Receipt;
use uuid::Uuid;

use crate::commands::{Commands, Envelope};

#[derive(Clone, FromRef)]
struct App {
    commands: Commands,
    authenticator: Authenticator,
}

/// `POST /v1/tasks`, `PATCH` and `DELETE /v1/tasks/{id}`, `POST /v1/tasks/{id}/complete`.
pub(crate) fn router(commands: Commands, authenticator: Authenticator) -> Router {
    Router::new()
        .route("/v1/tasks", post(create))
        .route("/v1/tasks/{id}", patch(update).delete(delete))
        .route("/v1/tasks/{id}/complete", post(complete))
        .with_state(App { commands, authenticator })
}

async fn create(
    Writer(caller): Writer,
    State(commands): State<Commands>,
    envelope: Envelope,
    Json(new): Json<CreateTask>,
) -> Result<Response, Problem> {
    let id = TaskId::try_from(Uuid::now_v7()).map_err(anyhow::Error::from)?;
    let receipt = commands.apply(envelope, caller.tenant, id, Action::Create(new)).await?;
    let id = receipt.task.as_ref().map_or(id, |task| task.id);
    let location = [(header::LOCATION, format!("/v1/tasks/{id}"))];
    Ok((StatusCode::CREATED, location, task(receipt)).into_response())
}

async fn update(
    Writer(caller): Writer,
    State(commands): State<Commands>,
    Path(id): Path<TaskId>,
    envelope: Envelope,
    headers: HeaderMap,
    MergePatch(patch): MergePatch<TaskPatch>,
) -> Result<Response, Problem> {
    let update = UpdateTask { expected_version: expected_version(&headers)?, patch };
    let receipt = commands.apply(envelope, caller.tenant, id, Action::Update(update)).await?;
    Ok(task(receipt))
}

async fn complete(
    Writer(caller): Writer,
    State(commands): State<Commands>,
    Path(id): Path<TaskId>,
    envelope: Envelope,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let expected = Expected { expected_version: expected_version(&headers)? };
    let receipt = commands.apply(envelope, caller.tenant, id, Action::Complete(expected)).await?;
    Ok(task(receipt))
}

async fn delete(
    Writer(caller): Writer,
    State(commands): State<Commands>,
    Path(id): Path<TaskId>,
    envelope: Envelope,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let expected = Expected { expected_version: expected_version(&headers)? };
    commands.apply(envelope, caller.tenant, id, Action::Delete(expected)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The task as it is now, with its entity tag; nothing of it if it was deleted since.
fn task(receipt: Receipt) -> Response {
    match receipt.task.filter(|task| !task.is_deleted()) {
        Some(task) => ([(header::ETAG, etag(task.version))], JsonBody(task)).into_response(),
        None => ().into_response(),
    }
}
