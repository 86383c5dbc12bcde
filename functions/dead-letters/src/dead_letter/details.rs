//! What `runtime` writes into the attribute `DeadLetter`.

use std::collections::BTreeMap;

use messages::Attribute;
use serde::Deserialize;

/// A dead letter that was too large for everything has only some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    pub(super) reason: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) attempts: Option<u32>,
    pub(super) first_received_at: Option<String>,
    pub(super) failed_at: Option<String>,
    pub(super) message_id: Option<String>,
    pub(super) trace_id: Option<String>,
    /// The ARN of the queue that it was in.
    pub(super) queue: Option<String>,
    pub(super) group_id: Option<String>,
    /// Attributes of the sender that had no room.
    pub(super) attributes: BTreeMap<String, Attribute>,
}

impl Details {
    /// `None` if somebody else uses the attribute's name for something else.
    pub(super) fn read(attribute: &Attribute) -> Option<Self> {
        serde_json::from_str(attribute.text()?).ok()
    }
}
