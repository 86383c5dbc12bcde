//! Attachments that are to go: marked first, removed once their objects are gone.
//!
//! Several replicas may sweep at a time: each step may be done twice.

use domain::{AttachmentKey, Timestamp};
use sqlx::types::Uuid;

use crate::error::ReadError;
use crate::store::Store;
use crate::stored::Unreadable;

/// Rows of one statement, at most.
const BATCH: i64 = 1_000;

impl Store {
    /// Deletes some attachments that nobody uploaded since `pending`, and some that were rejected
    /// before `rejected`.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn expire_attachments(
        &self,
        pending: Timestamp,
        rejected: Timestamp,
        now: Timestamp,
    ) -> Result<(), ReadError> {
        sqlx::query!(
            r#"
            -- every tenant's
            UPDATE attachments SET place = NULL, deleted_at = $3, updated_at = $3
            WHERE deleted_at IS NULL AND status <> 'available' AND ctid = ANY (ARRAY (
                SELECT ctid FROM attachments
                WHERE deleted_at IS NULL AND status <> 'available'
                AND updated_at < CASE status WHEN 'pending' THEN $1::timestamptz ELSE $2 END
                LIMIT $4
            ))
            "#,
            pending,
            rejected,
            now,
            BATCH,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes at most `limit` attachments that are deleted, not removed, and due for an attempt to
    /// remove their objects at `now`; the longest due first, and none that another replica takes.
    ///
    /// Each is postponed with the taking: one that cannot be removed, or read, or at which the process
    /// dies, waits for a second after its first attempt, for twice as long after each further one,
    /// and for nine hours at most.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn take_removals(
        &self,
        now: Timestamp,
        limit: u16,
    ) -> Result<Vec<AttachmentKey>, ReadError> {
        let rows = sqlx::query!(
            r#"
            -- every tenant's
            UPDATE attachments SET
                removal_attempts = LEAST(removal_attempts + 1, 1000),
                remove_after = $1::timestamptz
                    + interval '1 second' * (2 ^ LEAST(removal_attempts, 15))
            WHERE ctid = ANY (ARRAY (
                SELECT ctid FROM attachments
                WHERE deleted_at IS NOT NULL AND COALESCE(remove_after, deleted_at) <= $1
                ORDER BY COALESCE(remove_after, deleted_at)
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ))
            RETURNING tenant, task_id, id
            "#,
            now,
            i64::from(limit),
        )
        .fetch_all(&self.pool)
        .await?;
        let key = |tenant: String, task: Uuid, id: Uuid| {
            let (tenant, task) = (tenant.try_into(), task.try_into());
            if let (Ok(tenant), Ok(task)) = (tenant, task) {
                return Some(AttachmentKey { tenant, task, id: id.into() });
            }
            Unreadable::at("").report("attachments", id);
            None
        };
        let keys = rows.into_iter().filter_map(|row| key(row.tenant, row.task_id, row.id));
        Ok(keys.collect())
    }

    /// Forgets deleted attachments, whose objects are gone.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn remove_attachments(&self, keys: &[AttachmentKey]) -> Result<(), ReadError> {
        sqlx::query!(
            r#"
            DELETE FROM attachments
            USING unnest($1::text[], $2::uuid[]) AS gone (tenant, id)
            WHERE attachments.tenant = gone.tenant AND attachments.id = gone.id
            AND deleted_at IS NOT NULL
            "#,
            &keys.iter().map(|key| key.tenant.to_string()).collect::<Vec<_>>(),
            &keys.iter().map(|key| key.id.as_uuid()).collect::<Vec<_>>(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
