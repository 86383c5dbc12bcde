//! The results of verifying attachments' objects.

use domain::{AttachmentKey, AttachmentState, Timestamp};

use crate::error::ReadError;
use crate::store::Store;

impl Store {
    /// Records the result of verifying an attachment's object. Changes nothing if that is known already,
    /// or there is no such attachment any more.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn record_verification(
        &self,
        key: &AttachmentKey,
        state: AttachmentState,
        now: Timestamp,
    ) -> Result<(), ReadError> {
        let (status, reason) = state.as_strs();
        sqlx::query!(
            r#"
            UPDATE attachments SET status = $4, reason = $5, updated_at = $6
            WHERE tenant = $1 AND task_id = $2 AND id = $3 AND deleted_at IS NULL
            AND (status, reason) IS DISTINCT FROM ($4, $5)
            "#,
            key.tenant.as_str(),
            key.task.as_uuid(),
            key.id.as_uuid(),
            status,
            reason,
            now,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
