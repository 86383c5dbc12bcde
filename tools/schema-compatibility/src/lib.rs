//! Says what a change of a JSON Schema would break: for the tests that hold a contract against its
//! last release. It knows the keywords that our schemas have.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The mark of an enumeration that may gain values: readers must accept unknown ones.
pub const MAY_GROW: &str = "x-may-grow";
/// The values of such an enumeration where nothing says that they are all, for generators of clients.
pub const KNOWN: &str = "x-extensible-enum";

/// What a reader of `released` can no longer read, now that it is sent what fits
/// `current`: each place, and what is wrong there.
#[must_use]
pub fn unreadable(released: &Value, current: &Value) -> Vec<String> {
    let mut found = narrowed(current, released);
    gone(released, current, "", &mut found);
    found
}

/// Where, and how, `to` accepts less than `from` does: what breaks senders of what fits `from`
/// where `to` is wanted. Errs on the side of finding too much: what it
/// cannot compare, such as two patterns, must be equal.
#[must_use]
pub fn narrowed(from: &Value, to: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(from, to, "", &mut found);
    found
}

fn compare(from: &Value, to: &Value, at: &str, found: &mut Vec<String>) {
    if from == to || *to == Value::Bool(true) {
        return;
    }
    if takes_each_value(from, to) {
        return;
    }
    let (Some(from), Some(to)) = (from.as_object(), to.as_object()) else {
        return found.push(format!("`{at}`: the schema was replaced"));
    };
    let listed = values(from).is_some() && values(to).is_some();
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if !listed && from.get(keyword) != to.get(keyword) {
            alternatives(from, to, at, found);
            let both = from.contains_key(keyword) && to.contains_key(keyword);
            let beside = from.contains_key("properties") && to.contains_key("properties");
            if !both && !beside {
                return;
            }
        }
    }
    let mut report = |what: String| found.push(format!("`{at}`: {what}"));
    if to.get(MAY_GROW) != Some(&Value::Bool(true))
        && let Some(gone) = difference(values(from), values(to))
    {
        report(format!("{gone} is no longer allowed"));
    }
    if let Some(gone) = difference(types(from), types(to)) {
        report(format!("the type {gone} is no longer allowed"));
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
            report(format!("{keyword} is tighter"));
        }
    }
    members(from, to, at, found);
    for (keyword, below) in [("items", "*"), ("additionalProperties", "**")] {
        if let (Some(from), Some(to @ Value::Object(_))) = (from.get(keyword), to.get(keyword)) {
            compare(from, to, &format!("{at}/{below}"), found);
        }
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

/// Whether `from` lists all its values, and `to`, which lists none, allows each.
fn takes_each_value(from: &Value, to: &Value) -> bool {
    let listed = |schema: &Value| schema.as_object().and_then(values);
    let (Some(values), None) = (listed(from), listed(to)) else { return false };
    let mut values = values.iter().map(|value| serde_json::from_str(value));
    values.all(|value| value.is_ok_and(|value| jsonschema::is_valid(to, &value)))
}

/// The members, required or not, and the values that those who read may have come to rely on.
fn gone(before: &Value, after: &Value, at: &str, found: &mut Vec<String>) {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return };
    let known = properties(after);
    for (name, before) in properties(before) {
        match known.get(&name) {
            Some(after) => gone(&before, after, &format!("{at}/{name}"), found),
            None => found.push(format!("`{at}/{name}`: the member is gone")),
        }
    }
    let known = |schema| texts(schema, KNOWN).or_else(|| values(schema));
    if let (Some(before), Some(after)) = (known(before), known(after)) {
        let values = before.difference(&after);
        found.extend(values.map(|value| format!("`{at}`: the value {value} is gone")));
    }
    if let (Some(before), Some(after)) = (before.get("items"), after.get("items")) {
        gone(before, after, &format!("{at}/*"), found);
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
    let one = schema.get("const").map(|value| BTreeSet::from([value.to_string()]));
    let described = || {
        let alternatives = schema.get("oneOf")?.as_array()?.iter();
        alternatives.map(|alternative| Some(alternative.get("const")?.to_string())).collect()
    };
    one.or_else(|| texts(schema, "enum")).or_else(described)
}

/// The values that a keyword lists, as JSON.
fn texts(schema: &Map<String, Value>, keyword: &str) -> Option<BTreeSet<String>> {
    Some(schema.get(keyword)?.as_array()?.iter().map(Value::to_string).collect())
}

/// The types that a schema allows, also if only its values say it.
fn types(schema: &Map<String, Value>) -> Option<BTreeSet<String>> {
    match schema.get("type") {
        Some(Value::String(one)) => Some(BTreeSet::from([one.clone()])),
        Some(several) => Some(strings(Some(several))),
        None => {
            let texts = values(schema)?.iter().all(|value| value.starts_with('"'));
            texts.then(|| BTreeSet::from(["string".to_owned()]))
        }
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
