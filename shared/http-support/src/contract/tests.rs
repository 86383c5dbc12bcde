//! What the document says that a value may be, and what is taken, are one: for the values that no
//! event has (the others, the tests of `events` hold against their schemas).

use domain::{
    AttachmentId, AttachmentName, AttachmentSize, ContentType, NewAttachmentName, NewTitle, Sha256,
    Title,
};
use records::OperationId;
use serde_json::Value;
use test_values::schema::{agree, in_json, schema_of};

use crate::page::Limit;
use crate::{IdempotencyKey, Query};

/// As long as a key may be.
const LONG: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\
                    kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";

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
    agree::<NewAttachmentName>(&["plan.pdf", " Bild 1"], in_json::<NewAttachmentName>);
    agree::<Title>(&["Plan", " 1"], in_json::<Title>);
    agree::<NewTitle>(&["Plan", " 1"], in_json::<NewTitle>);
    agree::<ContentType>(&["application/pdf", "a/b"], in_json::<ContentType>);
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
