//! Which attachment it is.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text::TenantId;
use crate::values::{Invalid, TaskId};

/// An attachment's identifier, unique within its tenant: a UUID in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AttachmentId(Uuid);

impl AttachmentId {
    const LENGTH: usize = 36;

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
        let canonical = text.len() == Self::LENGTH && !text.bytes().any(|b| b.is_ascii_uppercase());
        canonical.then(|| Uuid::try_parse(text).ok()).flatten().map(Self).ok_or(Invalid::text(
            "AttachmentId",
            "a UUID in lower case",
            Self::LENGTH,
        ))
    }
}

impl TryFrom<String> for AttachmentId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for AttachmentId {
    fn schema_name() -> Cow<'static, str> {
        "AttachmentId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A UUID in lower case.",
            "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        })
    }
}

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
