//! Attachments as they are read, by callers and by whoever verifies them.

use domain::{
    Attachment, AttachmentKey, AttachmentSize, AttachmentState, NewAttachment, TaskId, TenantId,
    Timestamp,
};
use sqlx::types::Uuid;

use crate::error::ReadError;
use crate::load::unreadable;
use crate::store::Store;

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
    pub(super) created_at: Timestamp,
    pub(super) deleted_at: Option<Timestamp>,
}

impl TryFrom<Row> for Attachment {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let state = AttachmentState::from_strs(&row.status, row.reason.as_deref());
        let state = state.ok_or_else(|| sqlx::Error::Decode("an unknown status".into()))?;
        Ok(Self { id: row.id.into(), created_at: row.created_at, state, file: file(row)? })
    }
}

fn file(row: Row) -> Result<NewAttachment, sqlx::Error> {
    let bytes = row.size_bytes.unsigned_abs();
    Ok(NewAttachment {
        name: row.name.try_into().map_err(unreadable)?,
        content_type: row.content_type.try_into().map_err(unreadable)?,
        size: AttachmentSize::try_from(bytes).map_err(unreadable)?,
        sha256: row.sha256.try_into().map_err(unreadable)?,
    })
}

impl Store {
    /// A task's attachments, the newest first; none if there is no such task.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn attachments(
        &self,
        tenant: &TenantId,
        task: TaskId,
    ) -> Result<Vec<Attachment>, ReadError> {
        let rows = sqlx::query_as!(
            Row,
            r#"
            SELECT id, task_id, name, content_type, size_bytes, sha256, status, reason, created_at,
                deleted_at
            FROM attachments
            WHERE tenant = $1 AND task_id = $2 AND deleted_at IS NULL
            ORDER BY created_at DESC, id DESC
            "#,
            tenant.as_str(),
            task.as_uuid(),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(TryInto::try_into).collect::<Result<_, sqlx::Error>>()?)
    }

    /// An attachment; `None` if there is none, or it was deleted, alone or with its task.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn attachment(&self, key: &AttachmentKey) -> Result<Option<Attachment>, ReadError> {
        let row = sqlx::query_as!(
            Row,
            r#"
            SELECT id, task_id, name, content_type, size_bytes, sha256, status, reason, created_at,
                deleted_at
            FROM attachments
            WHERE tenant = $1 AND task_id = $2 AND id = $3 AND deleted_at IS NULL
            "#,
            key.tenant.as_str(),
            key.task.as_uuid(),
            key.id.as_uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(TryInto::try_into).transpose()?)
    }
}
