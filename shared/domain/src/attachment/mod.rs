//! Attachments: files of a task, which wait in an object store and pass through no process of ours.
//!
//! Whoever uploads says first what the file will be ([`NewAttachment`]). What then lies in the object
//! store is compared with that, and is an attachment only if it is the same ([`Mismatch`] otherwise).

mod contents;
mod key;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};

pub use contents::{AttachmentSize, Sha256};
pub use key::{AttachmentId, AttachmentKey};

use crate::line::NewAttachmentName;
use crate::portable::names;
use crate::text::{AttachmentName, ContentType};
use crate::time::Timestamp;

/// What the file of an attachment will be, as its uploader says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAttachment {
    /// What the file is called.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "NewAttachmentName")]
    pub name: AttachmentName,
    /// Its media type.
    pub content_type: ContentType,
    /// Its size in bytes.
    pub size: AttachmentSize,
    /// Its SHA-256 in base64, as S3 has it; not in hexadecimal digits.
    pub sha256: Sha256,
}

/// As [`NewAttachmentName`] wants it.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AttachmentName, D::Error> {
    NewAttachmentName::deserialize(deserializer).map(AttachmentName::from)
}

/// [`NewAttachment`] as it is answered: its name may be one of before [`NewAttachmentName`].
#[derive(JsonSchema)]
struct Announced {
    /// What the file is called.
    #[expect(dead_code, reason = "it describes")]
    name: AttachmentName,
    /// Its media type.
    #[expect(dead_code, reason = "it describes")]
    content_type: ContentType,
    /// Its size in bytes.
    #[expect(dead_code, reason = "it describes")]
    size: AttachmentSize,
    /// Its SHA-256 in base64, as S3 has it; not in hexadecimal digits.
    #[expect(dead_code, reason = "it describes")]
    sha256: Sha256,
}

/// A file of a task, or what is to become one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(transform = open)]
pub struct Attachment {
    /// Its identifier, unique within its tenant.
    pub id: AttachmentId,
    /// What its uploader said of it.
    #[serde(flatten)]
    #[schemars(with = "Announced")]
    pub file: NewAttachment,
    /// Whether it is there.
    #[serde(flatten)]
    #[schemars(with = "Described")]
    pub state: AttachmentState,
    /// When it was announced.
    #[serde(serialize_with = "crate::time::serialize")]
    pub created_at: Timestamp,
}

/// Whether the file of an attachment is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", content = "reason", rename_all = "snake_case")]
pub enum AttachmentState {
    /// It was not uploaded yet, or not verified yet.
    Pending,
    /// It is there, and is what its uploader said.
    Available,
    /// Something else was uploaded, and was removed.
    Rejected(Mismatch),
}

/// An [`AttachmentState`] for those who read the contract: two members. Generators of clients make
/// nothing of alternatives beside other members.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is described, and never made")]
struct Described {
    /// Whether the file is there.
    status: AttachmentStatus,
    /// In what the file differs from what its uploader said, if it is `rejected`.
    reason: Option<Mismatch>,
}

/// Whether the file of an attachment is there.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", transform = names)]
#[expect(dead_code, reason = "it is described, and never made")]
enum AttachmentStatus {
    /// It was not uploaded yet, or not verified yet.
    Pending,
    /// It is there, and is what its uploader said.
    Available,
    /// Something else was uploaded, and was removed; `reason` says in what it differs.
    Rejected,
}

/// In what an uploaded file differs from what its uploader said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = names)]
pub enum Mismatch {
    /// In its size.
    Size,
    /// In its media type.
    ContentType,
    /// In its SHA-256, or it was uploaded without one.
    Sha256,
}

/// What is sent to callers may gain members, other than what they send.
fn open(schema: &mut Schema) {
    schema.remove("additionalProperties");
    schema.remove("unevaluatedProperties");
}

impl AttachmentState {
    /// The name and the reason, as they are stored and sent.
    #[must_use]
    pub fn as_strs(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Pending => ("pending", None),
            Self::Available => ("available", None),
            Self::Rejected(mismatch) => ("rejected", Some(mismatch.as_str())),
        }
    }

    /// The state of a name and a reason; `None` if there is no such state.
    #[must_use]
    pub fn from_strs(status: &str, reason: Option<&str>) -> Option<Self> {
        let rejected = Mismatch::ALL.map(Self::Rejected);
        let all = [Self::Pending, Self::Available].into_iter().chain(rejected);
        all.into_iter().find(|state| state.as_strs() == (status, reason))
    }
}

impl Mismatch {
    /// Every way to differ.
    pub const ALL: [Self; 3] = [Self::Size, Self::ContentType, Self::Sha256];

    /// Its name, as it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::ContentType => "content_type",
            Self::Sha256 => "sha256",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_what_its_names_say() {
        let rejected = Mismatch::ALL.map(AttachmentState::Rejected);
        let all = [AttachmentState::Pending, AttachmentState::Available];
        for state in all.into_iter().chain(rejected) {
            let (status, reason) = state.as_strs();
            assert_eq!(AttachmentState::from_strs(status, reason), Some(state));
        }
        assert_eq!(AttachmentState::from_strs("available", Some("size")), None);
        let json = serde_json::to_value(AttachmentState::Rejected(Mismatch::ContentType)).unwrap();
        assert_eq!(json, serde_json::json!({"status": "rejected", "reason": "content_type"}));
    }
}
