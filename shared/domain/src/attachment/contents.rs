//! What distinguishes one file from another: its size and its digest.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::limits::ATTACHMENT_BYTES_MAX;
use crate::values::Invalid;

/// A size in bytes: at least 1, at most [`ATTACHMENT_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct AttachmentSize(u32);

impl AttachmentSize {
    /// The size in bytes.
    #[must_use]
    pub fn bytes(self) -> u32 {
        self.0
    }
}

impl TryFrom<u64> for AttachmentSize {
    type Error = Invalid;

    fn try_from(bytes: u64) -> Result<Self, Invalid> {
        u32::try_from(bytes)
            .ok()
            .filter(|bytes| (1..=ATTACHMENT_BYTES_MAX).contains(bytes))
            .map(Self)
            .ok_or(Invalid::size("AttachmentSize", "1 or more", ATTACHMENT_BYTES_MAX))
    }
}

impl TryFrom<f64> for AttachmentSize {
    type Error = Invalid;

    /// To JSON, and so to JSON Schema, `7.0` is the integer 7.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole")]
    fn try_from(bytes: f64) -> Result<Self, Invalid> {
        let whole = bytes.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&bytes);
        Self::try_from(if whole { bytes as u64 } else { 0 })
    }
}

crate::schema!(AttachmentSize, {
    "type": "integer",
    "description": "A size in bytes.",
    "minimum": 1,
    "maximum": ATTACHMENT_BYTES_MAX,
});

/// A SHA-256 digest; as text in base64, as S3 has it in `x-amz-checksum-sha256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    const LENGTH: usize = 44;
    const RULE: &str = "the 32 bytes of a SHA-256 in base64, with padding";

    /// The digest's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<Vec<u8>> for Sha256 {
    type Error = Invalid;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Invalid> {
        let bytes = bytes.try_into().ok();
        bytes.map(Self).ok_or(Invalid::text("Sha256", Self::RULE, Self::LENGTH))
    }
}

impl FromStr for Sha256 {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = (text.len() == Self::LENGTH).then(|| STANDARD.decode(text).ok()).flatten();
        bytes.unwrap_or_default().try_into()
    }
}

crate::parsed!(Sha256, {
    "type": "string",
    "description": "The 32 bytes of a SHA-256 in base64, with padding: 44 characters, as `openssl dgst \
        -sha256 -binary FILE | base64` prints them. Not in hexadecimal digits.",
    "examples": ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
    "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
});

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_neither_nothing_nor_too_much() {
        assert_eq!(AttachmentSize::try_from(1_u64).unwrap().bytes(), 1);
        let most = u64::from(ATTACHMENT_BYTES_MAX);
        assert!(AttachmentSize::try_from(most).is_ok());
        for bad in [0, most + 1, u64::MAX] {
            assert!(AttachmentSize::try_from(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let digest: Sha256 = empty.parse().unwrap();
        assert_eq!(digest.as_bytes()[..2], [0xe3, 0xb0]);
        assert_eq!(digest.to_string(), empty);
        for bad in [
            "",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(bad.parse::<Sha256>().is_err(), "{bad}");
        }
    }
}
