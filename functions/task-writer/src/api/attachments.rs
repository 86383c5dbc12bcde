//! Attachments: announced, deleted.

use axum::http::StatusCode;
use http_support::contract::{
    Answer, CACHE_CONTROL, LOCATION, Operation, REPLAYED, answers, examples, fails, sent,
};
use http_support::problems::{IDEMPOTENCY_KEY_IN_FLIGHT, TOO_MANY_ATTACHMENTS};
use serde_json::{Value, json};

use crate::attachments::Announced;

pub(crate) fn create_attachment(operation: Operation<'_>) -> Operation<'_> {
    let announced = Answer::new(
        StatusCode::CREATED,
        "The attachment, which is available once its file was uploaded and verified.",
    );
    let ids = [("id", "$request.path.id"), ("attachment", "$response.body#/id")];
    let announced = announced
        .json::<Announced>(upload())
        .header(LOCATION)
        .header(CACHE_CONTROL)
        .header(REPLAYED.if_any())
        .then("getAttachment", &ids)
        .then("deleteAttachment", &ids);
    operation
        .id("createAttachment")
        .tag("Attachments")
        .summary("Announce an attachment")
        .description(
            "Says what the file will be, and gets a signed request that uploads it, headers \
             included; nothing else can be uploaded with it. A task has at most 20 attachments.",
        )
        .with(sent(examples::file()))
        .with(answers(announced))
        .with(fails(&[TOO_MANY_ATTACHMENTS]))
}

/// An attachment that is to be uploaded.
fn upload() -> Value {
    let request = json!({
        "method": "PUT",
        "url": "https://bucket.example/attachments/acme?X-Amz-Signature=5e1f",
        "headers": { "content-type": "application/pdf", "content-length": "48213" },
        "expires_at": "2026-01-31T09:45:00.000000Z",
    });
    examples::attachment("pending", Some(("upload", request)))
}

pub(crate) fn delete_attachment(operation: Operation<'_>) -> Operation<'_> {
    let deleted = Answer::new(StatusCode::NO_CONTENT, "The attachment is deleted, and its file.")
        .header(REPLAYED.if_any());
    operation
        .id("deleteAttachment")
        .tag("Attachments")
        .summary("Delete an attachment")
        .description("Whether its file was uploaded or not.")
        .with(answers(deleted))
        .with(fails(&[IDEMPOTENCY_KEY_IN_FLIGHT]))
}
