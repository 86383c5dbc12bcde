//! The bytes of a dump, as S3 has them: a connection that breaks is made again where it broke.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use archives::url;
use aws_lc_rs::digest::{Context as Digest, SHA256};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use tokio::time::{sleep, timeout};

use crate::backups::Backups;
use crate::location::Id;
use crate::manifest::Dump;

/// How long S3 may send nothing.
const SILENCE: Duration = Duration::from_mins(1);
/// Connections that may break one after the other without a byte between.
const ATTEMPTS: u32 = 5;
/// Between two of them.
const PAUSE: Duration = Duration::from_secs(2);

/// A dump that is being read.
pub(crate) struct Fetch {
    client: Client,
    bucket: String,
    key: String,
    expected: Dump,
    /// It is the same object when a connection is made again.
    e_tag: Option<String>,
    body: Option<ByteStream>,
    position: u64,
    digest: Digest,
}

impl Fetch {
    pub(crate) fn new(backups: &Backups, id: &Id, expected: &Dump) -> Self {
        Self {
            client: backups.client.clone(),
            bucket: backups.location.bucket.clone(),
            key: backups.location.dump(id),
            expected: expected.clone(),
            e_tag: None,
            body: None,
            position: 0,
            digest: Digest::new(&SHA256),
        }
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<bytes::Bytes>> {
        let mut attempt = 0;
        while self.position < self.expected.size {
            match self.read().await {
                Ok(Some(bytes)) => {
                    self.position += bytes.len() as u64;
                    self.digest.update(&bytes);
                    return Ok(Some(bytes));
                }
                Ok(None) => {
                    bail!("{} ends after {} bytes: it is truncated", self.name(), self.position)
                }
                Err(error) => {
                    attempt += 1;
                    if attempt >= ATTEMPTS || !is_passing(&error) {
                        return Err(error).with_context(|| format!("reading {}", self.name()));
                    }
                    self.body = None;
                    sleep(PAUSE).await;
                }
            }
        }
        Ok(None)
    }

    /// Whether what was read is what was written.
    pub(crate) fn check(&self) -> Result<()> {
        let (name, expected) = (self.name(), &self.expected);
        ensure!(self.position == expected.size, "{name} has not {} bytes", expected.size);
        let found = hex::encode(self.digest.clone().finish().as_ref());
        ensure!(
            found == expected.sha256,
            "{name} was altered: its SHA-256 is {found}, and that of its manifest {}",
            expected.sha256
        );
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<bytes::Bytes>> {
        if self.body.is_none() {
            self.body = Some(self.open().await?);
        }
        let Some(body) = &mut self.body else { return Ok(None) };
        Ok(timeout(SILENCE, body.try_next()).await??)
    }

    async fn open(&mut self) -> Result<ByteStream> {
        let request = self.client.get_object().bucket(&self.bucket).key(&self.key);
        let range = (self.position > 0).then(|| format!("bytes={}-", self.position));
        let request = request.set_range(range).set_if_match(self.e_tag.clone());
        let object = request.send().await?;
        if self.position == 0 {
            let length = object.content_length().unwrap_or_default();
            let (name, size) = (self.name(), self.expected.size);
            ensure!(
                u64::try_from(length) == Ok(size),
                "{name} has {length} bytes, and {size} by its manifest: it was truncated or altered"
            );
        }
        self.e_tag = object.e_tag;
        Ok(object.body)
    }

    fn name(&self) -> String {
        url(&self.bucket, &self.key)
    }
}

/// Whether to try again may help: not if S3 answered and refused.
fn is_passing(error: &anyhow::Error) -> bool {
    use aws_sdk_s3::error::SdkError;
    use aws_sdk_s3::operation::get_object::GetObjectError;
    match error.downcast_ref::<SdkError<GetObjectError>>() {
        Some(error) => {
            let status = error.raw_response().map(|response| response.status().as_u16());
            status.is_none_or(|status| status >= 500)
        }
        None => {
            error.is::<tokio::time::error::Elapsed>()
                || error.is::<aws_sdk_s3::primitives::ByteStreamError>()
        }
    }
}
