use serde_json::{Value, json};

use super::{narrowed, unreadable};

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
        ("/properties/by/oneOf", json!([{"const": "ada"}]), "`/by`: \"grace\" is no longer"),
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

#[test]
fn a_change_of_spelling_is_no_change_and_hides_none() {
    let described = json!({"oneOf": [{"type": "string", "const": "a"}, {"const": "b"}]});
    let listed = json!({"type": "string", "enum": ["a", "b"]});
    assert_eq!(narrowed(&described, &listed), Vec::<String>::new());
    assert_eq!(unreadable(&described, &listed), Vec::<String>::new());
    assert!(!narrowed(&described, &json!({"type": "string", "enum": ["a"]})).is_empty());

    let known = json!({"type": "string", "enum": ["a", "b"], "x-may-grow": true});
    let open = |values: Value| json!({"type": "string", "x-extensible-enum": values});
    assert_eq!(unreadable(&known, &open(json!(["a", "b", "c"]))), Vec::<String>::new());
    let less = unreadable(&open(json!(["a", "b"])), &open(json!(["a"])));
    assert_eq!(less, ["``: the value \"b\" is gone"]);

    let title = |length: u8| json!({"title": {"maxLength": length}, "data": {}, "dataref": {}});
    let plain = json!({"required": ["data"], "properties": title(9)});
    let mut either = json!({"properties": title(9), "anyOf": [
        {"required": ["data"], "properties": {"data": {}}}, {"required": ["dataref"]},
    ]});
    assert_eq!(narrowed(&plain, &either), Vec::<String>::new());
    either["properties"] = title(8);
    assert_eq!(narrowed(&plain, &either), ["`/title`: maxLength is tighter"]);
}

#[test]
fn readers_accept_new_members_and_no_new_values() {
    let before = json!({
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"type": "string", "oneOf": [{"const": "open"}, {"const": "done"}]},
            "code": {"type": "string", "enum": ["a"], "x-may-grow": true},
            "items": {"type": "array", "items": {"type": "object", "properties": {"id": {}}}},
        },
    });
    let with = |pointer: &str, value: Value| {
        let mut after = before.clone();
        *after.pointer_mut(pointer).expect("a place in the schema") = value;
        unreadable(&before, &after)
    };
    let states = json!([{"const": "open"}, {"const": "done"}, {"const": "late"}]);
    assert_eq!(with("/properties/code/enum", json!(["a", "b"])), Vec::<String>::new());
    for (pointer, value, expected) in [
        ("/properties/status/oneOf", states, "`/status`: \"late\" is no longer allowed"),
        (
            "/properties/status/oneOf",
            json!([{"const": "open"}]),
            "`/status`: the value \"done\" is",
        ),
        ("/properties/code/enum", json!(["b"]), "`/code`: the value \"a\" is gone"),
        ("/properties/items/items/properties", json!({}), "`/items/*/id`: the member is gone"),
        ("/required", json!([]), "`/status`: the member is now required"),
    ] {
        let found = with(pointer, value);
        assert!(found.iter().any(|found| found.starts_with(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn values_that_are_no_longer_listed_are_tried() {
    let from = json!({"type": "string", "enum": ["a", "b"]});
    let to = |pattern: &str| json!({"type": "string", "pattern": pattern});
    assert!(narrowed(&from, &to("^[abc]$")).is_empty());
    assert_eq!(narrowed(&from, &to("^a$")), ["``: pattern is tighter"]);
}
