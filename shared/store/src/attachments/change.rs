//! Attachments as callers announce them.
//!
//! Each change, here and in `delete`, is a transaction in a task of its own, like [`Store::apply`]: to drop its future does
//! not cut it off.

use std::future::Future;

use chrono::SubsecRound as _;
use domain::{Actor, Attachment, AttachmentId, AttachmentKey, NewAttachment, Timestamp, limits};
use sqlx::types::Uuid;

use super::read::Row;
use crate::error::{ApplyError, is_conflict};
use crate::pool::Transaction;
use crate::store::Store;
use crate::stored::StoredTime;

/// How often others may take the same place among a task's attachments.
const ATTEMPTS: u32 = 5;

/// What became of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// A new attachment.
    New(Attachment),
    /// The one that the same announcement made before.
    Known(Attachment),
    /// There is no such task, or the attachment was announced before and deleted since.
    NotFound,
    /// The task has as many attachments as it may have.
    Full,
    /// The identifier belongs to another announcement.
    KeyReused,
}

/// Whose announcement it is.
#[derive(Clone, Debug)]
pub struct Announcer {
    /// The caller, to whom its idempotency keys belong.
    pub caller: Actor,
    /// The attachment's identifier if the one that was chosen is another caller's.
    pub own: AttachmentId,
}

impl Store {
    /// Announces an attachment, whose identifier the caller chose: the same again gives the same.
    /// One that is not available yet may be uploaded anew from now on. If the identifier was made of an
    /// idempotency key, `announcer` is whose that is.
    ///
    /// # Errors
    /// An [`ApplyError`]; nothing was written, or the same call finds what was.
    pub async fn attach(
        &self,
        key: AttachmentKey,
        announcer: Option<Announcer>,
        file: NewAttachment,
        now: Timestamp,
    ) -> Result<Attached, ApplyError> {
        let store = self.clone();
        to_its_end(async move {
            for _ in 1..=ATTEMPTS {
                match store.attach_once(&key, announcer.as_ref(), &file, now.trunc_subsecs(6)).await
                {
                    Ok(Some(attached)) => return Ok(attached),
                    Ok(None) => {}
                    Err(error) if is_conflict(&error) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(ApplyError::Contended)
        })
        .await
    }

    /// `None`: another transaction was faster with the place, or another caller with the identifier.
    async fn attach_once(
        &self,
        key: &AttachmentKey,
        announcer: Option<&Announcer>,
        file: &NewAttachment,
        now: Timestamp,
    ) -> Result<Option<Attached>, sqlx::Error> {
        let mut transaction = self.pool.begin_with(begin(key)).await?;
        let places = add(&mut transaction, key, announcer, file, now).await?;
        let row = find(&mut transaction, key, places.id, announcer).await?;
        transaction.commit().await?;
        match row {
            _ if !places.task => Ok(Some(Attached::NotFound)),
            Some(row) => attached(row, key, file, places.added).map(Some),
            None => Ok((!places.free).then_some(Attached::Full)),
        }
    }
}

pub(super) async fn to_its_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, ApplyError>> + Send + 'static,
) -> Result<T, ApplyError> {
    tokio::spawn(change).await.unwrap_or(Err(ApplyError::Unavailable(sqlx::Error::WorkerCrashed)))
}

/// Names the tenant for row-level security; a tenant's alphabet needs no quoting.
pub(super) fn begin(key: &AttachmentKey) -> String {
    format!("BEGIN; SET LOCAL app.tenants = '{}'", key.tenant)
}

struct Places {
    id: Uuid,
    task: bool,
    free: bool,
    added: bool,
}

/// Adds the attachment in a free place, or renews the one that is there; with the announcer's own
/// identifier, if the one that was chosen is another caller's. Nobody deletes the task
/// meanwhile: its row is locked first.
async fn add(
    transaction: &mut Transaction,
    key: &AttachmentKey,
    announcer: Option<&Announcer>,
    file: &NewAttachment,
    now: Timestamp,
) -> Result<Places, sqlx::Error> {
    sqlx::query_as!(
        Places,
        r#"
        WITH task AS MATERIALIZED (
            SELECT 1 FROM tasks WHERE tenant = $1 AND id = $2 AND deleted_at IS NULL FOR SHARE
        ),
        chosen AS MATERIALIZED (
            SELECT CASE WHEN EXISTS (
                SELECT FROM attachments
                WHERE tenant = $1 AND (id = $11 OR id = $3 AND caller <> $10)
            ) THEN $11 ELSE $3 END AS id
        ),
        free AS MATERIALIZED (
            SELECT place
            FROM generate_series(1, $9::integer) AS place
            WHERE place NOT IN (
                SELECT attachments.place FROM attachments
                WHERE tenant = $1 AND task_id = $2 AND attachments.place IS NOT NULL
            )
            ORDER BY random()
            LIMIT 1
        ),
        renewed AS (
            UPDATE attachments SET updated_at = $8 FROM task, chosen
            WHERE tenant = $1 AND attachments.id = chosen.id AND status <> 'available' AND deleted_at IS NULL
        ),
        added AS (
            INSERT INTO attachments (
                tenant, task_id, id, place, name, content_type, size_bytes, sha256, created_at,
                updated_at, caller
            )
            SELECT $1, $2, chosen.id, place, $4, $5, $6, $7, $8, $8, $10 FROM task, free, chosen
            ON CONFLICT DO NOTHING
            RETURNING id
        )
        SELECT
            (SELECT id FROM chosen) AS "id!",
            EXISTS (SELECT FROM task) AS "task!",
            EXISTS (SELECT FROM free) AS "free!",
            EXISTS (SELECT FROM added) AS "added!"
        "#,
        key.tenant.as_str(),
        key.task.as_uuid(),
        key.id.as_uuid(),
        file.name.as_str(),
        file.content_type.as_str(),
        i64::from(file.size.bytes()),
        file.sha256.as_bytes(),
        now,
        i32::try_from(limits::ATTACHMENTS_MAX).unwrap_or(i32::MAX),
        announcer.map(|announcer| announcer.caller.as_str()),
        announcer.map(|announcer| announcer.own.as_uuid()),
    )
    .fetch_one(transaction)
    .await
}

/// What the identifier stands for already: perhaps for something deleted, or of another task. Not for
/// what is another caller's.
async fn find(
    transaction: &mut Transaction,
    key: &AttachmentKey,
    id: Uuid,
    announcer: Option<&Announcer>,
) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"
        SELECT id, task_id, name, content_type, size_bytes, sha256, status, reason,
            created_at AS "created_at: StoredTime", deleted_at IS NOT NULL AS "is_deleted!"
        FROM attachments
        WHERE tenant = $1 AND id = $2 AND coalesce(caller = $3, true)
        "#,
        key.tenant.as_str(),
        id,
        announcer.map(|announcer| announcer.caller.as_str()),
    )
    .fetch_optional(transaction)
    .await
}

fn attached(
    row: Row,
    key: &AttachmentKey,
    file: &NewAttachment,
    added: bool,
) -> Result<Attached, sqlx::Error> {
    if row.task_id != key.task.as_uuid() {
        return Ok(Attached::KeyReused);
    }
    if row.is_deleted {
        return Ok(Attached::NotFound);
    }
    let attachment = Attachment::try_from(row);
    let attachment = attachment.inspect_err(|why| why.report("attachments", key.id))?;
    Ok(match attachment.file == *file {
        true if added => Attached::New(attachment),
        true => Attached::Known(attachment),
        false => Attached::KeyReused,
    })
}
