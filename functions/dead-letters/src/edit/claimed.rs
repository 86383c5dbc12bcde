//! Bodies that are in S3: they are fetched to be edited, and sent in the message if they fit then.

use std::borrow::Cow;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use causes::with_causes;
use objects::claim_check::{Reference, sha256};
use serde_json::json;

use super::members::Members;

/// What is sent in place of a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The message's body.
    pub(crate) body: String,
    /// What is put into S3 before it is sent.
    pub(crate) apart: Option<Apart>,
    is_event: bool,
}

/// A body, or an event's data, in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Apart {
    pub(crate) reference: Reference,
    content: String,
}

impl Sent {
    pub(super) fn inline(body: String) -> Self {
        Self { body, apart: None, is_event: false }
    }

    /// The data that an event is sent without.
    pub(super) fn data(&self) -> Option<&str> {
        self.apart.as_ref().filter(|_| self.is_event).map(|apart| apart.content.as_str())
    }
}

impl Apart {
    /// Puts it where its reference says it is.
    pub(crate) async fn put(&self, s3: &Client) -> anyhow::Result<()> {
        let Reference { bucket, key, .. } = &self.reference;
        let body = ByteStream::from(self.content.clone().into_bytes());
        let put = s3.put_object().bucket(bucket).key(key).body(body).send().await;
        put.map(drop).map_err(|error| {
            anyhow::anyhow!("putting the body s3://{bucket}/{key}: {}", with_causes(&error))
        })
    }
}

/// All of a claim check: an event with its data, or else the content instead of the body.
pub(super) fn whole(body: &str, content: &str) -> String {
    match event_without_data(body)
        .filter(|_| serde_json::from_str::<&serde_json::value::RawValue>(content).is_ok())
    {
        Some(mut event) => {
            event.remove("dataref");
            event.set("data", content);
            event.to_json()
        }
        None => content.to_owned(),
    }
}

/// What is sent for the edited body of a claim check: in the message up to `most` bytes.
pub(super) fn sent(edited: String, body: &str, reference: &Reference, most: usize) -> Sent {
    if edited.len() <= most {
        return Sent::inline(edited);
    }
    let is_event = event_without_data(body).is_some();
    if let Some(mut event) = Members::read(&edited).filter(|_| is_event)
        && let Some(data) = event.remove("data").map(Cow::into_owned)
    {
        let apart = Apart::new(reference, data);
        let Reference { bucket, key, .. } = &apart.reference;
        event.set("dataref", json!(format!("s3://{bucket}/{key}")).to_string());
        return Sent { body: event.to_json(), apart: Some(apart), is_event };
    }
    Sent { body: body.to_owned(), apart: Some(Apart::new(reference, edited)), is_event: false }
}

impl Apart {
    /// Beside the one that was edited, under a key that a repeat finds again.
    fn new(edited: &Reference, content: String) -> Self {
        let folder = edited.key.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = sha256(format!("{}\n{content}", edited.key).as_bytes());
        let key = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        Self { reference: Reference::new(&edited.bucket, &key, content.as_bytes()), content }
    }
}

fn event_without_data(body: &str) -> Option<Members<'_>> {
    Members::read(body)
        .filter(|event| event.get("dataref").is_some() && event.get("data").is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"1","dataref":"s3://b/claims/1","n":1.50}"#;

    #[test]
    fn an_event_is_edited_with_its_data_and_sent_without_if_it_is_too_large() {
        let reference = Reference::new("b", "claims/1", b"{\"a\": 1}");
        let whole = whole(EVENT, "{\"a\": 1}");
        assert_eq!(whole, r#"{"id":"1","n":1.50,"data":{"a": 1}}"#);
        assert_eq!(sent(whole.clone(), EVENT, &reference, 100), Sent::inline(whole.clone()));
        let sent = sent(whole.replace(": 1}", ": 2}"), EVENT, &reference, 10);
        assert_eq!(sent.data(), Some("{\"a\": 2}"));
        let new = &sent.apart.as_ref().unwrap().reference;
        assert!(new.key.starts_with("claims/") && new.key != "claims/1" && new.fits(b"{\"a\": 2}"));
        let body = format!(r#"{{"id":"1","n":1.50,"dataref":"s3://b/{}"}}"#, new.key);
        assert_eq!(sent.body, body);
    }

    #[test]
    fn any_other_body_is_edited_as_a_whole() {
        let reference = Reference::new("b", "1", b"long");
        for small in ["{}", "see S3", r#"{"dataref":"x","data":1}"#] {
            assert_eq!(whole(small, "long"), "long");
            let sent = sent("longer".to_owned(), small, &reference, 3);
            assert_eq!((sent.body.as_str(), sent.data()), (small, None));
            let apart = sent.apart.unwrap();
            assert!(apart.reference.fits(b"longer") && apart.content == "longer");
        }
    }
}
