//! An S3 object: written in parts, and there when it is whole.
//!
//! Parts are sent beside what makes them. So many bytes are in memory at most: a part for each request
//! under way, and one that is being filled.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use tokio::task::JoinSet;

use crate::url::url;

/// Parts of an object, by S3.
const MOST_PARTS: usize = 10_000;
/// Time of one attempt: of a part over a slow line.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);
/// The condition that nothing has the key yet.
const NOTHING: &str = "*";

/// A client whose attempts may take as long as a part does.
#[must_use]
pub fn client(aws: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    objects::client(&aws.to_builder().timeout_config(timeouts).build())
}

/// What an object is to be.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Whether one that is there is replaced.
    pub overwrite: bool,
    /// How S3 encrypts it.
    pub encryption: Encryption,
    /// Bytes of a part. S3 takes 5 MiB to 5 GiB.
    pub part: usize,
    /// Parts that are sent at the same time.
    pub parallel: usize,
}

/// How S3 encrypts an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// As the bucket says.
    OfBucket,
    /// With this key of KMS.
    Kms(String),
}

/// Why there is no object.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// There is one already, which is not to be replaced.
    #[error("{0} is there already")]
    Exists(String),
    /// S3 takes no more parts.
    #[error("{name} would be larger than {MOST_PARTS} parts of {part} bytes")]
    TooLarge {
        /// The object.
        name: String,
        /// Bytes of a part.
        part: usize,
    },
    /// S3 fails or refuses.
    #[error("{doing}")]
    S3 {
        /// What was done.
        doing: String,
        /// What S3 answered.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An object that is not whole yet.
#[derive(Debug)]
pub struct Upload {
    client: Client,
    target: Target,
    id: Option<String>,
    /// How many parts were begun.
    begun: usize,
    sending: JoinSet<Result<CompletedPart, UploadError>>,
    parts: Vec<CompletedPart>,
    buffer: Vec<u8>,
}

impl Upload {
    /// Begins with nothing, and makes no request.
    #[must_use]
    pub fn new(client: Client, target: Target) -> Self {
        let (sending, parts, buffer) = (JoinSet::new(), Vec::new(), Vec::new());
        Self { client, target, id: None, begun: 0, sending, parts, buffer }
    }

    /// Adds bytes. Returns how many parts were begun so far.
    ///
    /// # Errors
    /// When S3 fails or refuses: call [`Self::discard`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<usize, UploadError> {
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= self.target.part {
            let left = self.buffer.split_off(self.target.part);
            let part = std::mem::replace(&mut self.buffer, left);
            self.send(part).await?;
        }
        Ok(self.begun)
    }

    /// Makes the object appear. Returns how many parts it has, 0 if it took one request.
    ///
    /// # Errors
    /// When S3 fails or refuses. Then no part is left, as far as S3 answers.
    pub async fn finish(mut self) -> Result<usize, UploadError> {
        match self.complete().await {
            Ok(()) => Ok(self.begun),
            Err(error) => {
                self.discard().await?;
                Err(error)
            }
        }
    }

    /// Leaves nothing.
    ///
    /// # Errors
    /// When S3 does not answer: parts may be left.
    pub async fn discard(mut self) -> Result<(), UploadError> {
        // A part that arrives after the end would be left.
        self.sending.shutdown().await;
        let Some(id) = &self.id else { return Ok(()) };
        let Target { bucket, key, .. } = &self.target;
        let abort = self.client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
        let doing = format!("removing the parts of {} that were sent", self.name());
        abort.send().await.map(drop).map_err(|error| failed(doing, error))
    }

    async fn complete(&mut self) -> Result<(), UploadError> {
        let last = std::mem::take(&mut self.buffer);
        let Some(id) = self.id.clone() else { return self.put(last).await };
        if !last.is_empty() {
            self.send(last).await?;
        }
        while !self.sending.is_empty() {
            self.sent().await?;
        }
        self.parts.sort_by_key(CompletedPart::part_number);
        let parts = Some(std::mem::take(&mut self.parts));
        let parts = CompletedMultipartUpload::builder().set_parts(parts).build();
        let complete: CompleteMultipartUploadFluentBuilder = self
            .client
            .complete_multipart_upload()
            .bucket(&self.target.bucket)
            .key(&self.target.key)
            .upload_id(id)
            .multipart_upload(parts);
        let completed = complete.set_if_none_match(self.condition()).send().await;
        completed.map(drop).map_err(|error| self.refused(error))
    }

    /// A small object takes one request.
    async fn put(&self, body: Vec<u8>) -> Result<(), UploadError> {
        let (algorithm, key) = self.target.encryption.headers();
        let put = self.client.put_object().bucket(&self.target.bucket).key(&self.target.key);
        let put = put.content_type(self.target.media_type).body(ByteStream::from(body));
        let put = put.set_server_side_encryption(algorithm).set_ssekms_key_id(key);
        let put = put.set_if_none_match(self.condition()).send().await;
        put.map(drop).map_err(|error| self.refused(error))
    }

    /// Begins to send a part, when there is room for it.
    async fn send(&mut self, part: Vec<u8>) -> Result<(), UploadError> {
        if self.begun >= MOST_PARTS {
            return Err(UploadError::TooLarge { name: self.name(), part: self.target.part });
        }
        while self.sending.len() >= self.target.parallel {
            self.sent().await?;
        }
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.id.insert(self.create().await?).clone(),
        };
        self.begun += 1;
        let number = i32::try_from(self.begun).unwrap_or(i32::MAX);
        let doing = self.writing();
        let request = self.client.upload_part().bucket(&self.target.bucket).key(&self.target.key);
        let request = request.upload_id(id).part_number(number).body(ByteStream::from(part));
        self.sending.spawn(async move {
            let answer = request.send().await.map_err(|error| failed(doing, error))?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag);
            Ok(part.set_checksum_crc32(answer.checksum_crc32).build())
        });
        Ok(())
    }

    /// Waits until a part was sent.
    async fn sent(&mut self) -> Result<(), UploadError> {
        match self.sending.join_next().await {
            Some(Ok(part)) => self.parts.push(part?),
            Some(Err(error)) => return Err(failed(self.writing(), error)),
            None => (),
        }
        Ok(())
    }

    async fn create(&self) -> Result<String, UploadError> {
        let (algorithm, key) = self.target.encryption.headers();
        let create = self.client.create_multipart_upload().bucket(&self.target.bucket);
        let create = create.key(&self.target.key).content_type(self.target.media_type);
        let create = create.set_server_side_encryption(algorithm).set_ssekms_key_id(key);
        let created = create.send().await.map_err(|error| failed(self.writing(), error))?;
        created.upload_id.ok_or_else(|| UploadError::S3 {
            doing: self.writing(),
            cause: "S3 gave no upload id".into(),
        })
    }

    fn condition(&self) -> Option<String> {
        (!self.target.overwrite).then(|| NOTHING.to_owned())
    }

    fn refused<E>(&self, error: SdkError<E>) -> UploadError
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if error.code() == Some("PreconditionFailed") {
            return UploadError::Exists(self.name());
        }
        failed(self.writing(), error)
    }

    fn writing(&self) -> String {
        format!("writing {}", self.name())
    }

    fn name(&self) -> String {
        url(&self.target.bucket, &self.target.key)
    }
}

impl Encryption {
    fn headers(&self) -> (Option<ServerSideEncryption>, Option<String>) {
        match self {
            Self::OfBucket => (None, None),
            Self::Kms(key) => (Some(ServerSideEncryption::AwsKms), Some(key.clone())),
        }
    }
}

fn failed(doing: String, cause: impl std::error::Error + Send + Sync + 'static) -> UploadError {
    UploadError::S3 { doing, cause: Box::new(cause) }
}
