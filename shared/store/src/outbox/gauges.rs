//! How far behind the telling is.
//!
//! | name | kind | what |
//! |---|---|---|
//! | `outbox_lag_seconds` | gauge, seconds | the age of the oldest untold fact, 0 if there is none |
//! | `outbox_unsent` | gauge, facts | untold facts, counted up to 100,000 |
//!
//! Both are of the whole outbox, whichever replica says it: take the largest.

use metrics::{Unit, describe_gauge, gauge};

use super::{Outbox, OutboxError};

const LAG: &str = "outbox_lag_seconds";
const UNSENT: &str = "outbox_unsent";

impl Outbox {
    /// Describes the gauges that [`measure`](Self::measure) sets.
    pub fn describe_gauges() {
        describe_gauge!(LAG, Unit::Seconds, "Age of the oldest untold fact");
        describe_gauge!(UNSENT, "Untold facts, counted up to 100,000");
    }

    /// Sets the gauges.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn measure(&self) -> Result<(), OutboxError> {
        let untold = sqlx::query!(
            r#"
            -- every tenant's
            SELECT
                (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE NOT sent LIMIT 100000) AS untold)
                    AS "count!",
                coalesce(extract(epoch FROM now() - (
                    SELECT min(occurred_at) FROM outbox_shards CROSS JOIN LATERAL (
                        SELECT occurred_at FROM outbox
                        WHERE outbox.shard BETWEEN outbox_shards.shard AND outbox_shards.shard
                        AND NOT sent
                        ORDER BY outbox.shard, seq LIMIT 1
                    ) AS first
                )), 0)::float8 AS "lag!"
            "#
        )
        .fetch_one(&self.store.pool)
        .await?;
        gauge!(LAG).set(untold.lag.max(0.0));
        #[expect(clippy::cast_precision_loss, reason = "it is at most 100,000")]
        gauge!(UNSENT).set(untold.count as f64);
        Ok(())
    }
}
