//! A database for one test: cloned from a template that is migrated once per server, dropped
//! with its value.

use std::cell::RefCell;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use aws_lc_rs::digest::{Context as Hasher, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Parser;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::access::{secret, with_database, with_login};
use crate::database::{connect, ensure_login, has_code};

const INVALID_CATALOG_NAME: &str = "3D000";
const DUPLICATE_DATABASE: &str = "42P04";
/// Serializes the making of templates; any number that nobody else uses.
const TEMPLATE_LOCK: i64 = 7_420_150_001;

/// A migrated, empty database. Dropping it drops the database, with its connections, once the
/// test's thread ends.
#[derive(Debug)]
pub struct TestDatabase {
    /// As the server's superuser, who owns it.
    pub owner_url: SecretString,
    /// As a role that may do what `task-writer` and `command-worker` may.
    pub writer_url: SecretString,
    /// As a role that may do what `task-reader` may.
    pub reader_url: SecretString,
    /// As a role that may do what `outbox-relay` may.
    pub relay_url: SecretString,
    /// As a role that may do what `attachment-worker` may.
    pub attachments_url: SecretString,
    /// As a role that may do what `dead-letters facts` may.
    pub operator_url: SecretString,
    /// As a role that may do what `backup dump` may.
    pub backup_url: SecretString,
    dropped: Option<Dropped>,
}

/// A database that is dropped with this value.
#[derive(Debug)]
struct Dropped {
    server: SecretString,
    name: String,
}

thread_local! {
    /// The databases of a test that is over. They outlive its runtime, whose end closes connections
    /// that are half logged in: PostgreSQL would have every DROP DATABASE wait for those.
    static DROPPED: RefCell<Vec<Dropped>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug, Parser)]
struct Settings {
    /// PostgreSQL for tests, as a superuser: `local-stack exec -- COMMAND` sets it
    #[arg(env = "DATABASE_URL", hide_env_values = true, value_parser = secret)]
    database_url: SecretString,
}

impl TestDatabase {
    /// A database on the server that `DATABASE_URL` names.
    pub async fn create() -> Result<Self> {
        let settings = Settings::try_parse_from(["test"])
            .context("run tests that need servers by `local-stack exec -- COMMAND`")?;
        Self::create_on(&settings.database_url).await
    }

    /// A database on `server`: the URL of a superuser and any database there.
    pub async fn create_on(server: &SecretString) -> Result<Self> {
        let template = Template::of(server);
        let name = format!("test_{:016x}", rand::random::<u64>());
        let mut connection = connect(server).await?;
        let clone = format!("CREATE DATABASE {name} TEMPLATE {}", template.name);
        match execute(&mut connection, clone.clone()).await {
            Err(error) if has_code(&error, INVALID_CATALOG_NAME) => {
                template.make(&mut connection, server).await?;
                execute(&mut connection, clone).await
            }
            result => result,
        }
        .context("creating a test database")?;
        connection.close().await?;

        let owner_url = with_database(server, &name)?;
        Ok(Self {
            writer_url: with_login(&owner_url, &template.role("writer"), &template.password)?,
            reader_url: with_login(&owner_url, &template.role("reader"), &template.password)?,
            relay_url: with_login(&owner_url, &template.role("relay"), &template.password)?,
            attachments_url: with_login(
                &owner_url,
                &template.role("attachments"),
                &template.password,
            )?,
            backup_url: with_login(&owner_url, &template.role("backup"), &template.password)?,
            operator_url: with_login(&owner_url, &template.role("operator"), &template.password)?,
            owner_url,
            dropped: Some(Dropped { server: server.clone(), name }),
        })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = self.dropped.take();
        // Without it the thread ends already, and so does the value.
        let _ = DROPPED.try_with(move |databases| databases.borrow_mut().extend(dropped));
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        let server = self.server.clone();
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A runtime of its own, since a drop cannot await in the test's. Where the server is
        // gone, so is the database.
        let thread = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = connect(&server).await?;
                execute(&mut connection, drop).await?;
                Ok(connection.close().await?)
            })
        });
        let _ = thread.join();
    }
}

/// The database that all tests of one server clone, and the roles that they log in with.
struct Template {
    name: String,
    suffix: String,
    password: SecretString,
}

impl Template {
    /// Named by its migrations, so that a change of them makes a new one. The password follows
    /// from the server's own, so that every test process knows it.
    fn of(server: &SecretString) -> Self {
        let mut hasher = Hasher::new(&SHA256);
        hasher.update(server.expose_secret().as_bytes());
        let password = URL_SAFE_NO_PAD.encode(hasher.clone().finish()).into();
        for migration in store::MIGRATOR.iter() {
            hasher.update(&migration.checksum);
        }
        let suffix =
            hasher.finish().as_ref().iter().take(6).fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
        Self { name: format!("test_template_{suffix}"), suffix, password }
    }

    fn role(&self, name: &str) -> String {
        format!("test_{name}_{}", self.suffix)
    }

    /// Makes the template, unless another test is faster.
    async fn make(&self, connection: &mut PgConnection, server: &SecretString) -> Result<()> {
        execute(connection, format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await?;
        let made = self.make_alone(connection, server).await;
        execute(connection, format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})")).await?;
        made.context("making the template of the test databases")
    }

    /// Under another name until it is whole, since the making may be interrupted.
    async fn make_alone(&self, connection: &mut PgConnection, server: &SecretString) -> Result<()> {
        let draft = format!("{}_draft", self.name);
        execute(connection, format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)")).await?;
        execute(connection, format!("CREATE DATABASE {draft} TEMPLATE template0")).await?;
        let mut inside = connect(&with_database(server, &draft)?).await?;
        store::MIGRATOR.run(&mut inside).await?;
        for name in ["writer", "reader", "relay", "attachments", "operator", "backup"] {
            let group = format!("task_app_{name}");
            ensure_login(&mut inside, &self.role(name), &group, &self.password).await?;
        }
        inside.close().await?;
        let rename = format!("ALTER DATABASE {draft} RENAME TO {}", self.name);
        match execute(connection, rename).await {
            Err(error) if has_code(&error, DUPLICATE_DATABASE) => Ok(()),
            result => Ok(result?),
        }
    }
}

/// Runs a statement whose parts are all made here.
async fn execute(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
}
