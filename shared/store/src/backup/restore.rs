//! A database that a dump is restored to: what is in it before, and what follows.

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use url::Url;
use uuid::Uuid;

use super::snapshot::Inbox;
use super::{Contents, connect};
use crate::DatabaseUrl;
use crate::migrate::OWNER;
use crate::stored::StoredTime;

/// What is in a database that is to be replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Existing {
    /// Its name.
    pub database: String,
    /// The server's version, such as 150018.
    pub server_version: i32,
    /// Whether it has any table.
    pub is_empty: bool,
    /// Relations that are not of task-app.
    pub foreign: Vec<String>,
    /// Sessions of others.
    pub sessions: i64,
    /// Its tasks.
    pub tasks: i64,
    /// Its tasks that were changed since the dump.
    pub tasks_since: i64,
    /// Its processed commands.
    pub commands: i64,
    /// Those that were processed since the dump.
    pub commands_since: i64,
    /// Facts that are still to be published.
    pub pending_facts: i64,
}

/// What was made void after a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emptied {
    /// Leases of relays that were held when the dump was made.
    pub leases: u64,
    /// The commands that the inbox knows.
    pub inbox: Inbox,
}

/// Looks at a database, and at what happened in it since the dump.
///
/// # Errors
/// When it does not answer.
pub async fn existing(database: &DatabaseUrl, since: Timestamp) -> Result<Existing> {
    let mut connection = connect(database).await?;
    let relations = sqlx::query!(
        r#"
        -- no tenant's
        SELECT relname::text AS "name!", pg_get_userbyid(relowner)::text AS "owner!"
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        AND NOT EXISTS (
            SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
            AND objid = pg_class.oid AND deptype = 'e'
        )
        ORDER BY relname
        "#
    );
    let relations = relations.fetch_all(&mut connection).await?;
    let is_ours = |name: &str, owner: &str| owner == "task_app_owner" || name == "_sqlx_migrations";
    let has = |wanted: &str| relations.iter().any(|relation| relation.name == wanted);
    let (has_tasks, has_outbox) = (has("tasks") && has("inbox"), has("outbox"));
    let session = sqlx::query!(
        r#"
        -- no tenant's
        SELECT current_database()::text AS "database!",
            current_setting('server_version_num')::integer AS "server_version!", (
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'
        ) AS "sessions!"
        "#
    );
    let session = session.fetch_one(&mut connection).await?;
    let foreign = relations.iter().filter(|relation| !is_ours(&relation.name, &relation.owner));
    let mut existing = Existing {
        database: session.database,
        server_version: session.server_version,
        is_empty: relations.is_empty(),
        foreign: foreign.map(|relation| relation.name.clone()).collect(),
        sessions: session.sessions,
        ..Existing::default()
    };
    if has_tasks {
        count(&mut connection, since, &mut existing).await.context("counting what is there")?;
    }
    if has_outbox {
        let pending = sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM outbox -- any tenant's"#);
        existing.pending_facts = pending.fetch_one(&mut connection).await?;
    }
    connection.close().await?;
    Ok(existing)
}

async fn count(
    connection: &mut PgConnection,
    since: Timestamp,
    existing: &mut Existing,
) -> Result<()> {
    let counts = sqlx::query!(
        r#"
        -- any tenant's
        SELECT (SELECT count(*) FROM tasks) AS "tasks!",
            (SELECT count(*) FROM tasks WHERE updated_at > $1) AS "tasks_since!",
            (SELECT count(*) FROM inbox) AS "commands!",
            (SELECT count(*) FROM inbox WHERE processed_at > $1) AS "commands_since!"
        "#,
        since
    );
    let counts = counts.fetch_one(connection).await?;
    (existing.tasks, existing.tasks_since) = (counts.tasks, counts.tasks_since);
    (existing.commands, existing.commands_since) = (counts.commands, counts.commands_since);
    Ok(())
}

/// Makes the roles that the rights of a dump name, as they belong to the server; and lets the owner's
/// objects be made.
///
/// # Errors
/// When this user may not do that.
pub async fn prepare(database: &DatabaseUrl, contents: &Contents) -> Result<()> {
    let mut connection = connect(database).await?;
    connection.execute(OWNER).await.context("preparing the role task_app_owner")?;
    for role in &contents.roles {
        // The manifest is read from S3, and this becomes SQL.
        let is_plain = role.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !role.starts_with("task_app_") || !is_plain {
            bail!("{role:?} is no role of task-app");
        }
        let create = format!(
            "DO $$ BEGIN CREATE ROLE {role} NOLOGIN;
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        let made = connection.execute(AssertSqlSafe(create)).await;
        made.with_context(|| format!("making the role {role}"))?;
    }
    let rights = "GRANT USAGE, CREATE ON SCHEMA public TO task_app_owner";
    connection.execute(rights).await.context("letting the owner make tables")?;
    connection.close().await?;
    Ok(())
}

/// Removes all of task-app's tables from a database.
///
/// # Errors
/// When somebody uses them, or this user may not. Then nothing was removed.
pub async fn clear(database: &DatabaseUrl) -> Result<()> {
    let mut connection = connect(database).await?;
    connection.execute(OWNER).await.context("acting as task_app_owner")?;
    let clear = "BEGIN; SET LOCAL lock_timeout = '10s';
        DROP TABLE IF EXISTS public._sqlx_migrations;
        DROP OWNED BY task_app_owner CASCADE;
        COMMIT";
    connection.execute(clear).await.context("removing what is there")?;
    connection.close().await?;
    Ok(())
}

/// Does what a restored database needs before anything uses it: the leases of relays are void, and
/// there are statistics, without which PostgreSQL plans badly.
///
/// # Errors
/// When the database does not answer.
pub async fn after_restore(database: &DatabaseUrl) -> Result<Emptied> {
    let mut connection = connect(database).await?;
    let relays = sqlx::query!("DELETE FROM outbox_relays -- no tenant's");
    relays.execute(&mut connection).await.context("removing relays")?;
    let leases = sqlx::query!(
        "UPDATE outbox_shards SET holder = NULL, leased_until = '-infinity' -- no tenant's
        WHERE holder IS NOT NULL"
    );
    let leases = leases.execute(&mut connection).await.context("voiding leases")?;
    connection.execute("ANALYZE").await.context("gathering statistics")?;
    let inbox = sqlx::query!(
        r#"
        -- any tenant's
        SELECT coalesce(min(processed_at), 'infinity') AS "oldest!: StoredTime",
            coalesce(max(processed_at), 'infinity') AS "newest!: StoredTime"
        FROM inbox
        "#
    );
    let inbox = inbox.fetch_one(&mut connection).await.context("looking at the inbox")?;
    connection.close().await?;
    let inbox = Inbox { oldest: inbox.oldest.into(), newest: inbox.newest.into() };
    Ok(Emptied { leases: leases.rows_affected(), inbox })
}

/// An empty database for a while.
#[derive(Debug)]
pub struct Scratch {
    server: DatabaseUrl,
    name: String,
    /// The database.
    pub database: DatabaseUrl,
}

impl Scratch {
    /// Makes it on a server, with any database of which the user logs in.
    ///
    /// # Errors
    /// When this user may make none.
    pub async fn create(server: &DatabaseUrl) -> Result<Self> {
        let name = format!("backup_verify_{}", Uuid::new_v4().simple());
        let url = server.read().await?.url;
        let mut url = Url::parse(url.expose_secret()).ok().context("it is no URL")?;
        url.set_path(&name);
        let mut connection = connect(server).await?;
        let create = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"));
        connection.execute(create).await.context("making a scratch database")?;
        connection.close().await?;
        let database_url = Some(SecretString::from(String::from(url)));
        let database = DatabaseUrl { database_url, database_url_file: None, ..server.clone() };
        Ok(Self { server: server.clone(), name, database })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Removes it, whoever uses it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn drop(self) -> Result<()> {
        let mut connection = connect(&self.server).await?;
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropped = connection.execute(AssertSqlSafe(drop)).await;
        dropped.with_context(|| format!("removing the scratch database {}", self.name))?;
        connection.close().await?;
        Ok(())
    }
}
