//! Writes a file, a line at a time, with bounded memory.

use anyhow::Context as _;
use archives::{Compressor, Upload};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use schemars::JsonSchema;
use serde::Serialize;

use super::Place;
use super::format::{Header, Line, Record, Trailer};
use super::local::Local;
use super::object;
use crate::output;

/// A file that is not whole yet.
pub(crate) struct Writer {
    sink: Sink,
    compressor: Compressor,
    digest: Digest,
    messages: u64,
}

enum Sink {
    Stdout,
    Local(Local),
    Object(Box<Upload>),
}

/// What a file came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Written {
    pub(crate) messages: u64,
    /// Of all lines but the trailer.
    pub(crate) sha256: String,
}

impl Writer {
    /// Begins a file with its header.
    pub(crate) async fn begin(
        place: &Place,
        s3: &aws_sdk_s3::Client,
        overwrite: bool,
        header: Header,
    ) -> anyhow::Result<Self> {
        let sink = match place {
            Place::Stdout => Sink::Stdout,
            Place::Local(path) => Sink::Local(Local::create(path, overwrite)?),
            Place::Object { bucket, key } => {
                Sink::Object(Box::new(object::begin(s3.clone(), bucket, key, overwrite).await?))
            }
        };
        let compressor = Compressor::new(place.is_compressed())?;
        let mut writer = Self { sink, compressor, digest: Digest::new(&SHA256), messages: 0 };
        writer.line(&Line::Header(header)).await?;
        Ok(writer)
    }

    pub(crate) async fn add(&mut self, record: Record) -> anyhow::Result<()> {
        self.messages += 1;
        self.line(&Line::Message(Box::new(record))).await
    }

    /// Makes what was added durable; of an object that is so only when it is whole.
    pub(crate) async fn sync(&mut self) -> anyhow::Result<()> {
        self.compressor.flush()?;
        self.drain().await?;
        match &mut self.sink {
            Sink::Local(file) => file.sync(),
            Sink::Stdout | Sink::Object(_) => Ok(()),
        }
    }

    /// Ends the file with its trailer.
    ///
    /// # Errors
    /// When it cannot be whole.
    pub(crate) async fn finish(mut self, complete: Option<bool>) -> anyhow::Result<Written> {
        let sha256 = hex::encode(self.digest.clone().finish().as_ref());
        let messages = self.messages;
        let trailer = Trailer { messages, sha256: sha256.clone(), complete };
        self.line(&Line::Trailer(trailer)).await?;
        let rest = self.compressor.finish()?;
        self.sink.write(&rest).await?;
        self.sink.finish().await?;
        Ok(Written { messages, sha256 })
    }

    /// Leaves nothing of the file.
    pub(crate) async fn discard(self) -> anyhow::Result<()> {
        match self.sink {
            Sink::Stdout => Ok(()),
            Sink::Local(file) => file.discard(),
            Sink::Object(upload) => Ok(upload.discard().await?),
        }
    }

    /// Where what was written is until the file is whole.
    pub(crate) fn partial(&self) -> Option<String> {
        match &self.sink {
            Sink::Local(file) => Some(file.partial().display().to_string()),
            Sink::Stdout | Sink::Object(_) => None,
        }
    }

    async fn line(&mut self, line: &Line) -> anyhow::Result<()> {
        let mut bytes = serde_json::to_vec(line).context("a line in JSON")?;
        bytes.push(b'\n');
        self.digest.update(&bytes);
        self.compressor.add(&bytes)?;
        self.drain().await
    }

    async fn drain(&mut self) -> anyhow::Result<()> {
        let ready = self.compressor.take();
        self.sink.write(&ready).await
    }
}

impl Sink {
    async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Stdout => output::bytes(bytes),
            Self::Local(file) => file.write(bytes),
            Self::Object(upload) => object::written(upload.write(bytes).await.map(drop)),
        }
    }

    async fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout => Ok(()),
            Self::Local(file) => file.finish(),
            Self::Object(upload) => object::written(upload.finish().await.map(drop)),
        }
    }
}
