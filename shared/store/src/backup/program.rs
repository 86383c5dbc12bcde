//! How PostgreSQL's own programs connect.

use anyhow::{Context as _, Result};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::DatabaseUrl;

const PASSWORD: &str = "password";
/// A parameter that libpq refuses.
const OF_SQLX: &str = "statement-cache-capacity";
/// Parameters that sqlx also knows by another name than libpq.
const NAMES: [(&str, &str); 5] = [
    ("ssl-mode", "sslmode"),
    ("ssl-root-cert", "sslrootcert"),
    ("ssl-ca", "sslrootcert"),
    ("ssl-cert", "sslcert"),
    ("ssl-key", "sslkey"),
];

/// A connection as libpq takes it. The password is apart, since everybody on a machine sees the command
/// lines of its processes.
#[derive(Clone, Debug)]
pub struct Libpq {
    /// For `--dbname`.
    pub url: String,
    /// For the variable `PGPASSWORD`.
    pub password: Option<SecretString>,
}

impl Libpq {
    /// To the database of this URL, as it is now.
    ///
    /// # Errors
    /// When it is none, or leads to another machine without TLS. The error does not show it.
    pub async fn new(database: &DatabaseUrl) -> Result<Self> {
        let access = database.read().await?;
        // What the functions refuse is refused here.
        access.options()?;
        let text = access.url.expose_secret();
        let mut url = Url::parse(text).ok().context("DATABASE_URL is no URL")?;
        let mut password = url.password().map(decoded).transpose()?;
        if let Some(login) = access.login {
            let username = utf8_percent_encode(login.username.expose_secret(), NON_ALPHANUMERIC);
            // It has a host, or it would have been refused.
            let _ = url.set_username(&username.to_string());
            password = Some(login.password);
        }
        // It has a host, or it would have been refused.
        let _ = url.set_password(None);
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.set_query(None);
        for (name, value) in pairs {
            if name == PASSWORD {
                password = Some(value.into());
            } else if name != OF_SQLX {
                let known = NAMES.iter().find(|(of_sqlx, _)| *of_sqlx == name);
                let name = known.map_or(name.as_str(), |(_, of_libpq)| of_libpq);
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        // To libpq a plus is no space.
        let query = url.query().map(|query| query.replace('+', "%20"));
        url.set_query(query.as_deref());
        Ok(Self { url: url.into(), password })
    }
}

fn decoded(text: &str) -> Result<SecretString> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    Ok(decoded.ok().context("DATABASE_URL: the password is no UTF-8")?.into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn libpq(url: &str) -> Libpq {
        Libpq::new(&DatabaseUrl::of(url.into())).await.unwrap()
    }

    #[tokio::test]
    async fn a_password_is_on_no_command_line() {
        for (url, expected) in [
            ("postgres://u:p4%2Fss@localhost:5432/x", "postgres://u@localhost:5432/x"),
            (
                "postgres://u:wrong@localhost/x?sslmode=prefer&password=p4%2Fss",
                "postgres://u@localhost/x?sslmode=prefer",
            ),
        ] {
            let Libpq { url, password } = libpq(url).await;
            assert_eq!(url, expected);
            assert_eq!(password.unwrap().expose_secret(), "p4/ss");
        }
        assert!(libpq("postgres://u@localhost/x").await.password.is_none());
    }

    #[tokio::test]
    async fn libpq_gets_the_names_that_it_knows() {
        let url =
            "postgres://u@localhost/x?ssl-mode=require&statement-cache-capacity=9&ssl-ca=%2Fa%20b";
        let expected = "postgres://u@localhost/x?sslmode=require&sslrootcert=%2Fa%20b";
        assert_eq!(libpq(url).await.url, expected);
    }

    #[tokio::test]
    async fn another_machine_needs_tls() {
        let url = "postgres://u:p4ss@db.example/x".into();
        let error = Libpq::new(&DatabaseUrl::of(url)).await;
        let error = format!("{:#}", error.unwrap_err());
        assert!(error.contains("sslmode") && !error.contains("p4ss"), "{error}");
    }
}
