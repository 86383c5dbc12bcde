//! What S3 says happened: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.

use percent_encoding::percent_decode_str;
use runtime::sqs::Reject;
use serde::Deserialize;

/// An object that was created, perhaps; S3 notifies more than once, and in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Created {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// The objects that a notification names: none in the test event that S3 sends when it is set up to
/// notify, nor where something else happened to an object.
pub(crate) fn decode(body: &str) -> Result<Vec<Created>, Reject> {
    let malformed = |detail: String| Reject::new("notification_malformed", detail);
    let event: Event = serde_json::from_str(body).map_err(|error| malformed(error.to_string()))?;
    let records = match event {
        Event::Notification { records } => records,
        Event::Test { event } if event == "s3:TestEvent" => return Ok(Vec::new()),
        Event::Test { .. } => return Err(malformed("neither records nor S3's test".to_owned())),
    };
    let created = records.into_iter().filter(Record::is_created);
    created.map(|record| record.s3.created()).collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    Notification {
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    Test {
        #[serde(rename = "Event")]
        event: String,
    },
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    event_name: String,
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

impl Record {
    /// Some that stand in for S3 leave the prefix in.
    fn is_created(&self) -> bool {
        self.event_name.trim_start_matches("s3:").starts_with("ObjectCreated:")
    }
}

impl Entity {
    /// Keys are encoded like the values of a form.
    fn created(self) -> Result<Created, Reject> {
        let key = self.object.key.replace('+', " ");
        let key = percent_decode_str(&key).decode_utf8();
        let key = key.map_err(|error| Reject::new("notification_malformed", error.to_string()))?;
        Ok(Created { bucket: self.bucket.name, key: key.into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(name: &str, key: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"{name}",
            "s3":{{"s3SchemaVersion":"1.0","bucket":{{"name":"files","arn":"a"}},
            "object":{{"key":"{key}","size":1,"eTag":"e","sequencer":"1"}}}}}}]}}"#
        )
    }

    #[test]
    fn a_created_object_has_its_decoded_key() {
        let expected = Created { bucket: "files".to_owned(), key: "a/b c+ü".to_owned() };
        for name in ["ObjectCreated:Put", "ObjectCreated:Post", "s3:ObjectCreated:Copy"] {
            let body = notification(name, "a%2Fb+c%2B%C3%BC");
            assert_eq!(decode(&body).unwrap(), std::slice::from_ref(&expected));
        }
    }

    #[test]
    fn what_is_no_creation_is_ignored() {
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"files"}"#;
        let removed = notification("ObjectRemoved:Delete", "a");
        for body in [test, r#"{"Records":[]}"#, &removed] {
            assert_eq!(decode(body).unwrap(), []);
        }
    }

    #[test]
    fn what_is_no_notification_is_refused() {
        let not_utf8 = notification("ObjectCreated:Put", "%FF");
        for body in ["", "{}", "[]", r#"{"Event":"x"}"#, r#"{"Records":[{}]}"#, &not_utf8] {
            assert_eq!(decode(body).unwrap_err().reason, "notification_malformed", "{body}");
        }
    }
}
