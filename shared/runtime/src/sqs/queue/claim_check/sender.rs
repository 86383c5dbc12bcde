//! The sender's half.

use anyhow::Context as _;
use aws_sdk_s3::{Client, primitives::ByteStream};
use objects::claim_check::Reference;
use uuid::Uuid;

/// Puts a body into `bucket`, under a new key that begins with `key_prefix` (and holds nothing of
/// the body). Worth it when the body exceeds what the queue takes, which is 1 MiB at most.
pub async fn put(
    s3: &Client,
    bucket: &str,
    key_prefix: &str,
    body: String,
) -> anyhow::Result<Reference> {
    let key = format!("{key_prefix}{}", Uuid::now_v7());
    let reference = Reference::new(bucket, &key, body.as_bytes());
    s3.put_object()
        .bucket(bucket)
        .key(&key)
        .body(ByteStream::from(body.into_bytes()))
        .send()
        .await
        .with_context(|| format!("cannot put a body into the bucket {bucket}"))?;
    Ok(reference)
}
