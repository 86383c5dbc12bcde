//! What a write request says beside its body: all that makes a command a message.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::{Action, Command, TaskId, TenantId};
use events::{CommandEvent, EventId, Source};
use http_support::{IdempotencyKey, Problem, RespondAsync};
use uuid::Uuid;

/// What a write request says beside its body.
pub(crate) struct Envelope {
    id: EventId,
    traceparent: Option<String>,
    /// Whether the caller prefers not to wait.
    pub(crate) respond_async: bool,
}

impl Envelope {
    /// The command that the request asks for.
    pub(crate) fn command(self, tenant: TenantId, task: TaskId, action: Action) -> CommandEvent {
        let command = Command { tenant, task, action };
        CommandEvent { id: self.id, source: Source::http(), command, traceparent: self.traceparent }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Envelope {
    type Rejection = Problem;

    /// Without an `Idempotency-Key` every request is a command of its own.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = IdempotencyKey::from_headers(&parts.headers)?
            .map_or_else(|| Uuid::new_v4().to_string(), |key| key.as_str().to_owned());
        let id = EventId::try_from(id).map_err(anyhow::Error::msg)?;
        let traceparent = parts
            .headers
            .get("traceparent")
            .and_then(|header| events::traceparent(header.to_str().ok()?))
            .map(ToOwned::to_owned);
        let Ok(RespondAsync(respond_async)) = RespondAsync::from_request_parts(parts, state).await;
        Ok(Self { id, traceparent, respond_async })
    }
}
