//! The body of a claim check, which is in S3: fetched as `runtime` does it, and verified.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use causes::with_causes;
use objects::claim_check::Reference;
use tokio::time::timeout;

/// The largest body that is fetched, in bytes.
pub(crate) const MOST_BYTES: u32 = 16 << 20;
/// For one body, the repeats of the SDK included.
const PATIENCE: Duration = Duration::from_secs(30);

/// The content that a claim check refers to, if it is what the reference says.
///
/// # Errors
/// Why it cannot be had, for people.
pub(crate) async fn fetch(s3: &Client, reference: &Reference) -> Result<String, String> {
    let fetched = timeout(PATIENCE, content(s3, reference)).await;
    let fetched = fetched.unwrap_or_else(|_| Err("S3 takes too long".to_owned()));
    fetched.map_err(|cause| format!("s3://{}/{}: {cause}", reference.bucket, reference.key))
}

async fn content(s3: &Client, reference: &Reference) -> Result<String, String> {
    let Reference { bucket, key, size, .. } = reference;
    if *size > MOST_BYTES.into() {
        return Err(format!("{size} bytes; {MOST_BYTES} are fetched at most"));
    }
    let object = s3.get_object().bucket(bucket).key(key).send().await;
    let object = object.map_err(|error| match error.as_service_error() {
        Some(error) if error.is_no_such_key() => "it is gone: there is no such object".to_owned(),
        _ => with_causes(&error),
    })?;
    let content = read(object.body, *size).await?;
    if !reference.fits(&content) {
        return Err("it has another size or digest than the message says".to_owned());
    }
    String::from_utf8(content).map_err(|_| "it is not UTF-8".to_owned())
}

/// Reads little more than the reference promises, whatever is there.
async fn read(mut object: ByteStream, size: u64) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    while let Some(chunk) = object.next().await {
        content.extend_from_slice(&chunk.map_err(|error| with_causes(&error))?);
        if u64::try_from(content.len()).is_ok_and(|read| read > size) {
            break;
        }
    }
    Ok(content)
}
