//! An S3 object: written in parts, and there when it is whole.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::local::exists;
use super::unseen;

/// Bytes of a part. S3 takes 5 MiB to 5 GiB.
const PART: usize = 16 << 20;
/// Parts of an object, by S3.
const MOST_PARTS: usize = 10_000;
/// Time of one attempt: of a part over a slow line.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);
/// The condition that nothing has the key yet.
const NOTHING: &str = "*";
/// Who may write but not read learns nothing of what is there. It is refused at the end.
const UNKNOWN: [u16; 2] = [403, 404];
const MEDIA_TYPE: &str = "application/x-ndjson";

/// A client whose attempts may take as long as a part does.
pub(crate) fn s3(aws: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    objects::client(&aws.to_builder().timeout_config(timeouts).build())
}

pub(super) struct Upload {
    client: Client,
    bucket: String,
    key: String,
    overwrite: bool,
    id: Option<String>,
    parts: Vec<CompletedPart>,
    buffer: Vec<u8>,
}

impl Upload {
    pub(super) async fn begin(
        client: Client,
        bucket: &str,
        key: &str,
        overwrite: bool,
    ) -> anyhow::Result<Self> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let upload = Self {
            client,
            bucket,
            key,
            overwrite,
            id: None,
            parts: Vec::new(),
            buffer: Vec::new(),
        };
        // Now rather than after the whole export. Whether it is there is decided again at the end.
        let head = upload.client.head_object().bucket(&upload.bucket).key(&upload.key).send().await;
        match head {
            Ok(_) if !overwrite => bail!(exists(&upload.name())),
            Ok(_) => Ok(upload),
            Err(SdkError::ServiceError(error))
                if UNKNOWN.contains(&error.raw().status().as_u16()) =>
            {
                Ok(upload)
            }
            Err(error) => Err(unseen(&upload.name(), error)),
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= PART {
            let left = self.buffer.split_off(PART);
            let part = std::mem::replace(&mut self.buffer, left);
            self.send(part).await?;
        }
        Ok(())
    }

    /// Makes the object appear.
    ///
    /// # Errors
    /// When S3 fails or refuses. Then no part is left.
    pub(super) async fn finish(mut self) -> anyhow::Result<()> {
        let finished = self.complete().await;
        if finished.is_err() {
            self.discard().await?;
        }
        finished
    }

    /// Leaves nothing, as far as S3 answers.
    pub(super) async fn discard(self) -> anyhow::Result<()> {
        let Some(id) = self.id.clone() else { return Ok(()) };
        let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(&self.key);
        let aborted = abort.upload_id(id).send().await;
        let name = self.name();
        aborted.map(drop).with_context(|| format!("removing the parts of {name} that were sent"))
    }

    async fn complete(&mut self) -> anyhow::Result<()> {
        let last = std::mem::take(&mut self.buffer);
        let Some(id) = self.id.clone() else { return self.put(last).await };
        if !last.is_empty() {
            self.send(last).await?;
        }
        let parts = Some(std::mem::take(&mut self.parts));
        let parts = CompletedMultipartUpload::builder().set_parts(parts).build();
        let complete = self.client.complete_multipart_upload().bucket(&self.bucket).key(&self.key);
        let complete = complete.upload_id(id).multipart_upload(parts);
        let completed = complete.set_if_none_match(self.condition()).send().await;
        completed.map(drop).map_err(|error| self.refused(error))
    }

    /// A small object takes one request.
    async fn put(&self, body: Vec<u8>) -> anyhow::Result<()> {
        let put = self.client.put_object().bucket(&self.bucket).key(&self.key);
        let put = put.content_type(MEDIA_TYPE).body(ByteStream::from(body));
        let put = put.set_if_none_match(self.condition()).send().await;
        put.map(drop).map_err(|error| self.refused(error))
    }

    async fn send(&mut self, part: Vec<u8>) -> anyhow::Result<()> {
        let number = self.parts.len() + 1;
        if number > MOST_PARTS {
            bail!("{} would be larger than {MOST_PARTS} parts of {PART} bytes", self.name());
        }
        let number = i32::try_from(number)?;
        let writing = format!("writing {}", self.name());
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.id.insert(self.create().await.context(writing.clone())?).clone(),
        };
        let request = self.client.upload_part().bucket(&self.bucket).key(&self.key).upload_id(id);
        let answer = request.part_number(number).body(ByteStream::from(part)).send().await;
        let answer = answer.context(writing)?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag);
        self.parts.push(part.set_checksum_crc32(answer.checksum_crc32).build());
        Ok(())
    }

    async fn create(&self) -> anyhow::Result<String> {
        let create = self.client.create_multipart_upload().bucket(&self.bucket).key(&self.key);
        let created = create.content_type(MEDIA_TYPE).send().await?;
        created.upload_id.context("S3 gave no upload id")
    }

    fn condition(&self) -> Option<String> {
        (!self.overwrite).then(|| NOTHING.to_owned())
    }

    fn refused<E>(&self, error: SdkError<E>) -> anyhow::Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if error.code() == Some("PreconditionFailed") {
            return anyhow::anyhow!(exists(&self.name()));
        }
        anyhow::Error::new(error).context(format!("writing {}", self.name()))
    }

    fn name(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}
