//! The headers of a write request that make its body a command: idempotency key, trace, preference.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use domain::{Action, Command, TaskId};
use events::{CommandEvent, EventId, Source};
use http_support::contract;
use http_support::problems::IDEMPOTENCY_KEY_IN_FLIGHT;
use http_support::{Caller, IdempotencyKey, Problem, RespondAsync};
use uuid::Uuid;

/// Marks the answer to a repeat, recognised by its `Idempotency-Key`: nothing was changed again.
pub(crate) const REPLAYED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));

/// What the headers of a write request say about its command.
pub(crate) struct CommandHeaders {
    /// The idempotency key, or one that nobody else has.
    pub(crate) id: EventId,
    /// Whether the caller chose the id, and so may repeat the request.
    pub(crate) is_keyed: bool,
    pub(crate) traceparent: Option<String>,
    /// Whether the caller prefers not to wait.
    pub(crate) respond_async: bool,
}

impl CommandHeaders {
    /// The command of the request.
    pub(crate) fn command(self, caller: Caller, task: TaskId, action: Action) -> CommandEvent {
        let Self { id, traceparent, .. } = self;
        let command = Command { tenant: caller.tenant, task, action };
        CommandEvent {
            id,
            source: Source::http(),
            command,
            caller: Some(caller.actor),
            idempotency_key: None,
            traceparent,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CommandHeaders {
    type Rejection = Problem;

    /// Without an `Idempotency-Key` every request is a command of its own.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = IdempotencyKey::from_headers(&parts.headers)?;
        let is_keyed = key.is_some();
        let id = key.map_or_else(|| Uuid::new_v4().to_string(), |key| key.as_str().to_owned());
        let id = EventId::try_from(id).map_err(anyhow::Error::msg)?;
        let traceparent = parts
            .headers
            .get("traceparent")
            .and_then(|header| events::traceparent(header.to_str().ok()?))
            .map(ToOwned::to_owned);
        let Ok(RespondAsync(respond_async)) = RespondAsync::from_request_parts(parts, state).await;
        Ok(Self { id, is_keyed, traceparent, respond_async })
    }
}

impl OperationInput for CommandHeaders {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        <(IdempotencyKey, RespondAsync)>::operation_input(context, operation);
        contract::traceparent(operation);
        contract::can_fail(operation, &[IDEMPOTENCY_KEY_IN_FLIGHT]);
    }
}
