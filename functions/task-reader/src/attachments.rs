//! Attachments of tasks: what is known of them, and how to fetch those that are available. The files
//! themselves come from S3.

use std::time::Duration;

use aws_config::SdkConfig;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, value_parser};
use domain::{Attachment, AttachmentId, AttachmentKey, AttachmentState, TaskId, Timestamp};
use http_support::{Headers, NO_STORE, Path, PathPair, Problem, Reader};
use records::{AttachmentBucket, BucketUnavailable, Signed};
use runtime::{Clock as _, SystemClock};
use schemars::JsonSchema;
use serde::Serialize;
use store::Store;

use crate::answers::read_failed;
use crate::freshness::freshness;

/// Whether there are attachments, and for how long they may be fetched.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Attachments")]
#[group(skip)]
pub(crate) struct Config {
    /// Bucket of attachments, whose `attachments/*` may be got; without it there are none, and their
    /// addresses are 404
    #[arg(long, env, value_parser = NonEmptyStringValueParser::new())]
    attachment_bucket: Option<String>,

    /// Seconds for which a download's URL holds
    #[arg(long, env, default_value_t = 300, value_parser = value_parser!(u16).range(1..=3_600))]
    attachment_download_seconds: u16,
}

/// Knows attachments and signs their downloads.
#[derive(Clone)]
pub(crate) struct Downloads {
    store: Store,
    bucket: AttachmentBucket,
    lifetime: Duration,
    clock: SystemClock,
}

impl Downloads {
    /// `None` without a bucket.
    pub(crate) fn new(
        aws: &SdkConfig,
        config: Config,
        store: Store,
        clock: SystemClock,
    ) -> Option<Self> {
        Some(Self {
            store,
            bucket: AttachmentBucket::new(aws, config.attachment_bucket?),
            lifetime: Duration::from_secs(config.attachment_download_seconds.into()),
            clock,
        })
    }

    async fn sign(
        &self,
        key: &AttachmentKey,
        attachment: Attachment,
        now: Timestamp,
    ) -> Result<Download, Problem> {
        let mut download = None;
        if attachment.state == AttachmentState::Available {
            let signed = self.bucket.download(key, &attachment.file, now, self.lifetime).await;
            download = Some(signed.map_err(unsigned)?);
        }
        Ok(Download { attachment, download })
    }
}

/// An attachment, and how to fetch it if it is available.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AttachmentDownload")]
pub(crate) struct Download {
    #[serde(flatten)]
    attachment: Attachment,
    /// How to fetch it, if it is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    download: Option<Signed>,
}

/// All attachments of a task: there are too few for pages.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AttachmentList {
    /// In the order in which they were announced.
    attachments: Vec<Download>,
    /// The identifiers of those that could not be read, for a fault of ours. Absent as a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<AttachmentId>,
}

pub(crate) async fn list(
    Reader(caller): Reader,
    Path(task): Path<TaskId>,
    State(downloads): State<Downloads>,
    Headers(headers): Headers,
) -> Result<Response, Problem> {
    let (store, tenant) = (&downloads.store, &caller.tenant);
    let found = store.attachments(tenant, task).await.map_err(read_failed)?;
    if found.readable.is_empty() && found.unreadable.is_empty() {
        let read = store.read(tenant, task, freshness(&headers)).await;
        let (read, _) = read.map_err(read_failed)?;
        read.ok_or(Problem::NotFound)?;
    }
    let now = downloads.clock.now();
    let mut attachments = Vec::with_capacity(found.readable.len());
    for attachment in found.readable {
        let key = AttachmentKey { tenant: tenant.clone(), task, id: attachment.id };
        attachments.push(downloads.sign(&key, attachment, now).await?);
    }
    Ok(([NO_STORE], Json(AttachmentList { attachments, unreadable: found.unreadable }))
        .into_response())
}

pub(crate) async fn one(
    Reader(caller): Reader,
    PathPair(task, id): PathPair<TaskId, AttachmentId>,
    State(downloads): State<Downloads>,
) -> Result<Response, Problem> {
    let key = AttachmentKey { tenant: caller.tenant.clone(), task, id };
    let found = downloads.store.attachment(&key).await.map_err(read_failed)?;
    let attachment = found.ok_or(Problem::NotFound)?;
    let download = downloads.sign(&key, attachment, downloads.clock.now()).await?;
    Ok(([NO_STORE], Json(download)).into_response())
}

fn unsigned(cause: BucketUnavailable) -> Problem {
    Problem::unavailable("the store of attachments", cause)
}
