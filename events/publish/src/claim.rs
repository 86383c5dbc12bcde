//! Events whose data travels apart, in S3: claim checks.

use std::collections::BTreeMap;

use aws_sdk_s3::{Client, primitives::ByteStream};
use causes::with_causes;
use events::{CommandEvent, DecodeError, Reason, decode, decode_claimed};
use objects::claim_check::{Reference, sha256};
use serde_json::{json, value::RawValue};

use crate::ids::deduplication;

/// Where data that travels apart goes.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) s3: Client,
    pub(crate) name: String,
}

/// An event's data on its way to the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Data {
    pub(crate) key: String,
    json: String,
}

/// An event without its data, and the data.
pub(crate) struct Apart {
    pub(crate) event: CommandEvent,
    pub(crate) body: String,
    pub(crate) data: Data,
}

/// Takes an event apart, if the contract allows what it says.
pub(crate) fn apart(event: &str, bucket: &str) -> Result<Apart, DecodeError> {
    let mut members: BTreeMap<String, &RawValue> =
        serde_json::from_str(event).map_err(|error| DecodeError {
            reason: Reason::MalformedJson,
            pointer: String::new(),
            detail: error.to_string(),
        })?;
    let Some(data) = members.remove("data") else {
        return Err(decode(event).err().unwrap_or_else(no_data));
    };
    let read = decode_claimed(&with_dataref(&members, "s3:"), data.get())?;
    let data = Data { key: key(&read, data.get()), json: data.get().to_owned() };
    let body = with_dataref(&members, &format!("s3://{bucket}/{}", data.key));
    Ok(Apart { event: read, body, data })
}

fn no_data() -> DecodeError {
    let detail = "missing field `data`".to_owned();
    DecodeError { reason: Reason::SchemaViolation, pointer: String::new(), detail }
}

fn with_dataref(members: &BTreeMap<String, &RawValue>, dataref: &str) -> String {
    let mut event = "{".to_owned();
    for (name, value) in members.iter().filter(|(name, _)| *name != "dataref") {
        for part in [json!(name).to_string().as_str(), ":", value.get(), ","] {
            event.push_str(part);
        }
    }
    event.push_str("\"dataref\":");
    event.push_str(&json!(dataref).to_string());
    event.push('}');
    event
}

/// The same for the same event with the same data, so that sending again leaves one object; and
/// another for anything else, so that no message's data is replaced or deleted for another's.
fn key(event: &CommandEvent, data: &str) -> String {
    let (tenant, data) = (&event.command.tenant, sha256(data.as_bytes()));
    format!("claim-checks/{tenant}/{}/{data}", deduplication(event))
}

impl Data {
    /// Where the data is, and how to know it.
    pub(crate) fn reference(&self, bucket: &str) -> Reference {
        Reference::new(bucket, &self.key, self.json.as_bytes())
    }
}

impl Bucket {
    /// Puts the data where its message will say it is.
    pub(crate) async fn put(&self, data: &Data) -> Result<(), String> {
        let object = self.s3.put_object().bucket(&self.name).key(&data.key);
        let object = object.content_type("application/json");
        let put = object.body(ByteStream::from(data.json.clone().into_bytes())).send().await;
        put.map(drop).map_err(|error| with_causes(&error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn event(data: &str) -> String {
        let subject = "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10";
        format!(
            r#"{{"specversion":"1.0","id":"1","source":"/test","tenant":"acme",
                "type":"dev.task-app.create-task.v1","time":"2026-01-31T09:30:00Z",
                "subject":"{subject}","datacontenttype":"application/json","note":[1, "x"],
                "data":{data}}}"#
        )
    }

    #[test]
    fn an_event_is_taken_apart_and_its_data_is_kept_byte_for_byte() {
        let Apart { event, body, data } = apart(&event("{\"title\" : \"é\"}"), "bodies").unwrap();
        let id = sha256(b"acme\n/test\n1");
        let digest = sha256("{\"title\" : \"é\"}".as_bytes());
        assert_eq!(data.json, "{\"title\" : \"é\"}");
        assert_eq!(
            (deduplication(&event), &data.key),
            (id.clone(), &format!("claim-checks/acme/{id}/{digest}"))
        );
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["dataref"], json!(format!("s3://bodies/{}", data.key)));
        assert_eq!((&body["note"], &body["data"]), (&json!([1, "x"]), &Value::Null));
        let reference: Value = serde_json::from_str(&data.reference("bodies").to_json()).unwrap();
        let expected = json!({"bucket": "bodies", "key": data.key, "size": 16, "sha256": digest});
        assert_eq!(reference, expected);
    }

    #[test]
    fn what_breaks_the_contract_is_not_taken_apart() {
        for (event, reason, pointer) in [
            (event("{\"title\": \"\"}"), Reason::SchemaViolation, "/data/title"),
            (event("7").replace("\"data\"", "\"date\""), Reason::SchemaViolation, ""),
            ("{\"data\": {}".to_owned(), Reason::MalformedJson, ""),
        ] {
            let Err(error) = apart(&event, "bodies") else { panic!("{event} is no event") };
            assert_eq!((error.reason, error.pointer.as_str()), (reason, pointer));
        }
    }
}
