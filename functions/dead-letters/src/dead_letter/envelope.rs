//! What a body says if it is an event (`CloudEvents`) in JSON. A dead letter may be anything, so each member is read
//! for itself.

use serde::Deserialize;
use serde_json::Value;

/// The longest text of a member that is kept, in bytes: many messages are read at a time.
const MOST_BYTES: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) id: Option<String>,
    pub(super) source: Option<String>,
    pub(super) r#type: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) traceparent: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    id: Value,
    source: Value,
    r#type: Value,
    subject: Value,
    tenant: Value,
    traceparent: Value,
}

impl Envelope {
    pub(super) fn read(body: &str) -> Self {
        // Only an object: serde reads a struct of a list, too.
        let is_object =
            body.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{');
        let members = is_object.then(|| serde_json::from_str(body).ok()).flatten();
        let Members { id, source, r#type, subject, tenant, traceparent } =
            members.unwrap_or_default();
        Self {
            id: text(&id),
            source: text(&source),
            r#type: text(&r#type),
            subject: text(&subject),
            tenant: text(&tenant),
            traceparent: text(&traceparent),
        }
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
        let envelope = Envelope::read(r#"{"type": "a", "source": 7, "tenant": null, "id": "1"}"#);
        assert_eq!(envelope.r#type.as_deref(), Some("a"));
        assert_eq!(envelope.id.as_deref(), Some("1"));
        assert_eq!((envelope.source, envelope.tenant, envelope.subject), (None, None, None));
    }

    #[test]
    fn what_is_no_event_says_nothing_and_long_texts_are_cut() {
        for body in ["", "text", "[\"1\",\"2\",\"3\"]", "{\"type\": \"cut", "null"] {
            assert_eq!(Envelope::read(body).r#type, None, "{body}");
        }
        let body = format!("{{\"type\": \"{}\"}}", "ü".repeat(MOST_BYTES));
        assert_eq!(Envelope::read(&body).r#type.unwrap().len(), MOST_BYTES);
    }
}
