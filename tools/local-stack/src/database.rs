//! The database of the stack: created, migrated, and with a login for each function.

use std::path::Path;

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::access::{with_database, with_login};
use crate::environment::Environment;
use crate::ports::{free, loopback};
use crate::process::{Process, Program};
use crate::servers::Servers;
use crate::state::State;

/// The database on a private server.
pub(crate) const NAME: &str = "task_app";

const DUPLICATE_DATABASE: &str = "42P04";

/// The role that a function logs in with, and the group of the migrations that gives it rights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Login {
    /// The role.
    pub user: &'static str,
    /// Its group.
    pub group: &'static str,
}

/// Creates the database on a private server and brings its schema up to date with
/// `task-app migrate`. Returns its owner's URL.
pub(crate) async fn migrate(
    servers: &Servers,
    state: &State,
    task_app: &Path,
) -> Result<SecretString> {
    let mut owner = servers.database_url()?;
    if servers.owns_postgres() {
        create(&owner, NAME).await?;
        owner = with_database(&owner, NAME)?;
    }
    let mut program = Program::new("migrate", task_app, state.path());
    program.arguments = vec!["migrate".into()];
    program.log = Some(state.log("migrate"));
    program.environment = Environment::inherited()
        .with("HEALTH_ADDR", loopback(free(None)?).to_string())
        .with_secret("DATABASE_URL", &owner);
    Process::start(program)?.success().await.context("the migrations failed")?;
    Ok(owner)
}

/// The URL of `login`, which gets a random password that `state` keeps.
pub(crate) async fn login_url(
    owner: &SecretString,
    login: Login,
    state: &State,
) -> Result<SecretString> {
    let password = state.secret(login.user)?;
    let mut connection = connect(owner).await?;
    ensure_login(&mut connection, login.user, login.group, &password).await?;
    connection.close().await?;
    with_login(owner, login.user, &password)
}

pub(crate) async fn connect(url: &SecretString) -> Result<PgConnection> {
    PgConnection::connect(url.expose_secret()).await.context("connecting to PostgreSQL")
}

/// Creates or updates a login. No argument may need quoting.
pub(crate) async fn ensure_login(
    connection: &mut PgConnection,
    user: &str,
    group: &str,
    password: &SecretString,
) -> Result<()> {
    let password = password.expose_secret();
    let sql = format!(
        "DO $$ BEGIN CREATE ROLE {user}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         ALTER ROLE {user} LOGIN PASSWORD '{password}';
         GRANT {group} TO {user};"
    );
    // The names are ours and the password is URL-safe base64: nothing to inject.
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .with_context(|| format!("creating the role {user}"))?;
    Ok(())
}

async fn create(url: &SecretString, name: &'static str) -> Result<()> {
    let mut connection = connect(url).await?;
    let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    if let Err(error) = sqlx::raw_sql(sql).execute(&mut connection).await
        && !has_code(&error, DUPLICATE_DATABASE)
    {
        return Err(error).with_context(|| format!("creating the database {name}"));
    }
    Ok(connection.close().await?)
}

/// Whether PostgreSQL answered with this SQLSTATE.
pub(crate) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    let answered = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    answered.as_deref() == Some(code)
}
