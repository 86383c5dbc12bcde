//! Tasks that are blocked by a fact that a queue refused, or that cannot be read.
//!
//! All of it is in the database, so that leases may move and thousands of blocked tasks cost a poll
//! nothing: their facts leave the index that it reads. A fact that was written after its task was
//! blocked is found by one poll, and leaves the index then.
//!
//! A task is unblocked by the relay that holds its shard and by nobody else. So an operator who skips
//! a fact removes its row; the relay finds a blocked task without its fact, and unblocks it.

use sqlx::types::Uuid;

use super::pending::keys;
use super::{Outbox, OutboxError, TaskKey};

/// Why a fact was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It can be published by no attempt: it is parked at once.
    Unreadable,
    /// A queue refuses it for what it is: it is parked when its attempts are used up.
    Refused,
    /// A queue did not take it, which says nothing about the fact: it is never parked for that.
    NotTaken,
}

/// A fact that was not published, and blocks its task.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The fact.
    pub seq: i64,
    /// The queue that did not take it; none if it cannot be read.
    pub queue: Option<String>,
    /// A code: it is shown to operators and a label of metrics.
    pub reason: String,
    /// Whose fault it is.
    pub fault: Fault,
}

/// What became of a failure.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// The fact's identifier.
    pub fact: Uuid,
    /// The queue that did not take it.
    pub queue: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether it waits for an operator from now on.
    pub is_parked: bool,
}

impl Outbox {
    /// Blocks the tasks of `failures` (one for each task) until their fact's next attempt: after
    /// about as long as it has failed already, from a second to a minute, with jitter. After
    /// `attempts` refusals the fact is parked instead. `held` are the facts of these tasks that were
    /// polled, with the queues that have them, separated by commas.
    ///
    /// # Errors
    /// When PostgreSQL does not answer; the facts will be tried again at once.
    pub async fn block(
        &self,
        failures: &[Failure],
        held: &[(i64, String)],
        attempts: u16,
    ) -> Result<Vec<Blocked>, OutboxError> {
        let seqs: Vec<_> = failures.iter().map(|failure| failure.seq).collect();
        let queues: Vec<_> = failures.iter().map(|failure| failure.queue.clone()).collect();
        let reasons: Vec<_> = failures.iter().map(|failure| failure.reason.clone()).collect();
        let is = |fault| failures.iter().map(|one| one.fault == fault).collect::<Vec<_>>();
        let (held_seqs, published_to): (Vec<_>, Vec<_>) = held.iter().cloned().unzip();
        let blocked = sqlx::query_as!(
            Blocked,
            r#"
            -- every tenant's
            -- One row for each task.
            WITH failed AS (
                SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bool[], $5::bool[])
                    AS failed (seq, queue, reason, is_refused, is_unreadable)
            ),
            -- They leave the index that polls read. Which queues have them stays known: a retry sends
            -- them to the others only.
            held AS (
                UPDATE outbox
                SET blocked = true, published_to = string_to_array(held.published_to, ',')
                FROM unnest($6::bigint[], $7::text[]) AS held (seq, published_to)
                WHERE outbox.seq = held.seq
            )
            INSERT INTO outbox_blocked_tasks AS task (
                tenant, task_id, seq, fact_id, type, occurred_at, queue, reason, attempts,
                first_failed_at, last_failed_at, retry_at, parked_at
            )
            SELECT
                outbox.tenant, outbox.task_id, seq, outbox.id, outbox.type, outbox.occurred_at,
                failed.queue, failed.reason, is_refused::integer, now(), now(),
                now() + make_interval(secs => 0.5 + random() / 2),
                CASE WHEN is_unreadable OR is_refused AND $8 <= 1 THEN now() END
            FROM failed JOIN outbox USING (seq)
            ON CONFLICT (tenant, task_id) DO UPDATE SET
                seq = excluded.seq, fact_id = excluded.fact_id, type = excluded.type,
                occurred_at = excluded.occurred_at, queue = excluded.queue,
                reason = excluded.reason,
                attempts = CASE WHEN task.seq = excluded.seq THEN task.attempts ELSE 0 END
                    + excluded.attempts,
                first_failed_at = CASE
                    WHEN task.seq = excluded.seq AND isfinite(task.first_failed_at)
                    THEN task.first_failed_at ELSE now() END,
                last_failed_at = now(),
                retry_at = now() + (0.5 + random() / 2) * least(
                    interval '1 minute',
                    greatest(interval '1 second', CASE
                        WHEN task.seq = excluded.seq AND isfinite(task.first_failed_at)
                        THEN now() - task.first_failed_at END)
                ),
                parked_at = CASE
                    WHEN excluded.parked_at IS NOT NULL THEN now()
                    WHEN task.seq = excluded.seq AND excluded.attempts = 1
                        AND task.attempts + 1 >= $8 THEN now()
                END
            RETURNING fact_id AS fact, queue, reason, parked_at IS NOT NULL AS "is_parked!"
            "#,
            &seqs,
            &queues as &[Option<String>],
            &reasons,
            &is(Fault::Refused),
            &is(Fault::Unreadable),
            &held_seqs,
            &published_to,
            i32::from(attempts),
        )
        .fetch_all(&self.store.pool)
        .await?;
        Ok(blocked)
    }

    /// Lets the facts that these tasks' first ones held back be polled again.
    pub(super) async fn unblock<'a>(
        &self,
        tasks: impl Iterator<Item = &'a TaskKey>,
    ) -> Result<(), OutboxError> {
        let (tenants, tasks) = keys(tasks);
        if tasks.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query!(
            r#"
            -- With their shards, which the index of the facts begins with.
            WITH unblocked AS (
                DELETE FROM outbox_blocked_tasks AS blocked
                USING unnest($1::text[], $2::uuid[]) AS task (tenant, id)
                WHERE blocked.tenant = task.tenant AND blocked.task_id = task.id
                RETURNING blocked.shard, blocked.tenant, blocked.task_id
            )
            UPDATE outbox SET blocked = false
            FROM unblocked
            WHERE outbox.shard = unblocked.shard AND outbox.tenant = unblocked.tenant
            AND outbox.task_id = unblocked.task_id AND outbox.blocked
            RETURNING outbox.shard, outbox.seq
            "#,
            &tenants,
            &tasks,
        )
        .fetch_all(&self.store.pool)
        .await?;
        self.lower_floors(rows.into_iter().map(|row| (row.shard, row.seq)));
        Ok(())
    }

    /// Takes facts of blocked tasks out of the way of polls.
    pub(super) async fn hold_back(&self, seqs: &[i64]) -> Result<(), OutboxError> {
        if !seqs.is_empty() {
            sqlx::query!(
                "UPDATE outbox SET blocked = true WHERE seq = ANY ($1) -- every tenant's",
                seqs
            )
            .execute(&self.store.pool)
            .await?;
        }
        Ok(())
    }
}
