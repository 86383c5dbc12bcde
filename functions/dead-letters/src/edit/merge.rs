//! Writes an edited body so that what the edit does not touch stays as it was, byte for byte: spaces, the
//! order of members, the digits of numbers.

use serde_json::Value;
use serde_json::value::RawValue;

use super::members::Members;

/// The body `after` as JSON, in the words of `before` where both mean the same. Both must be JSON.
pub(super) fn by_value(before: &str, after: &str) -> String {
    merge(before, after, &|before, after| {
        let value = |text| serde_json::from_str::<Value>(text).ok();
        value(before).is_some_and(|before| value(after) == Some(before))
    })
}

/// The same if a person wrote `after`: then each digit counts.
pub(super) fn by_text(before: &str, after: &str) -> String {
    merge(before, &compact(after), &|before, after| compact(before) == after)
}

fn merge(before: &str, after: &str, same: &impl Fn(&str, &str) -> bool) -> String {
    if same(before, after) {
        return before.to_owned();
    }
    if let (Some(old), Some(new)) = (Members::read(before), Members::read(after)) {
        return object(&old, &new, same);
    }
    match (elements(before), elements(after)) {
        (Some(old), Some(new)) => array(&old, &new, same),
        _ => after.to_owned(),
    }
}

/// The members that were there keep their places.
fn object(old: &Members<'_>, new: &Members<'_>, same: &impl Fn(&str, &str) -> bool) -> String {
    let mut merged = Members::default();
    for (name, before) in old.iter() {
        if let Some(after) = new.get(name) {
            merged.set(name, merge(before, after, same));
        }
    }
    for (name, after) in new.iter().filter(|(name, _)| old.get(name).is_none()) {
        merged.set(name, after);
    }
    merged.to_json()
}

/// Equal elements at the start and at the end are the same ones, those between are compared in order.
fn array(old: &[&str], new: &[&str], same: &impl Fn(&str, &str) -> bool) -> String {
    let start = old.iter().zip(new).take_while(|(old, new)| same(old, new)).count();
    let (head, old) = old.split_at(start);
    let new = new.get(start..).unwrap_or_default();
    let end =
        old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| same(old, new)).count();
    let (old, tail) = old.split_at(old.len() - end);
    let new = new.get(..new.len() - end).unwrap_or_default();
    let paired = old.iter().zip(new).map(|(old, new)| merge(old, new, same));
    let added = new.iter().skip(old.len()).map(|new| (*new).to_owned());
    let kept = |part: &[&str]| part.iter().map(|old| (*old).to_owned()).collect::<Vec<_>>();
    let merged: Vec<_> =
        kept(head).into_iter().chain(paired).chain(added).chain(kept(tail)).collect();
    format!("[{}]", merged.join(","))
}

fn elements(json: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// JSON without the spaces between its tokens.
fn compact(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    let is_kept = |character: &char| {
        let kept = is_text || !character.is_ascii_whitespace();
        if *character == '"' && !is_escaped {
            is_text = !is_text;
        }
        is_escaped = is_text && *character == '\\' && !is_escaped;
        kept
    };
    json.chars().filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_touched_stays_byte_for_byte() {
        let before =
            r#"{ "z": 1.50, "list": [ 1e2,{"n" : 12345678901234567890.10}, 3 ], "a": "\u00e9" }"#;
        let after =
            r#"{"a":"é","list":[100.0,{"n":12345678901234567000.0},4,5],"new":null,"z":1.5}"#;
        let expected = r#"{"z":1.50,"list":[1e2,{"n" : 12345678901234567890.10},4,5],"a":"\u00e9","new":null}"#;
        assert_eq!(by_value(before, after), expected);
        assert_eq!(by_value("[1,2,3]", "[0,1,2,3]"), "[0,1,2,3]");
        assert_eq!(by_value("[1, 2.0, 3]", "[1,3]"), "[1,3]");
        assert_eq!(by_value("[1]", "{}"), "{}");
    }

    #[test]
    fn of_what_a_person_wrote_each_digit_counts() {
        let before = r#"{"a": [1.50,  "x \" y"], "b":1}"#;
        assert_eq!(by_text(before, "{\n  \"a\": [1.50, \"x \\\" y\"],\n  \"b\": 1\n}\n"), before);
        let after = "{\n \"a\": [1.5, \"x \\\" y\"],\n \"b\": 1\n}";
        assert_eq!(by_text(before, after), r#"{"a":[1.5,"x \" y"],"b":1}"#);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f32>()
                .prop_filter("JSON has no such number", |n| n.is_finite())
                .prop_map(|n| json!(n)),
            "[ a\"\\\\é]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_result_means_what_the_edit_made(before in values(), after in values()) {
            let (pretty, text) = (serde_json::to_string_pretty(&before).unwrap(), after.to_string());
            for merged in [by_value(&pretty, &text), by_text(&pretty, &text)] {
                prop_assert_eq!(serde_json::from_str::<Value>(&merged).unwrap(), after.clone());
            }
            prop_assert_eq!(by_value(&pretty, &before.to_string()), pretty.clone());
            prop_assert_eq!(by_text(&pretty, &before.to_string()), pretty);
        }
    }
}
