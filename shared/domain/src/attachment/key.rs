//! Which attachment it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text::TenantId;
use crate::values::{Invalid, TaskId, UUID_LENGTH, canonical_uuid};

/// An attachment's identifier, unique within its tenant: a UUID in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AttachmentId(Uuid);

impl AttachmentId {
    /// The identifier as a UUID.
    #[must_use]
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for AttachmentId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl FromStr for AttachmentId {
    type Err = Invalid;

    /// Takes the canonical form only: one attachment has one address.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid::text("AttachmentId", "a UUID in lower case", UUID_LENGTH);
        canonical_uuid(text).map(Self).ok_or(invalid)
    }
}

impl fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::parsed!(AttachmentId, {
    "type": "string",
    "description": "An attachment's identifier: a UUID in lower case.",
    "examples": ["01940000-0000-7000-8000-0000000000a1"],
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
});

/// An attachment's place among all tenants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttachmentKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// The task that it belongs to.
    pub task: TaskId,
    /// Which of the tenant's attachments it is.
    pub id: AttachmentId,
}
