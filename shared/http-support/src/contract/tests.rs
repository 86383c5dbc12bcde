//! What the document says that a value may be, and what is taken, are one: for the values that no
//! event has (the others, the tests of `events` hold against their schemas).

use domain::{AttachmentId, AttachmentName, AttachmentSize, ContentType, Sha256};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use records::OperationId;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::{Sort, TitleText};

use crate::page::Limit;
use crate::{IdempotencyKey, Query};

/// What slips into texts.
const ODD: &[&str] = &[
    "", "\"", "\\", "\\\"", "/", " ", "\t", "\0", "\u{7f}", "\u{85}", "-", "+", "_", "=", ".", "0",
    "7", "a", "g", "Z", "ß", "三", "٣", "💧",
];

/// As long as a key may be.
const LONG: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\
                    kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";

fn schema_of<T: JsonSchema>() -> Validator {
    let schema = T::json_schema(&mut SchemaGenerator::default());
    jsonschema::options().should_validate_formats(true).build(schema.as_value()).unwrap()
}

/// A text that is fine, or was until something was put in the place of something.
fn nearly(fine: &'static [&'static str]) -> impl Strategy<Value = String> {
    let change = (select(fine), any::<prop::sample::Index>(), 0..3_usize, select(ODD), 0..3_usize);
    change.prop_map(|(fine, at, gone, odd, repeated)| {
        let mut text: Vec<_> = fine.chars().collect();
        let at = at.index(text.len() + 1);
        let end = (at + gone).min(text.len());
        text.splice(at..end, odd.repeat(repeated).chars());
        text.into_iter().collect()
    })
}

fn agree<T: JsonSchema>(fine: &'static [&'static str], is_taken: impl Fn(&str) -> bool) {
    let schema = schema_of::<T>();
    for fine in fine {
        assert!(schema.is_valid(&json!(fine)) && is_taken(fine), "{fine:?}");
    }
    proptest!(|(text in nearly(fine))| {
        prop_assert_eq!(schema.is_valid(&json!(text)), is_taken(&text), "{:?}", text);
    });
}

fn in_json<T: DeserializeOwned>(text: &str) -> bool {
    serde_json::from_value::<T>(json!(text)).is_ok()
}

#[test]
fn texts_in_bodies_and_paths_are_what_the_document_says() {
    agree::<AttachmentId>(&["01940000-0000-7000-8000-0000000000a1"], |text| {
        text.parse::<AttachmentId>().is_ok()
    });
    agree::<OperationId>(&["7d5e9c1f0a3b4c6d8e2f1a0b9c8d7e6f"], |text| {
        text.parse::<OperationId>().is_ok()
    });
    let digests = &[
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF8=",
    ];
    agree::<Sha256>(digests, in_json::<Sha256>);
    agree::<AttachmentName>(&["plan.pdf", " Bild 1"], in_json::<AttachmentName>);
    agree::<ContentType>(&["application/pdf", "a/b"], in_json::<ContentType>);
}

#[test]
fn parameters_are_what_the_document_says() {
    agree::<TitleText>(&["abc", "a-b c1d", "für"], in_json::<TitleText>);
    agree::<Sort>(&["created", "-due"], in_json::<Sort>);
}

#[test]
fn a_key_is_what_the_document_says() {
    agree::<IdempotencyKey>(&["k-1", "\"k-1\"", r#""a\"b\\c""#, LONG], |text| {
        let key =
            text.parse().map(|value| [("idempotency-key".parse().unwrap(), value)].into_iter());
        // Spaces around it are none of its own.
        text.trim() == text
            && key.is_ok_and(|key| IdempotencyKey::from_headers(&key.collect()).is_ok())
    });
}

#[test]
fn numbers_are_what_the_document_says() {
    let (limits, sizes) = (schema_of::<Limit>(), schema_of::<AttachmentSize>());
    for number in ["0", "1", "7", "200", "201", "-1", "1.5", "104857600", "104857601", "1e3", "7.0"]
    {
        let value: Value = serde_json::from_str(number).unwrap();
        let taken = serde_json::from_value::<AttachmentSize>(value.clone()).is_ok();
        assert_eq!(sizes.is_valid(&value), taken, "{number}");
        // A query has no numbers, only their digits.
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let uri = format!("/?limit={number}").parse().unwrap();
        let taken = Query::<std::collections::HashMap<String, Limit>>::from_uri(&uri).is_ok();
        assert_eq!(limits.is_valid(&value) && digits, taken, "{number}");
    }
}
