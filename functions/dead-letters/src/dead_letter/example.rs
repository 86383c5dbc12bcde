//! A dead letter of which nothing is known but its body, for tests.

use std::collections::BTreeMap;

use super::{DeadLetter, Summary};

impl Summary {
    pub(crate) fn example() -> Self {
        Self {
            message_id: "m".to_owned(),
            sent_at: None,
            moved_by: None,
            reason: None,
            detail: None,
            attempts: None,
            source_queue: None,
            group: None,
            r#type: None,
            source: None,
            event_id: None,
            tenant: None,
            task: None,
            trace_id: None,
            command: None,
            body_bytes: 0,
        }
    }
}

impl DeadLetter {
    pub(crate) fn example(body: &str) -> Self {
        Self {
            summary: Summary { body_bytes: body.len(), ..Summary::example() },
            handler: None,
            first_received_at: None,
            failed_at: None,
            original_message_id: None,
            deduplication_id: None,
            source_arn: None,
            claim_check: None,
            attributes: BTreeMap::new(),
            body: body.to_owned(),
            sender_group: None,
            trace_header: None,
        }
    }
}
