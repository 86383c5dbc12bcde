//! Old rows deleted, a little at a time.

use std::time::Duration;

use super::{Outbox, OutboxError};

/// Rows deleted by one statement, at most.
const BATCH: i64 = 1_000;
/// The cache's clock and the database's may differ by that much.
const SLACK: Duration = Duration::from_mins(1);

impl Outbox {
    /// Deletes some commands that were processed longer than `retention` ago (a repeat of one of
    /// them would take effect again), published facts that waited for Redis for longer than anything
    /// stays in it, and replicas that are gone. Returns whether there may be more to delete.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn purge(&self, retention: Duration) -> Result<bool, OutboxError> {
        let commands = sqlx::query!(
            r#"
            -- every tenant's
            DELETE FROM inbox WHERE ctid = ANY (ARRAY (
                SELECT ctid FROM inbox
                WHERE processed_at < now() - make_interval(secs => $1)
                ORDER BY processed_at
                LIMIT $2
            ))
            "#,
            retention.as_secs_f64(),
            BATCH,
        )
        .execute(&self.store.pool)
        .await?;
        let facts = sqlx::query!(
            r#"
            -- every tenant's
            DELETE FROM outbox WHERE seq = ANY (ARRAY (
                SELECT seq FROM outbox
                WHERE sent AND occurred_at < now() - make_interval(secs => $1)
                LIMIT $2
            ))
            "#,
            (self.store.cache.ttl() + SLACK).as_secs_f64(),
            BATCH,
        )
        .execute(&self.store.pool)
        .await?;
        sqlx::query!(
            "DELETE FROM outbox_relays WHERE seen_until < now() - interval '1 minute' -- no tenant's"
        )
        .execute(&self.store.pool)
        .await?;
        let most = BATCH.unsigned_abs();
        Ok(commands.rows_affected() == most || facts.rows_affected() == most)
    }
}
