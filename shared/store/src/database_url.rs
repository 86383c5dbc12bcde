//! Where PostgreSQL is, and who logs in there.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr as _;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use redis_client::is_this_machine;
use secrecy::{ExposeSecret as _, SecretString};
use secrets::SecretArn;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::task::spawn_blocking;
use url::Url;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The URL of PostgreSQL, given or in a file, and the login if it is a secret of its own.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct DatabaseUrl {
    /// PostgreSQL, as `postgres://user:password@host:port/database`. A server that is not on this
    /// machine needs TLS: `?sslmode=verify-full&sslrootcert=FILE`, at least `?sslmode=require`
    #[arg(long, env, hide_env_values = true, required_unless_present = "database_url_file")]
    pub database_url: Option<SecretString>,

    /// A file with that URL, such as a mounted secret, in place of `DATABASE_URL`: when it changes, as
    /// by the rotation of a password, new connections are made with what it says then
    #[arg(long, env)]
    pub database_url_file: Option<PathBuf>,

    /// ARN of a secret of AWS Secrets Manager with the `username` and the `password` to log in with, as
    /// RDS and its rotation keep them; `DATABASE_URL` then has neither. It is read again when
    /// PostgreSQL refuses the login
    #[arg(long, env, requires = "database_url", conflicts_with = "database_url_file")]
    pub database_secret_arn: Option<SecretArn>,
}

/// A URL, and what its secret adds.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) url: SecretString,
    pub(crate) login: Option<Login>,
}

/// Who logs in.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) username: SecretString,
    pub(crate) password: SecretString,
}

impl DatabaseUrl {
    /// This URL, which has the login in itself.
    #[must_use]
    pub fn of(url: SecretString) -> Self {
        Self { database_url: Some(url), database_url_file: None, database_secret_arn: None }
    }

    /// What it says now.
    pub(crate) async fn read(&self) -> anyhow::Result<Access> {
        if let Some(path) = self.database_url_file.clone() {
            let url = spawn_blocking(move || read_file(&path)).await??;
            return Ok(Access { url, login: None });
        }
        let url = self.database_url.clone().context("DATABASE_URL is missing")?;
        let Some(arn) = &self.database_secret_arn else { return Ok(Access { url, login: None }) };
        ensure!(
            !has_login(&url)?,
            "DATABASE_URL has a user or a password, and DATABASE_SECRET_ARN is set: expected one of \
             both, with the secret postgres://host:port/database"
        );
        let names = ["username", "password"];
        let [username, password] = arn.members("DATABASE_SECRET_ARN", names).await?;
        Ok(Access { url, login: Some(Login { username, password }) })
    }

    /// How to connect, as it is now.
    pub(crate) async fn options(&self) -> anyhow::Result<PgConnectOptions> {
        self.read().await?.options()
    }

    /// Whether it may change, and can be read as often as one likes.
    pub(crate) fn is_file(&self) -> bool {
        self.database_url_file.is_some()
    }

    /// Whether the login may change, in a secret that another service keeps.
    pub(crate) fn is_secret(&self) -> bool {
        self.database_secret_arn.is_some()
    }
}

fn read_file(path: &PathBuf) -> anyhow::Result<SecretString> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("DATABASE_URL_FILE: reading {}", path.display()))?;
    Ok(text.trim().into())
}

impl Access {
    /// How to connect to what the URL names.
    pub(crate) fn options(&self) -> anyhow::Result<PgConnectOptions> {
        let options = parse(&self.url)?;
        Ok(match &self.login {
            Some(Login { username, password }) => {
                options.username(username.expose_secret()).password(password.expose_secret())
            }
            None => options,
        })
    }
}

impl PartialEq for Access {
    fn eq(&self, other: &Self) -> bool {
        let texts = |access: &Self| {
            let login = access.login.as_ref();
            let login = login.map(|Login { username, password }| {
                [username, password].map(|text| text.expose_secret().to_owned())
            });
            (access.url.expose_secret().to_owned(), login)
        };
        texts(self) == texts(other)
    }
}

/// How to connect to what the URL names.
fn parse(url: &SecretString) -> anyhow::Result<PgConnectOptions> {
    let url = url.expose_secret();
    // sqlx takes any scheme, and would speak to the server of another database.
    let is_postgres = SCHEMES.iter().any(|scheme| url.starts_with(scheme));
    let options = is_postgres
        .then(|| PgConnectOptions::from_str(url).ok())
        .flatten()
        .context("DATABASE_URL: expected postgres://user:password@host:port/database")?;
    check_tls(&options)?;
    Ok(options)
}

fn has_login(url: &SecretString) -> anyhow::Result<bool> {
    let url = Url::parse(url.expose_secret()).ok();
    let url = url.context("DATABASE_URL: expected postgres://host:port/database")?;
    let in_query = url.query_pairs().any(|(name, _)| name == "user" || name == "password");
    Ok(in_query || !url.username().is_empty() || url.password().is_some())
}

fn check_tls(options: &PgConnectOptions) -> anyhow::Result<()> {
    use PgSslMode::{Require, VerifyCa, VerifyFull};
    if is_here(options) || matches!(options.get_ssl_mode(), Require | VerifyCa | VerifyFull) {
        return Ok(());
    }
    bail!(
        "DATABASE_URL: {} is not on this machine, so the connection must be encrypted: add \
         `?sslmode=verify-full&sslrootcert=FILE` (FILE has the certificates of its authority), or \
         at least `?sslmode=require`",
        options.get_host()
    )
}

fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some() || host.starts_with('/') || is_this_machine(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_needs_tls() {
        for url in [
            "postgres://u:p4ss@db.example/x",
            "postgres://u:p4ss@10.0.0.5:6432/x?sslmode=prefer",
            "postgres://u:p4ss@db.example/x?sslmode=disable",
            "postgres://u:p4ss@localhost.example/x?sslmode=allow",
            "postgres://u:p4ss@127.0.0.1/x?host=db.example",
        ] {
            let error = format!("{:#}", parse(&url.into()).unwrap_err());
            assert!(error.contains("DATABASE_URL") && error.contains("sslmode"), "{error}");
            assert!(!error.contains("p4ss"), "{error}");
        }
        for mode in ["require", "verify-ca", "verify-full"] {
            parse(&format!("postgres://u:p@db.example/x?sslmode={mode}").into()).unwrap();
        }
    }

    #[test]
    fn a_server_on_this_machine_may_do_without() {
        for url in [
            "postgres://u:p@127.0.0.1:5432/x",
            "postgres://u:p@[::1]/x",
            "postgres://u:p@localhost/x",
            "postgres://u:p@%2Fvar%2Frun%2Fpostgresql/x",
        ] {
            parse(&url.into()).unwrap();
        }
    }

    #[tokio::test]
    async fn a_url_with_a_login_and_a_secret_with_one_exclude_each_other() {
        for url in [
            "postgres://u@127.0.0.1/x",
            "postgres://:p4ss@127.0.0.1/x",
            "postgres://127.0.0.1/x?password=p4ss",
            "postgres://127.0.0.1/x?user=u",
        ] {
            let arn = "arn:aws:secretsmanager:us-east-1:1:secret:x".parse().unwrap();
            let url = DatabaseUrl { database_secret_arn: Some(arn), ..DatabaseUrl::of(url.into()) };
            let error = format!("{:#}", url.read().await.unwrap_err());
            assert!(
                error.contains("DATABASE_URL") && error.contains("DATABASE_SECRET_ARN"),
                "{error}"
            );
            assert!(!error.contains("p4ss"), "{error}");
        }
    }

    #[test]
    fn a_login_is_used_as_it_is() {
        let url = "postgres://127.0.0.1:6432/x".into();
        let login = Login { username: "a user".into(), password: "p%41/ss:@".into() };
        let options = Access { url, login: Some(login) }.options().unwrap();
        assert_eq!(options.get_username(), "a user");
        assert!(format!("{options:?}").contains("p%41/ss:@"), "sqlx shows it");
    }

    #[test]
    fn what_is_no_url_is_not_shown() {
        for url in
            ["p4ss", "mysql://u:p4ss@127.0.0.1/x", "http://u:p4ss@localhost", "postgres:p4ss"]
        {
            let error = format!("{:#}", parse(&url.into()).unwrap_err());
            assert!(error.contains("DATABASE_URL: expected") && !error.contains("p4ss"), "{error}");
        }
        parse(&"postgresql://u:p4ss@127.0.0.1/x".into()).unwrap();
    }
}
