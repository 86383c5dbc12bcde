//! An edit by a JSON Patch (RFC 6902).

use std::fs;

use json_patch::Patch;
use serde_json::Value;

use super::{EditFailure, merge};
use crate::mistake::Mistake;

/// The largest file that is read, in bytes.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// Reads a patch from a file, or from the text itself.
pub(super) fn read(given: &str) -> Result<Patch, Mistake> {
    let text = text(given, '[')?;
    serde_json::from_str(&text).map_err(|error| in_text(given, &text, &error, "no JSON Patch"))
}

/// The text of a file that the command line names, or what it has instead of a name: JSON that begins so.
pub(super) fn text(file: &str, start: char) -> Result<String, Mistake> {
    if is_itself(file, start) {
        return Ok(file.to_owned());
    }
    let unreadable = |cause: &dyn std::fmt::Display| Mistake::new(format!("{file}: {cause}"));
    let size = fs::metadata(file).map_err(|error| unreadable(&error))?.len();
    if size > MOST_BYTES {
        return Err(unreadable(&format!("{size} bytes; {MOST_BYTES} are read at most")));
    }
    fs::read_to_string(file).map_err(|error| unreadable(&error))
}

/// Whether a word of the command line is JSON that begins so, and no file's name.
fn is_itself(word: &str, start: char) -> bool {
    word.trim_start().starts_with(start)
}

/// Points at the place in a file, or in a text instead of it, that is not as it should be.
pub(super) fn in_text(file: &str, text: &str, error: &serde_json::Error, what: &str) -> Mistake {
    let place = if file == text { String::new() } else { format!(" in {file}") };
    let message = format!("{what}{place}: {error}");
    match text.lines().nth(error.line().saturating_sub(1)) {
        Some(line) => Mistake::at(line, error.column().saturating_sub(1), message),
        None => Mistake::new(message),
    }
}

pub(super) fn apply(patch: &Patch, body: &str) -> Result<String, EditFailure> {
    let mut value: Value = serde_json::from_str(body).map_err(EditFailure::NotJson)?;
    json_patch::patch(&mut value, patch)
        .map_err(|error| EditFailure::Refused(format!("the JSON Patch: {error}")))?;
    Ok(merge::by_value(body, &value.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn patch(operations: Value) -> Patch {
        serde_json::from_value(operations).unwrap()
    }

    #[test]
    fn operations_change_what_they_name_and_nothing_else() {
        let body = r#"{"data": {"title": " ", "cost": 1.50}, "z": [1, 2]}"#;
        let operations = json!([
            {"op": "test", "path": "/data/title", "value": " "},
            {"op": "replace", "path": "/data/title", "value": "Milk"},
            {"op": "remove", "path": "/z/0"},
        ]);
        let edited = apply(&patch(operations), body).unwrap();
        assert_eq!(edited, r#"{"data":{"title":"Milk","cost":1.50},"z":[2]}"#);
    }

    #[test]
    fn what_does_not_fit_the_body_fails_with_the_operation() {
        let removal = patch(json!([{"op": "remove", "path": "/data/a"}]));
        let failure = apply(&removal, "{}").unwrap_err().to_string();
        assert!(failure.contains("'/0'") && failure.contains("'/data/a'"), "{failure}");
        assert!(matches!(apply(&removal, "{\"cut"), Err(EditFailure::NotJson(_))));
    }

    #[test]
    fn a_mistake_in_the_file_is_pointed_at() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"[\n  {\"op\": \"replace\", \"path\": \"/a\"}\n]").unwrap();
        let mistake = read(file.path().to_str().unwrap()).unwrap_err().to_string();
        assert!(mistake.contains("missing field `value`"), "{mistake}");
        assert!(mistake.contains("\n  ") && mistake.ends_with('^'), "{mistake}");
        let mistake = read(" [1]").unwrap_err().to_string();
        assert!(
            mistake.starts_with("no JSON Patch: ") && mistake.contains("\n   [1]\n"),
            "{mistake}"
        );
        assert_eq!(read("[]").unwrap(), patch(json!([])));
        assert!(read("/no/such/file").unwrap_err().to_string().starts_with("/no/such/file: "));
    }

    proptest! {
        #[test]
        fn a_replaced_member_is_all_that_changes(number: i64, other in "[1-9][0-9]{0,25}\\.[0-9]{1,20}") {
            let body = format!("{{\"a\": {other}, \"b\": [{other},{{}}]}}");
            let edited = apply(&patch(json!([{"op": "replace", "path": "/b/1", "value": number}])), &body);
            prop_assert_eq!(edited.unwrap(), format!("{{\"a\":{other},\"b\":[{other},{number}]}}"));
        }
    }
}
