//! JSON Schema in the forms that generators of clients read. Each is a transform for schemars.
//!
//! The derived forms say the same, and some generators make no code of them, or code that does not
//! compile: an alternative for each name of an enum, and the default of a member, which makes it one that
//! is always there.

use std::fmt::Write as _;

use schemars::Schema;
use serde_json::Value;

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

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}
