//! Bodies that are envelopes of somebody else: their senders configured something, and read here
//! what it is and which setting mends it. "Missing field `specversion`" says neither.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use crate::error::{DecodeError, Reason};

const SNS: &str = "this is an Amazon SNS notification, with the message inside: set \
    `RawMessageDelivery` of the subscription to `true`";
const EVENT_BRIDGE: &str = "this is an Amazon EventBridge event: give the rule's target the `InputPath` \
    `$.detail`, or an input transformer, so that the CloudEvents event alone is the body";
const S3: &str = "this is an Amazon S3 notification: name attachment-worker's queue \
    (`attachment-events`) in the bucket's notification configuration";
const EXTENDED_CLIENT: &str = "this is a pointer of the Amazon SQS Extended Client Library: send large \
    data as a claim check, with `dataref` and the message attribute `ClaimCheck`";
const CELERY: &str = "this is a message of Celery: give Celery a queue of its own, and send commands \
    as CloudEvents by an SQS client";

/// How the extended client calls its pointers, today and in its first version.
const POINTERS: [&str; 2] = [
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
];

/// The error of a body that could not be read, if it is somebody else's envelope.
pub(crate) fn foreign(body: &str) -> Option<DecodeError> {
    let detail = match serde_json::from_str(body) {
        Ok(Value::Object(members)) => of_object(&members),
        Ok(Value::Array(items)) => {
            let name = items.first().and_then(Value::as_str);
            name.is_some_and(|name| POINTERS.contains(&name)).then_some(EXTENDED_CLIENT)
        }
        Ok(_) => None,
        Err(_) => in_base64(body),
    };
    detail.map(|detail| DecodeError {
        reason: Reason::ForeignEnvelope,
        pointer: String::new(),
        detail: detail.to_owned(),
    })
}

/// What has a `specversion` is an event, whatever else is wrong with it.
fn of_object(members: &Map<String, Value>) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().all(|name| members.contains_key(*name));
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if has(&["specversion"]) {
        return None;
    }
    if has(&["TopicArn", "Message"]) && text("Type") == Some("Notification") {
        return Some(SNS);
    }
    if has(&["detail-type", "source", "detail"]) {
        return Some(EVENT_BRIDGE);
    }
    let records = members.get("Records").and_then(Value::as_array);
    let of_s3 = |record: &Value| record.get("eventSource").is_some_and(|source| source == "aws:s3");
    if records.is_some_and(|records| records.iter().any(of_s3))
        || text("Event") == Some("s3:TestEvent")
    {
        return Some(S3);
    }
    has(&["body", "content-encoding", "headers", "properties"]).then_some(CELERY)
}

/// Celery's transport writes its JSON in Base64.
fn in_base64(body: &str) -> Option<&'static str> {
    let json = BASE64_STANDARD.decode(body.trim()).ok()?;
    let members: Map<String, Value> = serde_json::from_slice(&json).ok()?;
    of_object(&members).filter(|detail| *detail == CELERY)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn detail(body: &str) -> String {
        foreign(body).map_or_else(String::new, |error| error.detail)
    }

    #[test]
    fn an_envelope_is_called_what_it_is() {
        let celery = json!({
            "body": "W10=", "content-encoding": "utf-8", "content-type": "application/json",
            "headers": {"lang": "py", "task": "tasks.add"}, "properties": {"body_encoding": "base64"},
        });
        let pointer = |name: &str| json!([name, {"s3BucketName": "b", "s3Key": "k"}]).to_string();
        for (body, setting) in [
            (json!({"Type": "Notification", "TopicArn": "a", "Message": "{}"}).to_string(), SNS),
            (
                json!({"version": "0", "detail-type": "t", "source": "s", "detail": {}})
                    .to_string(),
                EVENT_BRIDGE,
            ),
            (json!({"Records": [{"eventSource": "aws:s3"}]}).to_string(), S3),
            (json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}).to_string(), S3),
            (pointer(POINTERS[0]), EXTENDED_CLIENT),
            (pointer(POINTERS[1]), EXTENDED_CLIENT),
            (celery.to_string(), CELERY),
            (BASE64_STANDARD.encode(celery.to_string()), CELERY),
        ] {
            assert_eq!(detail(&body), setting, "{body}");
        }
    }

    #[test]
    fn what_looks_like_none_keeps_its_own_reason() {
        for body in [
            "",
            "null",
            "{}",
            "[]",
            "[\"text\"]",
            "eyJhIjoxfQ==",
            r#"{"Records": []}"#,
            r#"{"Records": [{"eventSource": "aws:sqs"}]}"#,
            r#"{"Type": "SubscriptionConfirmation", "TopicArn": "a", "Message": "m"}"#,
            r#"{"specversion": "1.0", "detail-type": "t", "source": "s", "detail": {}}"#,
        ] {
            assert_eq!(foreign(body), None, "{body}");
        }
    }
}
