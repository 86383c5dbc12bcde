//! JSON as SQS takes it.
//!
//! SQS takes #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and #x10000 to #x10FFFF, and refuses a
//! message with any other character for ever. A string of JSON may hold all of them, raw or escaped;
//! raw control characters are no JSON. So whatever is accepted can be sent: what writes an event writes
//! the two characters that are left, U+FFFE and U+FFFF, as escapes, and nothing else has to know.

use std::borrow::Cow;

const REFUSED: [(char, &str); 2] = [('\u{fffe}', "\\ufffe"), ('\u{ffff}', "\\uffff")];

/// The same JSON, in characters that SQS takes. In JSON these characters occur in strings only.
#[must_use]
pub fn queue_text(json: Cow<'_, str>) -> Cow<'_, str> {
    if !json.contains(REFUSED.map(|(character, _)| character)) {
        return json;
    }
    let escape = |json: String, (character, escape)| json.replace(character, escape);
    REFUSED.into_iter().fold(json.into_owned(), escape).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_in_other_characters() {
        let json = "{\"a\u{ffff}\": \"\u{fffd}\u{fffe}\u{1ffff}\"}";
        let text = queue_text(json.into());
        assert_eq!(text, "{\"a\\uffff\": \"\u{fffd}\\ufffe\u{1ffff}\"}");
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(json), value(&text));
        assert!(matches!(queue_text("{}".into()), Cow::Borrowed("{}")));
    }
}
