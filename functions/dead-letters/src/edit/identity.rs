//! The id of an edited event.
//!
//! An edited command is a new one: under its old id it would be refused as `id_reused`, or, had that taken
//! effect, be ignored. The new id is made of what it was and what it became, so that a run that is resumed
//! sends the same event, and two different edits never share an id.

use objects::claim_check::sha256;
use serde_json::json;
use uuid::Builder;

use super::members::Members;

/// A body, and the ids that its event had and has: `None` for what is no event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identified {
    pub(super) body: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

/// Gives an edited event an id of its own, unless the edit gave it one.
pub(super) fn identified(before: &str, after: String) -> Identified {
    let old = Members::read(before).and_then(|event| event.text("id"));
    let Some(mut event) = Members::read(&after).filter(|body| body.get("specversion").is_some())
    else {
        return Identified { body: after, old: None, new: None };
    };
    if let Some(id) = event.text("id").filter(|id| Some(id) != old.as_ref()) {
        return Identified { body: after, old, new: Some(id) };
    }
    let id = derived(&format!("{before}\n{after}"));
    event.set("id", json!(id).to_string());
    let body = event.to_json();
    Identified { body, old, new: Some(id) }
}

/// A UUID of the version for what a system derives itself.
fn derived(text: &str) -> String {
    let digest = sha256(text.as_bytes());
    let bytes = digest.get(..32).and_then(|half| u128::from_str_radix(half, 16).ok());
    Builder::from_custom_bytes(bytes.unwrap_or_default().to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"specversion": "1.0", "id": "1", "n": 1.50}"#;

    #[test]
    fn an_edited_event_has_a_new_id_which_is_always_the_same() {
        let edited = |n: &str| identified(EVENT, EVENT.replace("1.50", n));
        let id = edited("2").new.unwrap();
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 8);
        let expected = format!(r#"{{"specversion":"1.0","id":"{id}","n":2}}"#);
        assert_eq!(
            edited("2"),
            Identified { body: expected, old: Some("1".into()), new: Some(id) }
        );
        assert_ne!(edited("2").new, edited("3").new);
    }

    #[test]
    fn an_id_that_the_edit_gave_stays_and_what_is_no_event_gets_none() {
        let given = EVENT.replace("\"1\"", "\"2\"");
        let identity = identified(EVENT, given.clone());
        let expected = Identified { body: given, old: Some("1".into()), new: Some("2".into()) };
        assert_eq!(identity, expected);
        for body in [r#"{"id":"1"}"#, "text", "[]"] {
            let expected = Identified { body: body.to_owned(), old: None, new: None };
            assert_eq!(identified(body, body.to_owned()), expected);
        }
        assert!(identified("{", r#"{"specversion":"1.0"}"#.to_owned()).new.is_some());
    }
}
