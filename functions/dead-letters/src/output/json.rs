//! JSON on several lines, with each token as it was sent: numbers keep their digits and members their order.

use serde::de::IgnoredAny;

const INDENT: usize = 2;

/// The same with line breaks and spaces; `None` if it is no JSON.
pub(crate) fn indented(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut shown = String::with_capacity(2 * text.len());
    let mut depth = 0_usize;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => (),
            '"' => copy_string(&mut characters, &mut shown),
            '{' | '[' => {
                shown.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    shown.push(end);
                } else {
                    depth += 1;
                    break_line(depth, &mut shown);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(depth, &mut shown);
                shown.push(character);
            }
            ',' => {
                shown.push(character);
                break_line(depth, &mut shown);
            }
            ':' => shown.push_str(": "),
            _ => shown.push(character),
        }
    }
    Some(shown)
}

fn break_line(depth: usize, shown: &mut String) {
    shown.push('\n');
    shown.extend(std::iter::repeat_n(' ', depth * INDENT));
}

/// Up to the quote that ends it; the one that began it was read.
fn copy_string(characters: &mut impl Iterator<Item = char>, shown: &mut String) {
    shown.push('"');
    let mut is_escaped = false;
    for character in characters {
        shown.push(character);
        if character == '"' && !is_escaped {
            return;
        }
        is_escaped = character == '\\' && !is_escaped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn tokens_stay_as_they_were_sent() {
        let text = r#" {"b":[ 1e3,{ } ,[]], "a" : "x,\"{\\" ,"n":12345678901234567890.10}"#;
        let expected = "{\n  \"b\": [\n    1e3,\n    {},\n    []\n  ],\n  \
            \"a\": \"x,\\\"{\\\\\",\n  \"n\": 12345678901234567890.10\n}";
        assert_eq!(indented(text).as_deref(), Some(expected));
        assert_eq!(indented("{\"cut"), None);
    }

    proptest! {
        #[test]
        fn it_means_the_same(texts in prop::collection::vec(".{0,12}", 0..4), number: i64) {
            let value = json!({"texts": texts, "nested": {"number": number, "none": null}});
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let shown: Value = serde_json::from_str(&indented(&text).unwrap()).unwrap();
                prop_assert_eq!(&shown, &value);
                prop_assert_eq!(indented(&text).unwrap(), indented(&value.to_string()).unwrap());
            }
        }
    }
}
