//! Which servers are on this machine: what goes to others needs TLS.

use std::net::IpAddr;

/// Whether a host of a URL is this machine: `localhost`, or an address of the loopback interface. The
/// URL of any server is checked so, not of Redis only.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
