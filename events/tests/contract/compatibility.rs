//! The gate: what was released stays valid.
//!
//! `events/released/` holds the schemas of the last release. A producer that follows a released
//! command schema must not be refused by today's; a consumer that follows a released fact schema
//! must be able to read today's facts. A change that breaks either needs a new version of its type,
//! beside the old one.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::files;

#[test]
fn what_was_released_stays_valid() {
    let current = files("schemas");
    let mut breaks = Vec::new();
    for (file, released) in files("released") {
        let released: Value = serde_json::from_str(&released).expect("a schema is JSON");
        let Some(current) = current.get(&file) else {
            breaks.push(format!("{file}: the type is gone"));
            continue;
        };
        let current: Value = serde_json::from_str(current).expect("a schema is JSON");
        let told = file.contains(".task.") || file.contains(".command.");
        let (found, who) = if told {
            let mut found = narrowed(&current, &released);
            gone(&released, &current, "", &mut found);
            (found, "a consumer of the released facts, reading new ones")
        } else {
            (narrowed(&released, &current), "a producer of the released commands")
        };
        breaks.extend(found.into_iter().map(|found| format!("{file}: {who}: {found}")));
    }
    assert!(breaks.is_empty(), "make a new version of the type instead:\n{}", breaks.join("\n"));
}

/// Where, and how, `to` takes less than `from` does. Errs on the side of finding too much: what it
/// cannot compare, such as two patterns, must be equal.
fn narrowed(from: &Value, to: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(from, to, "", &mut found);
    found
}

fn compare(from: &Value, to: &Value, at: &str, found: &mut Vec<String>) {
    if from == to || *to == Value::Bool(true) {
        return;
    }
    let mut tell = |what: String| found.push(format!("`{at}`: {what}"));
    let (Some(from), Some(to)) = (from.as_object(), to.as_object()) else {
        return tell("the schema was replaced".to_owned());
    };
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if from.get(keyword) != to.get(keyword) {
            return alternatives(from, to, at, found);
        }
    }
    if let Some(gone) = difference(values(from), values(to)) {
        tell(format!("{gone} is no longer allowed"));
    }
    if let Some(gone) = difference(types(from), types(to)) {
        tell(format!("the type {gone} is no longer allowed"));
    }
    for (keyword, bound) in [
        ("maxLength", Bound::Upper),
        ("maxItems", Bound::Upper),
        ("maximum", Bound::Upper),
        ("minLength", Bound::Lower),
        ("minItems", Bound::Lower),
        ("minimum", Bound::Lower),
        ("pattern", Bound::Equal),
        ("format", Bound::Equal),
        ("uniqueItems", Bound::Equal),
    ] {
        if bound.is_tighter(from.get(keyword), to.get(keyword)) {
            tell(format!("{keyword} is tighter"));
        }
    }
    members(from, to, at, found);
    if let (Some(from), Some(to)) = (from.get("items"), to.get("items")) {
        compare(from, to, &format!("{at}/*"), found);
    }
}

fn members(from: &Map<String, Value>, to: &Map<String, Value>, at: &str, found: &mut Vec<String>) {
    let (before, after) = (properties(from), properties(to));
    let closed = to.get("additionalProperties") == Some(&json!(false));
    for (name, before) in &before {
        let at = format!("{at}/{name}");
        match after.get(name) {
            Some(after) => compare(before, after, &at, found),
            None if closed => found.push(format!("`{at}`: the member is gone")),
            None => {}
        }
    }
    if closed && from.get("additionalProperties") != Some(&json!(false)) && !before.is_empty() {
        found.push(format!("`{at}`: further members are no longer allowed"));
    }
    for name in strings(to.get("required")).difference(&strings(from.get("required"))) {
        found.push(format!("`{at}/{name}`: the member is now required"));
    }
}

/// The members that consumers may have come to rely on, required or not.
fn gone(before: &Value, after: &Value, at: &str, found: &mut Vec<String>) {
    for (name, before) in before.as_object().map(properties).unwrap_or_default() {
        match after.as_object().map(properties).unwrap_or_default().get(&name) {
            Some(after) => gone(&before, after, &format!("{at}/{name}"), found),
            None => found.push(format!("`{at}/{name}`: the member is gone")),
        }
    }
}

/// Each alternative of `from` must be taken by one of `to`.
fn alternatives(
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    at: &str,
    found: &mut Vec<String>,
) {
    let of = |schema: &Map<String, Value>| -> Vec<Value> {
        let lists = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema.get(key));
        let alternatives: Vec<_> = lists.filter_map(Value::as_array).flatten().cloned().collect();
        if alternatives.is_empty() { vec![Value::Object(schema.clone())] } else { alternatives }
    };
    let to = of(to);
    for alternative in of(from) {
        if !to.iter().any(|to| narrowed(&alternative, to).is_empty()) {
            found.push(format!("`{at}`: {alternative} is no longer allowed"));
        }
    }
}

enum Bound {
    Upper,
    Lower,
    Equal,
}

impl Bound {
    fn is_tighter(&self, from: Option<&Value>, to: Option<&Value>) -> bool {
        let number = |value: Option<&Value>| value.and_then(Value::as_f64);
        match (self, to) {
            (_, None) => false,
            (Self::Equal, to) => from != to,
            (Self::Upper, to) => number(from).is_none_or(|from| Some(from) > number(to)),
            (Self::Lower, to) => number(from).is_none_or(|from| Some(from) < number(to)),
        }
    }
}

/// The members that a schema knows, each with its schema.
fn properties(schema: &Map<String, Value>) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The values that a schema allows, if it lists them.
fn values(schema: &Map<String, Value>) -> Option<BTreeSet<String>> {
    let one = schema.get("const").map(|value| vec![value.clone()]);
    let listed = one.or_else(|| schema.get("enum").and_then(Value::as_array).cloned())?;
    Some(listed.iter().map(Value::to_string).collect())
}

fn types(schema: &Map<String, Value>) -> Option<BTreeSet<String>> {
    match schema.get("type")? {
        Value::String(one) => Some(BTreeSet::from([one.clone()])),
        several => Some(strings(Some(several))),
    }
}

fn strings(list: Option<&Value>) -> BTreeSet<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Something that is in `from` and not in `to`, where no set means everything.
fn difference(from: Option<BTreeSet<String>>, to: Option<BTreeSet<String>>) -> Option<String> {
    match (from, to) {
        (_, None) => None,
        (None, Some(_)) => Some("anything else".to_owned()),
        (Some(from), Some(to)) => from.difference(&to).next().cloned(),
    }
}

#[test]
fn a_breaking_change_names_its_member() {
    let before = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["title"],
        "properties": {
            "title": {"type": "string", "maxLength": 200},
            "priority": {"type": "string", "enum": ["low", "high"]},
            "count": {"type": ["integer", "null"], "minimum": 1},
            "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}},
            "by": {"oneOf": [{"const": "ada"}, {"const": "grace"}]},
        },
    });
    let breaks: [(&str, Value, &str); 9] = [
        ("/required", json!(["title", "count"]), "`/count`: the member is now required"),
        ("/properties/title/maxLength", json!(100), "`/title`: maxLength is tighter"),
        ("/properties/title/type", json!("integer"), "`/title`: the type string is no longer"),
        ("/properties/priority/enum", json!(["low"]), "`/priority`: \"high\" is no longer"),
        ("/properties/count/type", json!("integer"), "`/count`: the type null is no longer"),
        ("/properties/count/minimum", json!(2), "`/count`: minimum is tighter"),
        ("/properties/tags/items/pattern", json!("^[a-c]+$"), "`/tags/*`: pattern is tighter"),
        ("/properties/by/oneOf", json!([{"const": "ada"}]), "`/by`: {\"const\":\"grace\"} is no"),
        ("/properties", json!({"title": {"type": "string"}}), "`/by`: the member is gone"),
    ];
    for (pointer, value, expected) in breaks {
        let mut after = before.clone();
        *after.pointer_mut(pointer).expect("a place in the schema") = value;
        let found = narrowed(&before, &after);
        assert!(found.iter().any(|found| found.starts_with(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn a_compatible_change_is_let_through() {
    let before = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["title"],
        "properties": {"title": {"type": "string", "maxLength": 200, "pattern": "^a"}},
    });
    let after = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "title": {"type": ["string", "null"], "maxLength": 300, "description": "Any text."},
            "colour": {"type": "string"},
        },
    });
    assert_eq!(narrowed(&before, &after), Vec::<String>::new());
    assert!(!narrowed(&after, &before).is_empty(), "the other way it is breaking");
}
