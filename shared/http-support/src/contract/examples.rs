//! What both functions show as examples.

use serde_json::{Value, json};

/// The identifier of the task of all examples.
pub const TASK_ID: &str = "01940000-0000-7000-8000-000000000001";

/// A task, as it is answered.
#[must_use]
pub fn task() -> Value {
    json!({
        "id": TASK_ID,
        "tenant": "acme",
        "title": "Water the plants",
        "description": "Not the cactus.",
        "status": "open",
        "priority": "high",
        "assignee": "ann@example.org",
        "due_date": "2026-02-01",
        "tags": ["garden", "home"],
        "version": 3,
        "created_at": "2026-01-31T09:30:00.000000Z",
        "updated_at": "2026-01-31T10:00:00.000000Z",
    })
}

/// An operation that nothing has become of yet.
#[must_use]
pub fn operation() -> Value {
    json!({
        "id": "7d5e9c1f0a3b4c6d8e2f1a0b9c8d7e6f",
        "status": "accepted",
        "task": TASK_ID,
        "accepted_at": "2026-01-31T09:30:00.000000Z",
    })
}

/// A file that is announced.
#[must_use]
pub fn file() -> Value {
    json!({
        "name": "plan.pdf",
        "content_type": "application/pdf",
        "size": 48213,
        "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    })
}

/// An attachment: pending, or available with a signed `request` under the name of what it does.
#[must_use]
pub fn attachment(status: &str, request: Option<(&str, Value)>) -> Value {
    let mut attachment = file();
    if let Some(members) = attachment.as_object_mut() {
        members.insert("id".to_owned(), "01940000-0000-7000-8000-0000000000a1".into());
        members.insert("status".to_owned(), status.into());
        members.insert("created_at".to_owned(), "2026-01-31T09:30:00.000000Z".into());
        members.extend(request.map(|(name, request)| (name.to_owned(), request)));
    }
    attachment
}
