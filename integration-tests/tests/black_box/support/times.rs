//! Every point in time that we write has one form.

use serde_json::Value;

/// Asserts it of each time in a document, and counts them.
pub(crate) fn assert_one_form(document: &Value) -> usize {
    match document {
        Value::String(text) if is_time(text) => {
            let digits = text.strip_suffix('Z').and_then(|text| text.split_once('.'));
            assert!(digits.is_some_and(|(_, digits)| digits.len() == 6), "{text} in {document}");
            1
        }
        Value::Array(items) => items.iter().map(assert_one_form).sum(),
        Value::Object(members) => members.values().map(assert_one_form).sum(),
        _ => 0,
    }
}

/// `2026-01-31T09:30`, whatever follows.
fn is_time(text: &str) -> bool {
    let mut bytes = text.bytes();
    "0000-00-00T00:00".bytes().all(|form| match (form, bytes.next()) {
        (b'0', Some(byte)) => byte.is_ascii_digit(),
        (form, byte) => byte == Some(form),
    })
}
