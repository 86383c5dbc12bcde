//! Where PostgreSQL is, and who logs in there.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use clap::Args;
use redis_client::is_this_machine;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The URL of PostgreSQL, given or in a file.
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
}

impl DatabaseUrl {
    /// The URL as it is now.
    pub(crate) fn read(&self) -> anyhow::Result<SecretString> {
        if let Some(path) = &self.database_url_file {
            let text = fs::read_to_string(path)
                .with_context(|| format!("DATABASE_URL_FILE: reading {}", path.display()))?;
            return Ok(text.trim().into());
        }
        self.database_url.clone().context("DATABASE_URL is missing")
    }

    /// How to connect, as it is now.
    pub(crate) fn options(&self) -> anyhow::Result<PgConnectOptions> {
        parse(&self.read()?)
    }

    /// Whether it may change.
    pub(crate) fn is_file(&self) -> bool {
        self.database_url_file.is_some()
    }
}

/// How to connect to what the URL names.
pub(crate) fn parse(url: &SecretString) -> anyhow::Result<PgConnectOptions> {
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
