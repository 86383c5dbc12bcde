//! An S3 object that is written.

use anyhow::bail;
use archives::{Encryption, Target, Upload, UploadError, url};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;

use super::local::exists;
use super::unseen;

/// Bytes of a part.
const PART: usize = 16 << 20;
/// Parts that are sent at the same time.
const PARALLEL: usize = 2;
/// Who may write but not read learns nothing of what is there. It is refused at the end.
const UNKNOWN: [u16; 2] = [403, 404];

pub(super) async fn begin(
    client: Client,
    bucket: &str,
    key: &str,
    overwrite: bool,
) -> anyhow::Result<Upload> {
    // Now rather than after the whole export. Whether it is there is decided again at the end.
    let head = client.head_object().bucket(bucket).key(key).send().await;
    let name = url(bucket, key);
    match head {
        Ok(_) if !overwrite => bail!(exists(&name)),
        Ok(_) => {}
        Err(SdkError::ServiceError(error)) if UNKNOWN.contains(&error.raw().status().as_u16()) => {}
        Err(error) => return Err(unseen(&name, error)),
    }
    let target = Target {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        media_type: "application/x-ndjson",
        overwrite,
        encryption: Encryption::OfBucket,
        part: PART,
        parallel: PARALLEL,
    };
    Ok(Upload::new(client, target))
}

/// What to say when it was not written.
pub(super) fn written(result: Result<(), UploadError>) -> anyhow::Result<()> {
    result.map_err(|error| match error {
        UploadError::Exists(name) => anyhow::anyhow!(exists(&name)),
        error => error.into(),
    })
}
