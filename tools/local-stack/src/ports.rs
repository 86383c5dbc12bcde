//! Ports on the loopback interface, checked to be free before anybody gets them.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result, anyhow};

/// Below the range from which systems take the local port of an outgoing connection, so that
/// a port which was free when chosen is not taken by a client a moment later.
const CHOICE: std::ops::RangeInclusive<u16> = 20_000..=32_000;
const ATTEMPTS: usize = 100;
/// One after the other, from a random one on: a port that was given out may not be in use yet when
/// the next one is wanted.
static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(rand::random()));

/// `port` on the loopback interface.
#[must_use]
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A free port: `preferred` where it is free, else any.
pub fn free(preferred: Option<u16>) -> Result<u16> {
    let others = std::iter::repeat_with(next).take(ATTEMPTS);
    preferred
        .into_iter()
        .chain(others)
        .find(|port| TcpListener::bind(loopback(*port)).is_ok())
        .context("no free port found on 127.0.0.1")
}

fn next() -> u16 {
    let count = CHOICE.end() - CHOICE.start() + 1;
    CHOICE.start() + NEXT.fetch_add(1, Ordering::Relaxed) % count
}

/// Checks that a configured port is free; the error says who wants it and
/// which `option` chooses another.
pub fn require(port: u16, wanted_by: &str, option: &str) -> Result<()> {
    match TcpListener::bind(loopback(port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(anyhow!(
            "port {port} on 127.0.0.1, which {wanted_by} needs, is taken by another program: \
             stop that program, or choose another port with {option}"
        )),
        Err(error) => {
            Err(error).with_context(|| format!("{wanted_by} cannot use port {port}: see {option}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused_by_name() {
        let listener = TcpListener::bind(loopback(0)).unwrap();
        let port = listener.local_addr().unwrap().port();

        let error = require(port, "the API", "--api-port").unwrap_err().to_string();
        assert!(error.contains(&port.to_string()), "{error}");
        assert!(error.contains("the API") && error.contains("--api-port"), "{error}");
    }

    #[test]
    fn the_preferred_port_is_kept_while_it_is_free() {
        let port = free(None).unwrap();
        assert_eq!(free(Some(port)).unwrap(), port);

        let _taken = TcpListener::bind(loopback(port)).unwrap();
        assert_ne!(free(Some(port)).unwrap(), port);
    }
}
