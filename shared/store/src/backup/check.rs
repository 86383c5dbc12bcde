//! Whether a restored database is the one that was dumped.

use std::collections::BTreeSet;

use anyhow::Result;
use domain::Task;
use sqlx::postgres::PgConnection;
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::snapshot::{Contents, schema_version};
use super::{catalog, connect, rows};
use crate::config::Owner;
use crate::stored::Stored;
use crate::{DatabaseUrl, migrate};

/// Facts that are compared with their tasks: the newest ones.
const FACTS: i64 = 1_000;
/// Differences of one kind that are named.
const NAMED: usize = 10;
/// The names of facts that say nothing of a task's state.
pub(super) const REJECTED: &str = "%rejected%";

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What differs from the dump, or is wrong; empty if all is well.
    pub problems: Vec<String>,
    /// Tables that were compared.
    pub tables: usize,
    /// Rows that were compared.
    pub rows: i64,
    /// Tasks that were compared with their newest fact.
    pub facts: usize,
    /// Migrations of this version that the dump did not have. They were applied.
    pub migrated: bool,
}

struct Pair {
    task_id: Uuid,
    fact: Stored<Task>,
    task: Option<Stored<Task>>,
}

/// Compares a database with what a dump was made of. Then brings its schema up to date, as `migrate`
/// would.
///
/// # Errors
/// When the database does not answer.
pub async fn check(database: &DatabaseUrl, expected: &Contents) -> Result<Checked> {
    let mut connection = connect(database).await?;
    let mut checked = Checked::default();
    compare_rows(&mut connection, expected, &mut checked).await?;
    compare_objects(&mut connection, expected, &mut checked).await?;
    validate(&mut connection, &mut checked).await?;
    compare_facts(&mut connection, &mut checked).await?;
    bring_up_to_date(database, &mut connection, expected, &mut checked).await?;
    connection.close().await?;
    Ok(checked)
}

async fn compare_rows(
    connection: &mut PgConnection,
    expected: &Contents,
    checked: &mut Checked,
) -> Result<()> {
    let tables = rows::tables(connection).await?;
    for name in expected.tables.keys() {
        if !tables.iter().any(|(found, _)| found == name) {
            checked.problems.push(format!("the table {name} is missing"));
        }
    }
    for (name, quoted) in tables {
        let Some(expected) = expected.tables.get(&name) else {
            checked.problems.push(format!("the table {name} was not in the dump"));
            continue;
        };
        let found = rows::count(connection, &quoted).await?;
        checked.tables += 1;
        checked.rows += found.rows;
        if found.rows != expected.rows {
            let (found, expected) = (found.rows, expected.rows);
            checked.problems.push(format!("{name} has {found} rows, and had {expected}"));
        } else if found.digest != expected.digest {
            checked.problems.push(format!("rows of {name} differ from those of the dump"));
        }
    }
    Ok(())
}

/// Constraints, indexes, policies, rights.
async fn compare_objects(
    connection: &mut PgConnection,
    expected: &Contents,
    checked: &mut Checked,
) -> Result<()> {
    let found: BTreeSet<String> = catalog::objects(connection).await?.into_iter().collect();
    let expected: BTreeSet<String> = expected.objects.iter().cloned().collect();
    let missing = expected.difference(&found).map(|object| format!("missing: {object}"));
    let added = found.difference(&expected).map(|object| format!("was not there: {object}"));
    checked.problems.extend(missing.take(NAMED).chain(added.take(NAMED)));
    Ok(())
}

/// Has PostgreSQL check what a restore did not: constraints that were added without looking at the
/// rows that were there.
async fn validate(connection: &mut PgConnection, checked: &mut Checked) -> Result<()> {
    let constraints = sqlx::query_scalar!(
        r#"
        -- no tenant's
        SELECT format('%s VALIDATE CONSTRAINT %I', conrelid::regclass, conname) AS "constraint!"
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
        WHERE relnamespace = 'public'::regnamespace AND NOT convalidated
        ORDER BY 1
        "#
    );
    for constraint in constraints.fetch_all(&mut *connection).await? {
        let validate = AssertSqlSafe(format!("ALTER TABLE {constraint}"));
        if let Err(error) = connection.execute(validate).await {
            checked.problems.push(format!("{constraint}: {error}"));
        }
    }
    let indexes = sqlx::query_scalar!(
        r#"
        -- no tenant's
        SELECT indexrelid::regclass::text AS "index!" FROM pg_index
        JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = 'public'::regnamespace AND NOT (indisvalid AND indisready)
        "#
    );
    let invalid = indexes.fetch_all(connection).await?;
    checked.problems.extend(invalid.iter().map(|index| format!("the index {index} is invalid")));
    Ok(())
}

/// The newest fact of a task that is still in the outbox says what the task is.
async fn compare_facts(connection: &mut PgConnection, checked: &mut Checked) -> Result<()> {
    let pairs = sqlx::query_as!(
        Pair,
        r#"
        -- any tenant's
        SELECT facts.task_id AS "task_id!", facts.data AS "fact!: Stored<Task>",
            to_jsonb(tasks) AS "task: Stored<Task>"
        FROM (
            SELECT DISTINCT ON (tenant, task_id) tenant, task_id, data
            FROM (
                SELECT * FROM outbox WHERE type NOT LIKE $1 ORDER BY seq DESC LIMIT $2
            ) AS newest
            ORDER BY tenant, task_id, seq DESC
        ) AS facts
        LEFT JOIN tasks ON tasks.tenant = facts.tenant AND tasks.id = facts.task_id
        "#,
        REJECTED,
        FACTS,
    );
    let pairs = pairs.fetch_all(connection).await?;
    checked.facts = pairs.len();
    let wrong = pairs.iter().filter(|pair| !pair.agrees());
    let wrong =
        wrong.map(|pair| format!("the newest fact of the task {} is not what it is", pair.task_id));
    checked.problems.extend(wrong.take(NAMED));
    Ok(())
}

impl Pair {
    fn agrees(&self) -> bool {
        match (&self.fact.0, self.task.as_ref().map(|task| &task.0)) {
            (Ok(fact), Some(Ok(task))) => fact == task,
            // It was so before the dump: such rows are reported where they are read.
            (Err(_), Some(_)) | (_, Some(Err(_))) => true,
            (_, None) => false,
        }
    }
}

async fn bring_up_to_date(
    database: &DatabaseUrl,
    connection: &mut PgConnection,
    expected: &Contents,
    checked: &mut Checked,
) -> Result<()> {
    let before = schema_version(connection).await?;
    if before != expected.schema_version {
        let expected = expected.schema_version;
        checked.problems.push(format!("the schema has version {before}, and had {expected}"));
    }
    if let Err(error) = migrate(&Owner::of(database.clone())).await {
        checked.problems.push(format!("`migrate` fails: {error:#}"));
    }
    checked.migrated = schema_version(connection).await? != before;
    Ok(())
}
