//! Some tasks of a restored database, to compare what is kept of them elsewhere.

use anyhow::{Context as _, Result};
use domain::Task;
use sqlx::Connection as _;

use super::check::REJECTED;
use super::connect;
use crate::DatabaseUrl;
use crate::stored::Stored;

/// A task of the sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// The task.
    pub task: Task,
    /// The task as its facts have it that were still to be published, in their order.
    pub pending: Vec<Task>,
}

struct Row {
    task: Stored<Task>,
    fact: Option<Stored<Task>>,
}

/// Chooses so many tasks at random, another choice each time, with so many of their newest facts at most. What
/// this version cannot read is left out: it is reported where it is used.
///
/// # Errors
/// When the database does not answer.
pub async fn sample(database: &DatabaseUrl, tasks: u16, facts: u16) -> Result<Vec<Sampled>> {
    let mut connection = connect(database).await?;
    let rows = sqlx::query_as!(
        Row,
        r#"
        -- any tenant's
        SELECT to_jsonb(sampled) AS "task!: Stored<Task>", facts.data AS "fact?: Stored<Task>"
        FROM (SELECT * FROM tasks ORDER BY random() LIMIT $1) AS sampled
        LEFT JOIN LATERAL (
            SELECT data, seq FROM outbox
            WHERE tenant = sampled.tenant AND task_id = sampled.id AND type NOT LIKE $2
            ORDER BY seq DESC LIMIT $3
        ) AS facts ON true
        ORDER BY sampled.tenant, sampled.id, facts.seq
        "#,
        i64::from(tasks),
        REJECTED,
        i64::from(facts),
    );
    let rows = rows.fetch_all(&mut connection).await.context("choosing tasks of the database")?;
    connection.close().await?;
    Ok(grouped(rows))
}

fn grouped(rows: Vec<Row>) -> Vec<Sampled> {
    let mut sampled: Vec<Sampled> = Vec::new();
    for Row { task, fact } in rows {
        let Ok(task) = task.0 else { continue };
        let is_same =
            |last: &&mut Sampled| (&last.task.tenant, last.task.id) == (&task.tenant, task.id);
        let fact = fact.and_then(|fact| fact.0.ok());
        match sampled.last_mut().filter(is_same) {
            Some(last) => last.pending.extend(fact),
            None => sampled.push(Sampled { task, pending: fact.into_iter().collect() }),
        }
    }
    sampled
}
