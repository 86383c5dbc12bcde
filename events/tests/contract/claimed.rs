//! Events whose data travels apart; and bodies that are made to cost more than they say.

use events::{MAX_BYTES, MAX_DATA_BYTES, Reason, decode, decode_claimed};
use serde_json::{Value, json};

/// An event as a claim check has it, and its data.
pub(crate) fn apart(body: &str) -> (Value, String) {
    let mut event: Value = serde_json::from_str(body).expect("an example is JSON");
    let members = event.as_object_mut().expect("an object");
    let data = members.remove("data").expect("data");
    members.insert("dataref".to_owned(), json!("s3://bucket/key"));
    (event, data.to_string())
}

fn create() -> (Value, String) {
    let example = crate::files("examples/valid").remove("dev.task-app.create-task.v1.full.json");
    apart(&example.expect("an example"))
}

#[test]
fn data_means_the_same_inline_and_apart() {
    for (file, body) in crate::files("examples/valid") {
        let (event, data) = apart(&body);
        let valid = crate::validator(crate::kind_of(&file)).validate(&event);
        assert!(valid.is_ok(), "{file}: {valid:?}");
        let claimed = decode_claimed(&event.to_string(), &data);
        let claimed = claimed.unwrap_or_else(|error| panic!("{file}: {error}"));
        let inline = decode(&body).expect("a valid example");
        assert_eq!((claimed.id, claimed.source), (inline.id, inline.source), "{file}");
        assert_eq!(claimed.command, inline.command, "{file}");
    }
}

#[test]
fn data_is_either_inline_or_apart_and_the_error_says_what_is_missing() {
    let (event, data) = create();
    let unclaimed = decode(&event.to_string()).expect_err("no data");
    assert_eq!((unclaimed.reason, unclaimed.pointer.as_str()), (Reason::SchemaViolation, ""));
    assert!(unclaimed.detail.contains("ClaimCheck"), "{unclaimed}");

    let mut both = event.clone();
    both["data"] = json!({"title": "Inline"});
    let error = decode_claimed(&both.to_string(), &data).expect_err("two data");
    assert_eq!((error.reason, error.pointer.as_str()), (Reason::SchemaViolation, "/data"));
    decode(&both.to_string()).expect("dataref is but a copy then");

    let mut neither = event;
    neither["dataref"] = Value::Null;
    let error = decode_claimed(&neither.to_string(), &data).expect_err("no dataref");
    assert!(error.detail.contains("dataref"), "{error}");
}

#[test]
fn data_apart_may_be_larger_but_not_without_limit() {
    let (event, data) = create();
    let event = event.to_string();
    let padded = |bytes: usize| format!("{}{data}", " ".repeat(bytes - data.len()));
    decode_claimed(&event, &padded(MAX_DATA_BYTES)).expect("as large as may be");
    let error = decode_claimed(&event, &padded(MAX_DATA_BYTES + 1)).expect_err("too large");
    assert_eq!((error.reason, error.pointer.as_str()), (Reason::BodyTooLarge, "/data"));
}

#[test]
fn what_is_too_large_is_not_read() {
    // Were it parsed, it would be malformed.
    let error = decode(&"[".repeat(MAX_BYTES + 1)).expect_err("too large");
    assert_eq!(error.reason, Reason::BodyTooLarge);
    let error = decode_claimed("{", &"[".repeat(MAX_DATA_BYTES + 1)).expect_err("too large");
    assert_eq!(error.reason, Reason::BodyTooLarge);
}

#[test]
fn no_nesting_is_too_deep_to_be_refused() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let (mut event, _) = create();
    for data in [deep.clone(), format!("{{\"title\": {deep}}}"), format!("{{\"tags\": {deep}}}")] {
        let error = decode_claimed(&event.to_string(), &data).expect_err("no command");
        assert_eq!(error.reason, Reason::SchemaViolation, "{error}");
    }
    // Where a value is wanted that may hold others, serde_json stops at the 128th.
    let error = serde_json::from_str::<Value>(&deep).expect_err("too deep");
    assert!(error.to_string().contains("recursion limit"), "{error}");

    // What is not looked at is passed over without recursion.
    event["data"] = json!({"title": "Deep"});
    let extended = event.to_string().replacen('{', &format!("{{\"extension\": {deep},"), 1);
    decode(&extended).expect("an extension is anyone's");
}
