//! The format of a claim check: what a message says of a body that is in S3 instead.
//!
//! The message has the attribute [`ATTRIBUTE`], which is a [`Reference`] as JSON.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The message attribute (of the type `String`) that makes a message a claim check: a [`Reference`]
/// as JSON.
pub const ATTRIBUTE: &str = "ClaimCheck";

/// Where a body is, and how to know that it is the one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The body's length, in bytes.
    pub size: u64,
    /// The body's SHA-256, in 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl Reference {
    /// Refers to `body`, which is at `key` in `bucket`.
    #[must_use]
    pub fn new(bucket: &str, key: &str, body: &[u8]) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size: length(body),
            sha256: sha256(body),
        }
    }

    /// The value of the message attribute [`ATTRIBUTE`].
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Whether `body` is what the sender had.
    #[must_use]
    pub fn fits(&self, body: &[u8]) -> bool {
        length(body) == self.size && sha256(body) == self.sha256
    }
}

/// A SHA-256 in 64 lower-case hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn length(body: &[u8]) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_format_stays() {
        let reference = Reference::new("bodies", "orders/1", b"abc");
        let json = "{\"bucket\":\"bodies\",\"key\":\"orders/1\",\
            \"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\
            \"size\":3}";
        assert_eq!(serde_json::from_str::<Reference>(json).unwrap(), reference);
        assert_eq!(serde_json::from_str::<Reference>(&reference.to_json()).unwrap(), reference);
        assert!(reference.fits(b"abc"));
        assert!(!reference.fits(b"abd") && !reference.fits(b"abcd"));
    }
}
