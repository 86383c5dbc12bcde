//! Attachments as callers delete them.

use domain::{AttachmentKey, Timestamp};
use sha2::{Digest as _, Sha256};
use sqlx::error::DatabaseError;

use super::change::{begin, to_its_end};
use crate::error::ApplyError;
use crate::inbox::{Recorded, RequestKey};
use crate::request::idempotency_lock;
use crate::store::Store;

/// What became of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The attachment is deleted; its object goes later.
    Deleted {
        /// Whether the same request deleted it before.
        repeated: bool,
    },
    /// There is no such attachment.
    NotFound,
    /// The request's key was used before, by another request.
    KeyReused,
}

/// What the statement saw. It writes nothing if the request is known, or in flight.
struct Seen {
    is_ours: bool,
    deleted: bool,
    known: Option<Vec<u8>>,
}

impl Store {
    /// Deletes an attachment. `request` is the request's idempotency key, if it has one; it is
    /// recorded with the deletion, so that a repeat gets the same answer.
    ///
    /// # Errors
    /// An [`ApplyError`]; nothing was written, or a repeat under the same key finds what was.
    pub async fn delete_attachment(
        &self,
        key: AttachmentKey,
        request: Option<RequestKey>,
        now: Timestamp,
    ) -> Result<Deletion, ApplyError> {
        let store = self.clone();
        to_its_end(async move {
            let fingerprint = Sha256::digest(key.id.as_uuid());
            let seen = match store.delete_once(&key, request, &fingerprint, now).await {
                // Another request recorded the key since this one looked.
                Err(error) if is_taken(&error) => return Err(ApplyError::InFlight),
                seen => seen?,
            };
            match seen {
                Seen { is_ours: false, .. } => Err(ApplyError::InFlight),
                Seen { known: Some(known), .. } if known == *fingerprint => {
                    Ok(Deletion::Deleted { repeated: true })
                }
                Seen { known: Some(_), .. } => Ok(Deletion::KeyReused),
                Seen { deleted: true, .. } => Ok(Deletion::Deleted { repeated: false }),
                Seen { deleted: false, .. } => Ok(Deletion::NotFound),
            }
        })
        .await
    }

    async fn delete_once(
        &self,
        key: &AttachmentKey,
        request: Option<RequestKey>,
        fingerprint: &[u8],
        now: Timestamp,
    ) -> Result<Seen, sqlx::Error> {
        let idempotency_lock =
            request.as_ref().map(|request| idempotency_lock(&key.tenant, request));
        let caller = request.as_ref().map(|request| request.caller.as_str());
        let own = request.as_ref().map(|request| request.caller.own_key(&request.key.id));
        let key_of_request = request.as_ref().map(|request| &request.key);
        let source = key_of_request.map(|key| key.source.as_str());
        let id = key_of_request.map(|key| key.id.as_str());
        let mut transaction = self.pool.begin_with(begin(key)).await?;
        let seen = sqlx::query_as!(
            Seen,
            r#"
            WITH idempotency_lock AS MATERIALIZED (
                SELECT coalesce(pg_try_advisory_xact_lock($8), true) AS is_ours
            ),
            -- The key's own, or what stands in for it if that is another caller's.
            taken AS MATERIALIZED (
                SELECT command_id, fingerprint, coalesce(caller <> $10, false) AS is_anothers
                FROM inbox
                WHERE tenant = $1 AND source = $5 AND command_id IN ($6, $11)
            ),
            known AS MATERIALIZED (
                SELECT fingerprint FROM taken
                WHERE NOT is_anothers
                ORDER BY command_id = $11 DESC
                LIMIT 1
            ),
            deleted AS (
                UPDATE attachments SET place = NULL, deleted_at = $4, updated_at = $4
                WHERE tenant = $1 AND task_id = $2 AND id = $3 AND deleted_at IS NULL
                    AND (SELECT is_ours FROM idempotency_lock) AND NOT EXISTS (SELECT FROM known)
                RETURNING id
            ),
            recorded AS (
                INSERT INTO inbox (
                    tenant, source, command_id, task_id, fingerprint, outcome, caller, processed_at
                )
                SELECT
                    $1, $5, CASE WHEN EXISTS (SELECT FROM taken) THEN $11 ELSE $6 END, $2, $7, $9, $10, $4
                FROM deleted
                WHERE $6 IS NOT NULL
            )
            SELECT
                (SELECT is_ours FROM idempotency_lock) AS "is_ours!",
                EXISTS (SELECT FROM deleted) AS "deleted!",
                (SELECT fingerprint FROM known) AS known
            "#,
            key.tenant.as_str(),
            key.task.as_uuid(),
            key.id.as_uuid(),
            now,
            source,
            id,
            fingerprint,
            idempotency_lock,
            sqlx::types::Json(Recorded::Deleted) as _,
            caller,
            own,
        )
        .fetch_one(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(seen)
    }
}

fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}
