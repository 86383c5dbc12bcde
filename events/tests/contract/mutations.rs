//! `decode` takes what the schemas take, and nothing else but this service's own sources.

use events::{CommandType, decode, decode_claimed};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{files, kind_of, validator};

/// A value for one member: mostly near what is allowed, sometimes far from it.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1..4_i64).prop_map(Value::from),
        "[ a-zA-Z\u{0}\u{1f}\u{7f}é-]{0,4}".prop_map(Value::from),
        prop_oneof![Just(199_usize), Just(200), Just(201), Just(10_000), Just(10_001)]
            .prop_map(|length| "é".repeat(length).into()),
        prop_oneof![Just(49_usize), Just(51), Just(63), Just(64), Just(100), Just(101), Just(128)]
            .prop_map(|length| "a".repeat(length).into()),
        "20[0-9]{2}-[01][0-9]-[0-3][0-9]".prop_map(Value::from),
        "20[0-9]{2}-0[1-9]-1[0-9][Tt ][012][0-9]:[0-5][0-9]:[0-5][0-9](Z|z|\\+01:00|)"
            .prop_map(Value::from),
        prop_oneof![Just("low"), Just("urgent"), Just("1.0"), Just("application/json")]
            .prop_map(Value::from),
        prop::collection::vec("[a-c]{0,2}", 0..3).prop_map(Value::from),
        (19..22_usize)
            .prop_map(|tags| (0..tags).map(|tag| Value::from(format!("t{tag}"))).collect()),
        Just(json!({})),
        // As serde writes an enum's variant that has no data.
        prop_oneof![Just("low"), Just("1.0"), Just("application/json")]
            .prop_map(|name| json!({ name: null })),
        hostile(),
    ]
}

/// What one reader takes and another does not.
fn hostile() -> impl Strategy<Value = Value> {
    let whole = [1.0, 7.0, 1.5, 9_007_199_254_740_991.0, 9_007_199_254_740_992.0, 1e300, -0.0];
    prop_oneof![
        "[0-9]{4}-(01-01|12-31|02-29)".prop_map(Value::from),
        prop_oneof![Just("0000-01-01"), Just("0001-01-01"), Just("9999-12-31"), Just("0000-02-29")]
            .prop_map(Value::from),
        "[0-9]{4}-12-31[Tt]23:59:(59|60)(.[0-9]{1,12})?(Z|z|[+-]23:59|\u{2212}01:00)"
            .prop_map(Value::from),
        "[\u{7f}-\u{9f}\u{2028}\u{2029}\u{fffd}-\u{ffff}\u{1fffe}\u{10ffff}\u{feff}]{1,4}"
            .prop_map(Value::from),
        prop::sample::select(whole.to_vec()).prop_map(Value::from),
        prop::sample::select(vec![u64::MAX, i64::MAX.unsigned_abs(), 9_007_199_254_740_992])
            .prop_map(Value::from),
        "(urn|URN|Urn):task-app:[a-z]{0,4}".prop_map(Value::from),
        "(application|Text|)/(x\\+|\\+|)(json|JSON|xml)( ?; ?(charset|Charset|x)=(utf-8|UTF-8|\"utf-8\"|u|)){0,2}"
            .prop_map(Value::from),
    ]
}

/// A valid example, or one whose data travels apart, with one member replaced, added or removed; and its
/// data.
fn mutated() -> impl Strategy<Value = (CommandType, Value, Value)> {
    let examples: Vec<_> = files("examples/valid").into_iter().collect();
    let member = prop_oneof![
        "(specversion|id|source|subject|time|datacontenttype|tenant|actor|traceparent|dataref|data|data_base64|ext)"
            .prop_map(|name| format!("/{name}")),
        "(title|description|priority|assignee|due_date|tag|tags|expected_version|patch|x)"
            .prop_map(|name| format!("/data/{name}")),
        "(title|description|priority|assignee|due_date|tags|x)"
            .prop_map(|name| format!("/data/patch/{name}")),
    ];
    (prop::sample::select(examples), any::<bool>(), member, prop::option::of(value())).prop_map(
        |((file, body), apart, pointer, value)| {
            let mut event: Value = serde_json::from_str(&body).expect("an example is JSON");
            let data = event.get("data").cloned().unwrap_or_default();
            if apart {
                event = crate::claimed::apart(&body).0;
            }
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
            if let Some(Value::Object(parent)) = event.pointer_mut(parent) {
                match value {
                    Some(value) => parent.insert(name.to_owned(), value),
                    None => parent.remove(name),
                };
            }
            (kind_of(&file), event, data)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn decode_accepts_what_the_schema_accepts((kind, event, data) in mutated()) {
        let apart = event.get("data").is_none() && event.get("dataref").is_some();
        let decoded = if apart {
            decode_claimed(&event.to_string(), &data.to_string())
        } else {
            decode(&event.to_string())
        };
        let accepted = decoded.as_ref().is_ok_and(|event| !event.source.is_reserved());
        let valid = validator(kind).is_valid(&event);
        prop_assert_eq!(accepted, valid, "{:?} for {}", decoded, event);
    }

    #[test]
    fn decode_never_panics(body in ".{0,200}") {
        let _ = decode(&body);
    }
}

#[test]
fn a_time_is_one_to_both_or_to_neither() {
    let (file, body) = files("examples/valid").into_iter().next().expect("an example");
    let (validator, mut event) =
        (validator(kind_of(&file)), serde_json::from_str::<Value>(&body).expect("JSON"));
    for time in [
        "2026-01-31T09:30:00Z",
        "2026-01-31t09:30:00z",
        "2026-01-31T09:30:00.123456789123+00:00",
        "0000-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60+23:59",
        "2016-12-31T12:30:60Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T09:30:00+24:00",
        "2026-01-31T09:30:00+00:60",
        "2026-01-31T09:30:00\u{2212}01:00",
        "2026-01-31T09:30:00-00:00",
        "2026-01-31T09:30:00.Z",
        "2026-01-31T09:30:00,5Z",
        "2026-01-31T09:30Z",
        "2026-02-30T09:30:00Z",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        " 2026-01-31T09:30:00Z",
        "2026-01-31T09:30:00Z\n",
        "2026-01-31T09:30:00 Z",
    ] {
        event["time"] = time.into();
        let decoded = decode(&event.to_string());
        assert_eq!(decoded.is_ok(), validator.is_valid(&event), "{time}: {decoded:?}");
    }
}

#[test]
fn a_content_type_is_one_to_both_or_to_neither() {
    let (file, body) = files("examples/valid").into_iter().next().expect("an example");
    let (validator, mut event) =
        (validator(kind_of(&file)), serde_json::from_str::<Value>(&body).expect("JSON"));
    let mut taken = 0;
    for kind in
        ["application/json", "application/a.b+JSON", " text/json ", "a/xml", "a/+json", "json"]
    {
        for charset in [
            "utf-8",
            "UTF-8",
            "\"utf-8\"",
            "\"utf-8 \"",
            "\"utf-8x\"",
            "\"\"",
            "\" \"",
            "\"u\"",
            "",
            "u",
            "ut",
            "utf",
            "utf-",
            "utf-9",
            "utf-88",
            "utf-8\"",
            "utf-8; charset=u",
            "utf-8\\;x=1",
            "utf-8 ;x=\"a b\"",
            "utf-8;x=\"a\\\"b\"",
            "utf-8;x=\"a;b\"",
            "utf-8;",
            "utf-8;y",
            "é",
            "latin1",
        ] {
            for name in [";charset=", "; CharSet=", " ;\tcharset=", "; charset =", "; x="] {
                let content_type = format!("{kind}{name}{charset}");
                event["datacontenttype"] = json!(content_type);
                let decoded = decode(&event.to_string());
                assert_eq!(
                    decoded.is_ok(),
                    validator.is_valid(&event),
                    "{content_type}: {decoded:?}"
                );
                taken += usize::from(decoded.is_ok());
            }
        }
    }
    assert!(taken > 40, "{taken}");
}

#[test]
fn a_whole_number_is_a_version_however_it_is_written() {
    let file = "dev.task-app.complete-task.v1.plain.json";
    let body = files("examples/valid").remove(file).expect("an example");
    let decoded = |version: &str| {
        let data = format!("\"data\": {{\"expected_version\": {version}}}");
        decode(&body.replace("\"data\": {}", &data))
    };
    for version in ["1", "1.0", "1e0", "10E-1"] {
        let command = decoded(version).expect(version).command;
        assert_eq!(command, decoded("1").expect("a version").command);
    }
    let error = decoded("1.5").expect_err("no version");
    assert_eq!(error.pointer, "/data/expected_version");
}
