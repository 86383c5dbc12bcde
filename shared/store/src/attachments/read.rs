//! Attachments as they are read, by callers and by whoever verifies them.

use domain::{
    Attachment, AttachmentId, AttachmentKey, AttachmentSize, AttachmentState, NewAttachment,
    TaskId, TenantId,
};
use sqlx::types::Uuid;

use crate::error::ReadError;
use crate::store::Store;
use crate::stored::{StoredTime, Unreadable};

/// A row, not understood yet.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) task_id: Uuid,
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) size_bytes: i64,
    pub(super) sha256: Vec<u8>,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) created_at: StoredTime,
    pub(super) is_deleted: bool,
}

/// A task's attachments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// Those that can be read.
    pub readable: Vec<Attachment>,
    /// The identifiers of the others.
    pub unreadable: Vec<AttachmentId>,
}

impl TryFrom<Row> for Attachment {
    type Error = Unreadable;

    fn try_from(row: Row) -> Result<Self, Unreadable> {
        let state = AttachmentState::from_strs(&row.status, row.reason.as_deref());
        let state = state.ok_or(Unreadable::at("/status"))?;
        let created_at = row.created_at.0.ok_or(Unreadable::at("/created_at"))?;
        Ok(Self { id: row.id.into(), created_at, state, file: file(row)? })
    }
}

fn file(row: Row) -> Result<NewAttachment, Unreadable> {
    let bytes = row.size_bytes.unsigned_abs();
    Ok(NewAttachment {
        name: row.name.try_into().map_err(|_| Unreadable::at("/name"))?,
        content_type: row.content_type.try_into().map_err(|_| Unreadable::at("/content_type"))?,
        size: AttachmentSize::try_from(bytes).map_err(|_| Unreadable::at("/size_bytes"))?,
        sha256: row.sha256.try_into().map_err(|_| Unreadable::at("/sha256"))?,
    })
}

impl Store {
    /// A task's attachments, the oldest first; none if there is no such task. One that cannot be
    /// read is named, logged and counted; the others are answered.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn attachments(
        &self,
        tenant: &TenantId,
        task: TaskId,
    ) -> Result<Attachments, ReadError> {
        let rows = sqlx::query_as!(
            Row,
            r#"
            SELECT id, task_id, name, content_type, size_bytes, sha256, status, reason,
                created_at AS "created_at: StoredTime", deleted_at IS NOT NULL AS "is_deleted!"
            FROM attachments
            WHERE tenant = $1 AND task_id = $2 AND deleted_at IS NULL
            ORDER BY created_at, id
            "#,
            tenant.as_str(),
            task.as_uuid(),
        )
        .fetch_all(&self.pool)
        .await?;
        let mut found = Attachments::default();
        for row in rows {
            let id = row.id;
            match row.try_into() {
                Ok(attachment) => found.readable.push(attachment),
                Err(why) => {
                    why.report("attachments", id);
                    found.unreadable.push(id.into());
                }
            }
        }
        Ok(found)
    }

    /// An attachment; `None` if there is none, or it was deleted, alone or with its task.
    ///
    /// # Errors
    /// When PostgreSQL does not answer, or the attachment cannot be read.
    pub async fn attachment(&self, key: &AttachmentKey) -> Result<Option<Attachment>, ReadError> {
        let row = sqlx::query_as!(
            Row,
            r#"
            SELECT id, task_id, name, content_type, size_bytes, sha256, status, reason,
                created_at AS "created_at: StoredTime", deleted_at IS NOT NULL AS "is_deleted!"
            FROM attachments
            WHERE tenant = $1 AND task_id = $2 AND id = $3 AND deleted_at IS NULL
            "#,
            key.tenant.as_str(),
            key.task.as_uuid(),
            key.id.as_uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let attachment = row.map(Attachment::try_from).transpose();
        let attachment = attachment.inspect_err(|why| why.report("attachments", key.id));
        Ok(attachment.map_err(sqlx::Error::from)?)
    }
}
