//! `REDIS_URL`: one server, or several nodes of one cluster.

use anyhow::{Context as _, ensure};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

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
}
