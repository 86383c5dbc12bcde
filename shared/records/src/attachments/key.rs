//! Where an attachment's object lies: `attachments/<tenant>/<task>/<attachment>`.

use domain::AttachmentKey;

pub(super) fn object_key(key: &AttachmentKey) -> String {
    format!("attachments/{}/{}/{}", key.tenant, key.task, key.id)
}

/// The attachment whose object has the key `text`; `None` if that is no key of ours.
#[must_use]
pub fn parse_object_key(text: &str) -> Option<AttachmentKey> {
    let mut parts = text.strip_prefix("attachments/")?.split('/');
    let tenant = parts.next()?.parse().ok()?;
    let task = parts.next()?.parse().ok()?;
    let id = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(AttachmentKey { tenant, task, id })
}

#[cfg(test)]
mod tests {
    use resources::resources;

    use super::*;

    const TASK: &str = "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10";
    const ID: &str = "0192f1a0-9d02-7c11-8f6e-5b2c7e9a4d20";

    #[test]
    fn s3_notifies_of_each_attachments_object() {
        let [notification] = &resources().buckets.attachments.notifications[..] else {
            panic!("one notification is expected")
        };
        let text = format!("attachments/acme/{TASK}/{ID}");
        assert!(text.starts_with(&notification.prefix) && parse_object_key(&text).is_some());
    }

    #[test]
    fn an_attachments_object_is_found_and_nothing_else() {
        let text = format!("attachments/acme/{TASK}/{ID}");
        let key = parse_object_key(&text).unwrap();
        assert_eq!(object_key(&key), text);
        for other in [
            String::new(),
            format!("other/acme/{TASK}/{ID}"),
            format!("attachments/Acme/{TASK}/{ID}"),
            format!("attachments/acme/{TASK}"),
            format!("attachments/acme/{TASK}/{ID}/more"),
            format!("attachments//acme/{TASK}/{ID}"),
            format!("attachments/acme/{ID}/../{ID}"),
        ] {
            assert_eq!(parse_object_key(&other), None, "{other}");
        }
    }
}
