//! From a command to the event that carries it: [`decode`](crate::decode) backwards.

use domain::{Action, Command, Timestamp};
use serde_json::value::{RawValue, to_raw_value};

use crate::attributes::{EventTime, SpecVersion, Unset};
use crate::command::CommandType;
use crate::content_type::JsonContent;
use crate::decode::CommandEvent;
use crate::event::Event;
use crate::queue_text::queue_text;

impl CommandType {
    /// The newest type of the command `action`.
    #[must_use]
    pub const fn of(action: &Action) -> Self {
        match action {
            Action::Create(_) => Self::CreateTask,
            Action::Update(_) => Self::UpdateTask,
            Action::Assign(_) => Self::AssignTask,
            Action::Complete(_) => Self::CompleteTask,
            Action::Reopen(_) => Self::ReopenTask,
            Action::Cancel(_) => Self::CancelTask,
            Action::Delete(_) => Self::DeleteTask,
            Action::Tag(_) => Self::AddTag,
            Action::Untag(_) => Self::RemoveTag,
        }
    }
}

/// The event that carries a command, made at the time `now`.
///
/// # Errors
/// None in practice: its members are all JSON.
pub fn encode_command(command: &CommandEvent, now: Timestamp) -> serde_json::Result<String> {
    let CommandEvent { id, source, command, caller, idempotency_key, traceparent } = command;
    let Command { tenant, task, action } = command;
    let event = serde_json::to_string(&Event {
        specversion: SpecVersion::V1,
        id: id.clone(),
        source: source.clone(),
        r#type: CommandType::of(action).as_str().to_owned(),
        subject: *task,
        time: EventTime::from(now),
        datacontenttype: JsonContent::Json,
        tenant: tenant.clone(),
        actor: caller.clone(),
        idempotencykey: idempotency_key.clone(),
        traceparent: traceparent.clone(),
        dataref: None,
        data_base64: Unset,
        data: data(action)?,
    })?;
    Ok(queue_text(event.into()).into_owned())
}

fn data(action: &Action) -> serde_json::Result<Box<RawValue>> {
    match action {
        Action::Create(data) => to_raw_value(data),
        Action::Update(data) => to_raw_value(data),
        Action::Assign(data) => to_raw_value(data),
        Action::Complete(data)
        | Action::Reopen(data)
        | Action::Cancel(data)
        | Action::Delete(data) => to_raw_value(data),
        Action::Tag(data) | Action::Untag(data) => to_raw_value(data),
    }
}
