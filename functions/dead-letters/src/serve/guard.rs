//! Whom a request is for, and from which site it comes.
//!
//! A site of somebody else can have a browser send requests to this machine. If it lets its own name
//! resolve to this machine (DNS rebinding), they even count as its own; then `Host` has its name.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;

pub(super) struct Guard {
    is_loopback: bool,
    names: Vec<String>,
}

impl Guard {
    /// Of what is served at an address, and by these names.
    pub(super) fn new(address: SocketAddr, names: &[String]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { is_loopback: address.ip().is_loopback(), names }
    }

    fn refusal(&self, uri: &Uri, headers: &HeaderMap) -> Option<Problem> {
        let host = only(headers, &HOST).and_then(|host| host.parse::<Authority>().ok());
        let Some(host) = host.filter(|host| self.knows(host, uri)) else {
            return Some(Problem::misdirected(
                "the request is for another host. Use the address that `dead-letters serve` printed \
                 at its start; `--host NAME` allows another name",
            ));
        };
        let is_ours = !headers.contains_key(ORIGIN)
            || only(headers, &ORIGIN).is_some_and(|origin| is_of(origin, &host));
        (!is_ours).then(|| Problem::forbidden("the request comes from another site"))
    }

    /// Whether a host is this one. The port may be that of a tunnel. An address cannot be resolved to
    /// another machine, so each may be ours where others may connect.
    fn knows(&self, host: &Authority, uri: &Uri) -> bool {
        if host.as_str().contains('@') || uri.authority().is_some_and(|target| target != host) {
            return false;
        }
        let name = host.host().to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            Ok(address) => address.is_loopback() || !self.is_loopback,
            Err(_) => name == "localhost" || self.names.contains(&name),
        }
    }
}

/// Middleware: refuses what is for others, and what comes from other sites.
pub(super) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match guard.refusal(request.uri(), request.headers()) {
        Some(refusal) => Err(refusal),
        None => Ok(next.run(request).await),
    }
}

/// The text of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether an origin is that of a host, perhaps behind a proxy with TLS.
fn is_of(origin: &str, host: &Authority) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status of the refusal, or 0.
    fn refused(listen: &str, target: &str, headers: &[(HeaderName, &str)]) -> u16 {
        let guard = Guard::new(listen.parse().unwrap(), &["Ops.example".to_owned()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        let refusal = guard.refusal(&target.parse().unwrap(), &map);
        refusal.map_or(0, |refusal| refusal.status().as_u16())
    }

    #[test]
    fn a_name_that_somebody_else_chose_is_refused() {
        let refused = |host| refused("127.0.0.1:7070", "/", &[(HOST, host)]);
        for host in ["127.0.0.1:7070", "localhost:7070", "LOCALHOST", "[::1]:9", "ops.example:80"] {
            assert_eq!(refused(host), 0, "{host}");
        }
        for host in [
            "evil.example:7070",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1:7070",
            "0.0.0.0",
            "localhost@evil.example",
            "evil@localhost",
            "",
            "/",
        ] {
            assert_eq!(refused(host), 421, "{host}");
        }
    }

    #[test]
    fn there_is_one_host_and_the_target_is_the_same() {
        let (listen, localhost) = ("127.0.0.1:1", (HOST, "localhost:1"));
        assert_eq!(refused(listen, "/", &[]), 421);
        assert_eq!(refused(listen, "/", &[localhost.clone(), localhost.clone()]), 421);
        assert_eq!(refused(listen, "http://evil.example/", std::slice::from_ref(&localhost)), 421);
        assert_eq!(refused(listen, "http://localhost:1/", &[localhost]), 0);
    }

    #[test]
    fn where_others_connect_any_address_may_be_ours_and_no_name() {
        assert_eq!(refused("0.0.0.0:7070", "/", &[(HOST, "10.0.0.1:7070")]), 0);
        assert_eq!(refused("0.0.0.0:7070", "/", &[(HOST, "evil.example:7070")]), 421);
    }

    #[test]
    fn another_site_is_refused() {
        let host = (HOST, "127.0.0.1:7070");
        let refused = |origin| refused("127.0.0.1:7070", "/", &[host.clone(), (ORIGIN, origin)]);
        assert_eq!(refused("http://127.0.0.1:7070"), 0);
        assert_eq!(refused("https://127.0.0.1:7070"), 0);
        for origin in ["null", "http://127.0.0.1:80", "http://localhost:7070", "https://evil", ""] {
            assert_eq!(refused(origin), 403, "{origin}");
        }
    }
}
