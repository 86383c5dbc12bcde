//! What a message body says of itself although it may be no event of this contract: for the logs and
//! for operators, who look at what could not be decoded.

use domain::Actor;
use serde::Deserialize;
use serde_json::Value;

use crate::attributes::Source;

/// The longest text of a member that is kept, in bytes: many messages are read at a time.
const MOST_BYTES: usize = 1_024;

/// The attributes of a `CloudEvents` event in JSON, each read for itself. Nothing is checked but that
/// they are texts, and each is cut after 1,024 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UncheckedEnvelope {
    /// The event's identifier.
    pub id: Option<String>,
    /// The producer.
    pub source: Option<String>,
    /// The event's type.
    pub r#type: Option<String>,
    /// What it is about, such as a task.
    pub subject: Option<String>,
    /// Whose it is.
    pub tenant: Option<String>,
    /// Who sent it, if it is a request of the HTTP API.
    pub actor: Option<String>,
    /// The idempotency key of such a request, if the identifier is another one.
    pub idempotency_key: Option<String>,
    /// The sender's trace context.
    pub traceparent: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    id: Value,
    source: Value,
    r#type: Value,
    subject: Value,
    tenant: Value,
    actor: Value,
    idempotencykey: Value,
    traceparent: Value,
}

impl UncheckedEnvelope {
    /// Reads a body; of one that is no JSON object, nothing.
    #[must_use]
    pub fn read(body: &str) -> Self {
        // Only an object: serde reads a struct of a list, too.
        let is_object =
            body.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{');
        let members = is_object.then(|| serde_json::from_str(body).ok()).flatten();
        let members: Members = members.unwrap_or_default();
        Self {
            id: text(&members.id),
            source: text(&members.source),
            r#type: text(&members.r#type),
            subject: text(&members.subject),
            tenant: text(&members.tenant),
            actor: text(&members.actor),
            idempotency_key: text(&members.idempotencykey),
            traceparent: text(&members.traceparent),
        }
    }

    /// The caller of the HTTP API whose request it is, and the idempotency key that it chose, as the decoder
    /// reads them.
    #[must_use]
    pub fn request(&self) -> Option<(Actor, String)> {
        let is_http = self.source.as_deref() == Some(Source::HTTP);
        let caller: Actor = self.actor.as_deref().filter(|_| is_http)?.parse().ok()?;
        let id = self.id.as_deref()?;
        let key = self.idempotency_key.as_deref().filter(|key| caller.own_key(key) == id);
        let key = key.unwrap_or(id).to_owned();
        Some((caller, key))
    }
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    text.get(..text.floor_char_boundary(MOST_BYTES)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_counts_for_itself() {
        let envelope =
            UncheckedEnvelope::read(r#"{"type": "a", "source": 7, "tenant": null, "id": "1"}"#);
        assert_eq!(envelope.r#type.as_deref(), Some("a"));
        assert_eq!(envelope.id.as_deref(), Some("1"));
        assert_eq!((envelope.source, envelope.tenant, envelope.subject), (None, None, None));
    }

    #[test]
    fn a_request_has_its_caller_and_the_key_that_it_chose() {
        let ann: Actor = "ann".parse().unwrap();
        let read = |source: &str, id: &str| {
            let body = format!(
                r#"{{"source": "{source}", "id": "{id}", "actor": "ann", "idempotencykey": "one"}}"#
            );
            UncheckedEnvelope::read(&body).request()
        };
        let own = ann.own_key("one");
        assert_eq!(read(Source::HTTP, &own), Some((ann.clone(), "one".to_owned())));
        assert_eq!(read(Source::HTTP, "two"), Some((ann, "two".to_owned())), "edited");
        assert_eq!(read("/billing", &own), None);
    }

    #[test]
    fn what_is_no_event_says_nothing_and_long_texts_are_cut() {
        for body in ["", "text", "[\"1\",\"2\",\"3\"]", "{\"type\": \"cut", "null"] {
            assert_eq!(UncheckedEnvelope::read(body).r#type, None, "{body}");
        }
        let body = format!("{{\"type\": \"{}\"}}", "ü".repeat(MOST_BYTES));
        assert_eq!(UncheckedEnvelope::read(&body).r#type.unwrap().len(), MOST_BYTES);
    }
}
