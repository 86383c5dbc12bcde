//! JSON Schema in the forms that generators of clients read. Each is a transform for schemars.
//!
//! The derived forms say the same, and some generators make no code of them, or code that does not
//! compile: an alternative for each name of an enum, and the default of a member, which makes it one that
//! is always there.

use std::fmt::Write as _;

use schemars::Schema;
use schemars::transform::transform_subschemas;
use serde_json::{Map, Value};

/// An enum of names: one `enum`, with the meaning of each name in the description.
pub fn names(schema: &mut Schema) {
    let Some(Value::Array(variants)) = schema.remove("oneOf") else { return };
    let mut description = text(schema.get("description")).to_owned();
    let mut names = Vec::with_capacity(variants.len());
    for (index, variant) in variants.iter().enumerate() {
        let (name, meaning) = (text(variant.get("const")), text(variant.get("description")));
        let gap = if index == 0 && !description.is_empty() { "\n\n" } else { "" };
        // Writing into a text cannot fail.
        let _ = writeln!(description, "{gap}- `{name}`: {meaning}");
        names.push(name);
    }
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), names.into());
    schema.insert("description".to_owned(), description.trim_end().into());
}

/// An object: what its members are by default, in their descriptions.
pub fn defaults(schema: &mut Schema) {
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for member in members.into_iter().flat_map(|members| members.values_mut()) {
        let Some(member) = member.as_object_mut() else { continue };
        let Some(default) = member.remove("default").filter(|default| !default.is_null()) else {
            continue;
        };
        let description = text(member.get("description"));
        let description = format!("{description} By default: `{default}`.");
        member.insert("description".to_owned(), description.into());
    }
}

/// A schema of what we send, with all that is in it: a member without a value is absent, and never `null`,
/// which is what we write. (Of an `Option`, schemars says that it may be either.)
pub fn absent(schema: &mut Schema) {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, member) in members.into_iter().flatten() {
        let is_required = required.iter().any(|required| required == name.as_str());
        if let Some(member) = member.as_object_mut().filter(|_| !is_required) {
            without_null(member);
        }
    }
    transform_subschemas(&mut absent, schema);
}

fn without_null(member: &mut Map<String, Value>) {
    for (keyword, null) in [("type", "null".into()), ("enum", Value::Null)] {
        if let Some(Value::Array(list)) = member.get_mut(keyword) {
            list.retain(|one| *one != null);
        }
    }
    if let Some(Value::Array(types)) = member.get_mut("type")
        && let [one] = types.as_slice()
    {
        let one = one.clone();
        member.insert("type".to_owned(), one);
    }
    if let Some(Value::Array(alternatives)) = member.get_mut("anyOf") {
        alternatives.retain(|one| one.get("type") != Some(&"null".into()));
        if let [Value::Object(only)] = alternatives.as_slice() {
            let only = only.clone();
            member.remove("anyOf");
            for (keyword, value) in only {
                // What is said of the member goes before what is said of its type.
                member.entry(keyword).or_insert(value);
            }
        }
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use schemars::json_schema;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_that_may_be_absent_is_never_null() {
        let member = |before: Value| {
            let mut schema = json_schema!({"items": {"properties": {"a": before}}});
            absent(&mut schema);
            schema.pointer("/items/properties/a").cloned()
        };
        for (before, after) in [
            (json!({"type": ["string", "null"]}), json!({"type": "string"})),
            (
                json!({"type": ["string", "null"], "enum": ["b", null]}),
                json!({"type": "string", "enum": ["b"]}),
            ),
            (
                json!({"description": "A", "anyOf": [{"$ref": "#/b", "description": "B"}, {"type": "null"}]}),
                json!({"description": "A", "$ref": "#/b"}),
            ),
            (
                json!({"anyOf": [{"$ref": "#/b"}, {"$ref": "#/c"}, {"type": "null"}]}),
                json!({"anyOf": [{"$ref": "#/b"}, {"$ref": "#/c"}]}),
            ),
            (json!({"type": ["string", "integer"]}), json!({"type": ["string", "integer"]})),
        ] {
            assert_eq!(member(before), Some(after));
        }
        let mut always =
            json_schema!({"required": ["a"], "properties": {"a": {"type": ["string", "null"]}}});
        let before = always.clone();
        absent(&mut always);
        assert_eq!(always, before);
    }
}
