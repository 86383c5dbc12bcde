//! Attachments announced and deleted. The file itself goes to S3 by the URL that the announcement
//! gets, and `attachment-worker` makes it available.

use std::time::Duration;

use axum::Json as JsonBody;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, value_parser};
use domain::{
    Attachment, AttachmentId, AttachmentKey, AttachmentState, NewAttachment, TaskId, limits,
};
use http_support::{
    Caller, FieldError, IdempotencyKey, Json, NO_STORE, Path, PathPair, Problem, Writer,
};
use records::{AttachmentBucket, BucketUnavailable, Signed};
use runtime::{Clock as _, SystemClock, aws};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::{Announcer, Attached, CommandKey, Deletion, RequestKey, Store};
use uuid::{Builder, Uuid};

use crate::command_headers::REPLAYED;
use crate::commands::problem;

/// The source of the idempotency keys of deletions.
const SOURCE: &str = "urn:task-app:http:attachment";

/// Whether there are attachments, and what may be uploaded.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Attachments")]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "they are the names of the settings")]
pub(crate) struct Config {
    /// Bucket of attachments, whose `attachments/*` may be put; without it there are none, and
    /// their addresses are 404
    #[arg(long, env, value_parser = NonEmptyStringValueParser::new())]
    attachment_bucket: Option<String>,

    /// Seconds for which an upload's URL holds
    #[arg(long, env, default_value_t = 900, value_parser = value_parser!(u16).range(1..=3_600))]
    attachment_upload_seconds: u16,

    /// Largest attachment, in bytes
    #[arg(long, env, default_value_t = limits::ATTACHMENT_BYTES_MAX,
        value_parser = value_parser!(u32).range(1..=i64::from(limits::ATTACHMENT_BYTES_MAX)))]
    attachment_max_bytes: u32,
}

/// Announces attachments and signs their uploads.
#[derive(Clone)]
pub(crate) struct Uploads {
    store: Store,
    bucket: AttachmentBucket,
    lifetime: Duration,
    max_bytes: u32,
    clock: SystemClock,
}

impl Uploads {
    /// `None` without a bucket.
    pub(crate) async fn connect(config: Config, store: Store, clock: SystemClock) -> Option<Self> {
        let bucket = config.attachment_bucket?;
        Some(Self {
            store,
            bucket: AttachmentBucket::new(&aws::client_config().await, bucket),
            lifetime: Duration::from_secs(config.attachment_upload_seconds.into()),
            max_bytes: config.attachment_max_bytes,
            clock,
        })
    }

    async fn announce(
        &self,
        mut key: AttachmentKey,
        announcer: Option<Announcer>,
        file: NewAttachment,
    ) -> Result<Announced, Problem> {
        self.check_size(&file)?;
        let now = self.clock.now();
        let attached =
            self.store.attach(key.clone(), announcer, file, now).await.map_err(problem)?;
        let (attachment, repeated) = match attached {
            Attached::New(attachment) => (attachment, false),
            Attached::Known(attachment) => (attachment, true),
            Attached::NotFound => return Err(Problem::NotFound),
            Attached::Full => return Err(Problem::TooManyAttachments),
            Attached::KeyReused => return Err(Problem::IdempotencyKeyReused),
        };
        key.id = attachment.id;
        let mut upload = None;
        if attachment.state != AttachmentState::Available {
            let signed = self.bucket.upload(&key, &attachment.file, now, self.lifetime).await;
            upload = Some(signed.map_err(unsigned)?);
        }
        Ok(Announced { attachment, upload, repeated })
    }

    fn check_size(&self, file: &NewAttachment) -> Result<(), Problem> {
        if file.size.bytes() <= self.max_bytes {
            return Ok(());
        }
        let detail = format!("at most {} bytes", self.max_bytes);
        Err(Problem::Invalid(vec![FieldError { pointer: "/size".to_owned(), detail }]))
    }
}

/// An attachment, and how to upload it unless it is available already.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AttachmentUpload")]
pub(crate) struct Announced {
    #[serde(flatten)]
    attachment: Attachment,
    /// How to upload it, unless it is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<Signed>,
    /// For the header that says so.
    #[serde(skip)]
    repeated: bool,
}

pub(crate) async fn announce(
    Writer(caller): Writer,
    Path(task): Path<TaskId>,
    idempotency_key: Option<IdempotencyKey>,
    State(uploads): State<Uploads>,
    Json(file): Json<NewAttachment>,
) -> Result<Response, Problem> {
    let (id, announcer) = identifier(&caller, idempotency_key.as_ref());
    let key = AttachmentKey { tenant: caller.tenant, task, id };
    let upload = uploads.announce(key, announcer, file).await?;
    let id = upload.attachment.id;
    let location = [(header::LOCATION, format!("/v1/tasks/{task}/attachments/{id}"))];
    let replayed = upload.repeated.then_some([REPLAYED]);
    Ok((StatusCode::CREATED, location, [NO_STORE], replayed, JsonBody(upload)).into_response())
}

pub(crate) async fn remove(
    Writer(caller): Writer,
    PathPair(task, id): PathPair<TaskId, AttachmentId>,
    idempotency_key: Option<IdempotencyKey>,
    State(uploads): State<Uploads>,
) -> Result<Response, Problem> {
    let key = AttachmentKey { tenant: caller.tenant, task, id };
    let request = idempotency_key.map(|key| RequestKey {
        key: CommandKey { source: SOURCE.to_owned(), id: key.as_str().to_owned() },
        caller: caller.actor,
    });
    let deleted = uploads.store.delete_attachment(key, request, uploads.clock.now()).await;
    match deleted.map_err(problem)? {
        Deletion::Deleted { repeated } => {
            Ok((StatusCode::NO_CONTENT, repeated.then_some([REPLAYED]), ()).into_response())
        }
        Deletion::NotFound => Err(Problem::NotFound),
        Deletion::KeyReused => Err(Problem::IdempotencyKeyReused),
    }
}

/// The same key of the same caller gives the same identifiers, so that a repeat finds the first: the one
/// that is taken, and the caller's own, if another caller has that already.
fn identifier(caller: &Caller, key: Option<&IdempotencyKey>) -> (AttachmentId, Option<Announcer>) {
    let Some(key) = key else { return (Uuid::now_v7().into(), None) };
    // A tenant has no slash.
    let of = |key: &str| digest(&format!("{}/{key}", caller.tenant));
    let own = of(&caller.actor.own_key(key.as_str()));
    (of(key.as_str()), Some(Announcer { caller: caller.actor.clone(), own }))
}

fn digest(text: &str) -> AttachmentId {
    let digest = Sha256::digest(text);
    let (bytes, _) = digest.split_at(16);
    let mut first = [0; 16];
    first.copy_from_slice(bytes);
    Builder::from_custom_bytes(first).into_uuid().into()
}

fn unsigned(cause: BucketUnavailable) -> Problem {
    Problem::unavailable("the store of attachments", cause)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_key_is_its_callers() {
        let key = |text: &str| {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("idempotency-key"),
                HeaderValue::from_str(text).unwrap(),
            )]);
            IdempotencyKey::from_headers(&headers).unwrap()
        };
        let caller = |tenant: &str, actor: &str| Caller {
            tenant: tenant.parse().unwrap(),
            actor: actor.parse().unwrap(),
        };
        let of = |tenant, actor, text| {
            let (id, announcer) = identifier(&caller(tenant, actor), key(text).as_ref());
            (id, announcer.unwrap().own)
        };
        let (id, own) = of("acme", "ann", "1");
        assert_eq!(of("acme", "ann", "\"1\""), (id, own));
        let bobs = of("acme", "bob", "1");
        assert_eq!(bobs.0, id);
        for other in [bobs.1, of("other", "ann", "1").1, of("acme", "ann", "2").1, id] {
            assert_ne!(other, own);
        }
        let without = || identifier(&caller("acme", "ann"), None).0;
        assert_ne!(without(), without());
    }
}
