//! What a file is read from, a block at a time: the same one however often it is read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use anyhow::{Context as _, bail};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;

use super::{Place, unseen};

/// Bytes that are read at a time.
const BLOCK: u64 = 4 << 20;

pub(crate) enum Source {
    Local {
        name: String,
        file: File,
    },
    Object {
        name: String,
        client: Client,
        bucket: String,
        key: String,
        tag: String,
        size: u64,
        at: u64,
    },
}

impl Source {
    pub(crate) async fn open(place: &Place, s3: &Client) -> anyhow::Result<Self> {
        let name = place.to_string();
        match place {
            Place::Stdout => bail!("{name} cannot be read"),
            Place::Local(path) => {
                let file = File::open(path).with_context(|| format!("opening {name}"))?;
                Ok(Self::Local { name, file })
            }
            Place::Object { bucket, key } => {
                let head = s3.head_object().bucket(bucket).key(key).send().await;
                let head = head.map_err(|error| unseen(&name, error))?;
                let (bucket, key, client) = (bucket.clone(), key.clone(), s3.clone());
                let tag = head.e_tag.with_context(|| format!("{name} has no entity tag"))?;
                let size = head.content_length.and_then(|size| size.try_into().ok());
                let size = size.with_context(|| format!("{name} has no size"))?;
                Ok(Self::Object { name, client, bucket, key, tag, size, at: 0 })
            }
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Local { name, .. } | Self::Object { name, .. } => name,
        }
    }

    /// Goes back to the beginning.
    pub(super) fn rewind(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Local { name, file } => {
                let sought = file.seek(SeekFrom::Start(0));
                sought.with_context(|| format!("{name} is read twice, first to check it"))?;
            }
            Self::Object { at, .. } => *at = 0,
        }
        Ok(())
    }

    /// The next bytes; none at the end.
    pub(super) async fn block(&mut self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Local { name, file } => {
                let mut block = Vec::new();
                let read = file.take(BLOCK).read_to_end(&mut block);
                read.with_context(|| format!("reading {name}"))?;
                Ok(block)
            }
            Self::Object { name, client, bucket, key, tag, size, at } => {
                if at >= size {
                    return Ok(Vec::new());
                }
                let end = at.saturating_add(BLOCK).min(*size).saturating_sub(1);
                let get = client.get_object().bucket(&*bucket).key(&*key).if_match(&*tag);
                let got = get.range(format!("bytes={at}-{end}")).send().await;
                let got = match got {
                    Err(SdkError::ServiceError(error)) if error.raw().status().as_u16() == 412 => {
                        bail!("{name} was replaced while it was read")
                    }
                    got => got.with_context(|| format!("reading {name}"))?,
                };
                let block = got.body.collect().await.with_context(|| format!("reading {name}"))?;
                *at = end.saturating_add(1);
                Ok(block.to_vec())
            }
        }
    }
}
