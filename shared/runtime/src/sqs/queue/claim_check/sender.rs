//! What stands in a claim check, and the sender's half.

use std::fmt::Write as _;

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_s3::{Client, primitives::ByteStream};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The message attribute (of the type `String`) that makes a message a claim check: a [`Reference`]
/// as JSON.
pub const ATTRIBUTE: &str = "ClaimCheck";

/// Where a body is, and how to know that it is the one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The value of the message attribute [`ATTRIBUTE`].
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Whether `body` is what the sender had.
    pub(super) fn fits(&self, body: &[u8]) -> bool {
        u64::try_from(body.len()) == Ok(self.size) && sha256(body) == self.sha256
    }
}

/// Puts a body into `bucket`, under a new key that begins with `key_prefix` (and holds nothing of
/// the body). Worth it when the body exceeds what the queue takes, which is 1 MiB at most.
pub async fn put(
    s3: &Client,
    bucket: &str,
    key_prefix: &str,
    body: String,
) -> anyhow::Result<Reference> {
    let reference = Reference {
        bucket: bucket.to_owned(),
        key: format!("{key_prefix}{}", Uuid::now_v7()),
        size: u64::try_from(body.len())?,
        sha256: sha256(body.as_bytes()),
    };
    s3.put_object()
        .bucket(bucket)
        .key(&reference.key)
        .body(ByteStream::from(body.into_bytes()))
        .send()
        .await
        .with_context(|| format!("cannot put a body into the bucket {bucket}"))?;
    Ok(reference)
}

fn sha256(body: &[u8]) -> String {
    digest(&SHA256, body).as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_format_stays() {
        let reference = Reference {
            bucket: "bodies".to_owned(),
            key: "orders/1".to_owned(),
            size: 3,
            sha256: sha256(b"abc"),
        };
        let json = "{\"bucket\":\"bodies\",\"key\":\"orders/1\",\
            \"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\
            \"size\":3}";
        assert_eq!(serde_json::from_str::<Reference>(json).unwrap(), reference);
        assert_eq!(serde_json::from_str::<Reference>(&reference.to_json()).unwrap(), reference);
        assert!(reference.fits(b"abc"));
        assert!(!reference.fits(b"abd") && !reference.fits(b"abcd"));
    }
}
