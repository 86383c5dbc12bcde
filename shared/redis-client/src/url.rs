//! `REDIS_URL`: one server, or several nodes of one cluster.

use anyhow::{Context as _, ensure};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::this_machine::is_this_machine;

/// The servers that `url` names, at least one. What goes to another machine needs TLS: it has a
/// password, and the tasks of all tenants.
///
/// # Errors
/// When a URL is none, or has no TLS and needs it; the error names the variable, not its value.
pub(crate) fn servers(url: &str) -> anyhow::Result<Vec<ConnectionInfo>> {
    url.split(',').map(|url| server(url.trim())).collect()
}

fn server(url: &str) -> anyhow::Result<ConnectionInfo> {
    let server = url.into_connection_info().ok().context(
        "REDIS_URL: expected rediss://user:password@host:port, of a cluster perhaps several with a \
         comma between",
    )?;
    ensure!(
        is_safe(server.addr()),
        "REDIS_URL: a server that is not on this machine needs TLS with a certificate that is \
         checked: expected rediss://, without #insecure"
    );
    Ok(server)
}

fn is_safe(address: &ConnectionAddr) -> bool {
    match address {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, insecure: true, .. } => {
            is_this_machine(host)
        }
        _ => true,
    }
}

/// A URL for which a secret has the password.
///
/// # Errors
/// When it has a user or a password itself.
pub(crate) fn expect_no_login(servers: &[ConnectionInfo]) -> anyhow::Result<()> {
    let has_login = servers
        .iter()
        .map(ConnectionInfo::redis_settings)
        .any(|settings| settings.username().is_some() || settings.password().is_some());
    ensure!(
        !has_login,
        "REDIS_URL has a user or a password, and REDIS_SECRET_ARN is set: expected one of both, with \
         the secret rediss://host:port"
    );
    Ok(())
}

pub(crate) fn with_password(server: ConnectionInfo, password: &SecretString) -> ConnectionInfo {
    let settings = server.redis_settings().clone().set_password(password.expose_secret());
    server.set_redis_settings(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_needs_tls() {
        for bad in [
            "redis://cache.example:6379",
            "redis://user:p4ss@10.0.0.5",
            "redis://localhost.example",
            "rediss://cache.example:6379#insecure",
            "rediss://a.example,redis://b.example",
            "http://cache.example",
            "rediss://a.example,",
        ] {
            let error = format!("{:#}", servers(bad).unwrap_err());
            assert!(error.contains("REDIS_URL") && !error.contains("p4ss"), "{bad}: {error}");
        }
        for (good, count) in [
            ("redis://127.0.0.1:6379/3", 1),
            ("redis://user:p4ss@localhost", 1),
            ("redis://[::1]:6379", 1),
            ("rediss://user:p4ss@cache.example:6379", 1),
            ("rediss://a.example, rediss://b.example:7000", 2),
        ] {
            assert_eq!(servers(good).unwrap().len(), count, "{good}");
        }
    }

    #[test]
    fn a_password_of_a_secret_is_for_urls_without_one() {
        for bad in ["rediss://:p4ss@a.example", "rediss://a.example,rediss://u@b.example"] {
            let error = expect_no_login(&servers(bad).unwrap()).unwrap_err().to_string();
            assert!(error.contains("REDIS_URL") && error.contains("REDIS_SECRET_ARN"), "{error}");
            assert!(!error.contains("p4ss"), "{error}");
        }
        let mut plain = servers("rediss://a.example:6380/3").unwrap();
        expect_no_login(&plain).unwrap();
        let server = with_password(plain.remove(0), &"p4ss".into());
        let settings = server.redis_settings();
        assert_eq!((settings.db(), settings.password()), (3, Some("p4ss")));
    }
}
