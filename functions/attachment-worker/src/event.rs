//! What S3 says happened, on whichever way it came: from S3 itself, by SNS, or by EventBridge. See
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>.

use percent_encoding::percent_decode_str;
use runtime::sqs::Reject;
use serde::Deserialize;
use serde_json::Value;

/// An object that was created, perhaps; S3 notifies more than once, and in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Created {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// The objects that a notification names, each with what is wrong with it alone: none in the test
/// event that S3 sends when it is set up to notify, nor where something else happened to an object.
pub(crate) fn decode(body: &str) -> Result<Vec<Result<Created, Reject>>, Reject> {
    let message: Message = read(body)?;
    match (message.topic, message.text) {
        (Some(_), Some(text)) => objects(read(&text)?),
        _ => objects(message.event),
    }
}

fn objects(event: Event) -> Result<Vec<Result<Created, Reject>>, Reject> {
    match event {
        Event { records: Some(records), .. } => {
            Ok(records.into_iter().filter_map(|record| of_record(record).transpose()).collect())
        }
        Event { source: Some(source), kind: Some(kind), detail: Some(detail), .. } => {
            if source != "aws.s3" {
                return Err(malformed("an event of EventBridge that is not of S3".to_owned()));
            }
            let created = (kind == "Object Created").then(|| of_detail(detail));
            Ok(created.into_iter().collect())
        }
        Event { name: Some(name), .. } if name == "s3:TestEvent" => Ok(Vec::new()),
        _ => Err(malformed(
            "no notification of S3, neither its own, nor by SNS or EventBridge".to_owned(),
        )),
    }
}

fn of_record(record: Value) -> Result<Option<Created>, Reject> {
    let record = Record::deserialize(record).map_err(|error| malformed(error.to_string()))?;
    record.is_created().then(|| record.s3.decoded()).transpose()
}

/// EventBridge does not encode keys.
fn of_detail(detail: Value) -> Result<Created, Reject> {
    let entity = Entity::deserialize(detail).map_err(|error| malformed(error.to_string()))?;
    Ok(Created { bucket: entity.bucket.name, key: entity.object.key })
}

fn read<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, Reject> {
    serde_json::from_str(json).map_err(|error| malformed(error.to_string()))
}

fn malformed(detail: String) -> Reject {
    Reject::new("notification_malformed", detail)
}

/// An event, or a notification of SNS with one inside.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "TopicArn")]
    topic: Option<String>,
    #[serde(rename = "Message")]
    text: Option<String>,
    #[serde(flatten)]
    event: Event,
}

/// The members of each kind of event.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Option<Vec<Value>>,
    #[serde(rename = "Event")]
    name: Option<String>,
    source: Option<String>,
    #[serde(rename = "detail-type")]
    kind: Option<String>,
    detail: Option<Value>,
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
    fn decoded(self) -> Result<Created, Reject> {
        let key = self.object.key.replace('+', " ");
        let key = percent_decode_str(&key).decode_utf8();
        let key = key.map_err(|error| malformed(error.to_string()))?;
        Ok(Created { bucket: self.bucket.name, key: key.into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(name: &str, key: &str) -> Value {
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
            "s3": {
                "s3SchemaVersion": "1.0", "bucket": {"name": "files", "arn": "a"},
                "object": {"key": key, "size": 1, "eTag": "e", "sequencer": "1"},
            },
        })
    }

    fn notification(name: &str, key: &str) -> Value {
        json!({ "Records": [record(name, key)] })
    }

    fn by_event_bridge(source: &str, kind: &str, key: &str) -> Value {
        json!({
            "version": "0", "source": source, "detail-type": kind,
            "detail": {
                "version": "0", "bucket": {"name": "files"},
                "object": {"key": key, "size": 1, "etag": "e", "sequencer": "1"},
            },
        })
    }

    fn by_sns(event: &Value) -> Value {
        json!({"Type": "Notification", "TopicArn": "arn", "Message": event.to_string()})
    }

    fn all(event: &Value) -> Vec<Created> {
        let objects = decode(&event.to_string()).expect("a notification");
        objects.into_iter().map(|object| object.expect("an object")).collect()
    }

    #[test]
    fn a_created_object_has_its_decoded_key() {
        let expected = Created { bucket: "files".to_owned(), key: "a/b c+ü".to_owned() };
        for name in ["ObjectCreated:Put", "ObjectCreated:Post", "s3:ObjectCreated:Copy"] {
            let event = notification(name, "a%2Fb+c%2B%C3%BC");
            assert_eq!(all(&event), std::slice::from_ref(&expected));
            assert_eq!(all(&by_sns(&event)), std::slice::from_ref(&expected));
        }
    }

    #[test]
    fn the_key_of_an_event_bridge_event_is_not_encoded() {
        let expected = Created { bucket: "files".to_owned(), key: "a/%20+ü".to_owned() };
        let event = by_event_bridge("aws.s3", "Object Created", "a/%20+ü");
        assert_eq!(all(&event), std::slice::from_ref(&expected));
        assert_eq!(all(&by_sns(&event)), std::slice::from_ref(&expected));
    }

    #[test]
    fn what_is_no_creation_is_ignored() {
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "files"});
        for event in [
            &test,
            &by_sns(&test),
            &json!({"Records": []}),
            &notification("ObjectRemoved:Delete", "a"),
            &by_event_bridge("aws.s3", "Object Deleted", "a"),
        ] {
            assert_eq!(all(event), []);
        }
    }

    #[test]
    fn what_is_no_notification_is_refused() {
        let other = by_event_bridge("aws.ec2", "Object Created", "a").to_string();
        let twice = by_sns(&by_sns(&notification("ObjectCreated:Put", "a"))).to_string();
        let sns = by_sns(&json!("text")).to_string();
        for body in ["", "{}", "[]", r#"{"Event":"x"}"#, r#"{"Records":1}"#, &other, &twice, &sns] {
            assert_eq!(decode(body).unwrap_err().reason, "notification_malformed", "{body}");
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_leaves_its_neighbours() {
        let good = record("ObjectCreated:Put", "good");
        let not_utf8 = record("ObjectCreated:Put", "%FF");
        let body = json!({"Records": [{}, 7, not_utf8, good]}).to_string();
        let objects = decode(&body).expect("a notification");
        let reasons = objects.iter().map(|object| match object {
            Ok(created) => created.key.as_str(),
            Err(reject) => reject.reason,
        });
        let reasons: Vec<_> = reasons.collect();
        let malformed = "notification_malformed";
        assert_eq!(reasons, [malformed, malformed, malformed, "good"]);
    }
}
